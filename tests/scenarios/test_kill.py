"""A gateway that is killed at any moment: what was acknowledged is kept, and nothing is left behind (E6)."""

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
from tests.scenarios.conftest import PLAIN, WAITING, Start
from tests.scenarios.gateway import PATIENCE_S, Wakegate, alive, eventually

ROUNDS, VISITORS = 6, 4
SLEEPY = PLAIN + '[service.web.sleep]\nidle_timeout = "300ms"\ngrace = "100ms"\n'


class Visitor:
    """Comes again and again, stores a higher number each time, and notes what was acknowledged."""

    def __init__(self, gateway: Wakegate, *, seed: int) -> None:
        self.gateway = gateway
        self.random = random.Random(seed)
        self.cookies: dict[str, str] = {}
        self.session = ""  # once its cookie has come back
        self.acknowledged = 0  # the newest number whose answer has arrived
        self.sent = 0  # the newest that was sent: it may be stored, too
        self.problems: list[str] = []

    def visit(self) -> None:
        """Come once; a gateway that is being killed answers nothing, which is no problem."""
        number = self.sent + 1
        try:
            with httpx.Client(base_url=self.gateway.url, timeout=PATIENCE_S, verify=False) as client:
                client.cookies.update(self.cookies)
                self.sent = number
                answer = client.get(f"/data?set={number}")
                if answer.status_code != 200:
                    self.problems.append(f"{answer.status_code} {answer.text}")
                    return
                self.cookies.update(client.cookies)
        except httpx.TransportError:
            return
        self.check(answer.json())
        self.acknowledged = number

    def check(self, seen: dict[str, str | None]) -> None:
        """Compare what the app was told with what was acknowledged before."""
        session, data = seen["session"], seen["data"]
        if self.session and session != self.session:
            self.problems.append(f"session {self.session} became {session}")
        if self.acknowledged and not self.acknowledged <= int(data or 0) <= self.sent:
            self.problems.append(f"stored {self.acknowledged} of {self.sent}, found {data}")
        self.session = session or ""

    def go_on(self, done: threading.Event) -> None:
        """Come until it is over; the pauses are such that the service is asleep, waking, awake and draining."""
        while not done.is_set():
            self.visit()
            done.wait(self.random.choice((0.0, 0.01, 0.3, 0.6)))


def test_a_gateway_killed_at_any_moment_loses_nothing_that_was_acknowledged(wakegate: Start) -> None:
    """Issue, point 9: sessions and their data survive, the gateway starts by itself, no process stays behind."""
    seed = int(os.environ.get("SEED") or random.randrange(2**32))
    print(f"SEED={seed}")
    moments = random.Random(seed)
    gateway = wakegate(SLEEPY)
    visitors = [Visitor(gateway, seed=seed + number) for number in range(VISITORS)]
    done = threading.Event()
    with ThreadPoolExecutor(VISITORS) as pool:
        visits = [pool.submit(visitor.go_on, done) for visitor in visitors]
        try:
            for _ in range(ROUNDS):
                before = [visitor.acknowledged for visitor in visitors]
                time.sleep(moments.uniform(0, 1))  # the moment, which is what this is about
                gateway.kill()
                for _ in range(moments.choice((0, 0, 1, 2))):  # and again, while it is starting
                    gateway.spawn()
                    time.sleep(moments.uniform(0, 0.4))
                    gateway.kill()
                gateway.start()
                is_served = partial(all_acknowledged, visitors, than=before)
                eventually(is_served, what=f"everybody is served; {[visitor.problems for visitor in visitors]}")
        finally:
            done.set()
        for visit in visits:
            visit.result()
    assert [visitor.problems for visitor in visitors] == [[]] * VISITORS
    for visitor in visitors:
        visitor.visit()
    assert [visitor.problems for visitor in visitors] == [[]] * VISITORS
    told = gateway.cli("sessions", "web").stdout
    assert [visitor.session for visitor in visitors if visitor.session not in told] == []
    eventually(lambda: is_accounted_for(gateway), what="every process of the app is one that the gateway knows")
    assert gateway.stop() == 0
    assert running(gateway) == set()


def test_a_killed_gateway_takes_its_app_back(wakegate: Start) -> None:
    """E6: the same process serves on, and it can still be put to sleep."""
    gateway = wakegate(PLAIN)
    before = gateway.get().json()["pid"]
    gateway.kill()
    gateway.start()
    assert gateway.get().json()["pid"] == before
    assert "adopted" in gateway.kinds()
    gateway.cli("sleep", "web")
    eventually(lambda: not alive(before), what="the process that was taken over is gone")
    assert gateway.get().status_code == 200


def test_a_gateway_killed_while_waking_starts_again_by_itself(wakegate: Start) -> None:
    """A replica that was half-started is taken over or ended, never doubled."""
    gateway = wakegate(WAITING)
    (lost,) = gateway.together(1)
    eventually(lambda: gateway.starts() == 1, what="the app is starting")
    gateway.kill()
    assert lost.exception() is not None
    gateway.start()
    (answer,) = gateway.together(1)
    gateway.until(held=1)
    gateway.let("listen")
    pid = answer.result().json()["pid"]
    eventually(lambda: running(gateway) == {pid}, what="the one that answers is the only one")
    assert gateway.status()["pids"] == [pid]


def test_an_app_that_is_no_longer_configured_is_stopped_at_the_next_start(wakegate: Start) -> None:
    """E5, E6 (Sablier #713): what was left running and belongs to nobody is ended, and told."""
    gateway = wakegate(PLAIN + "[service.old]\ncommand = {app}\nhosts = ['old.localhost']\n")
    old = gateway.get_by_host("old.localhost").json()["pid"]
    gateway.kill()
    gateway.configure(PLAIN)
    gateway.start()
    assert not alive(old)
    assert gateway.told("stopped-orphan")


def all_acknowledged(visitors: list[Visitor], *, than: list[int]) -> bool:
    """Say whether each visitor has had an answer since."""
    return all(visitor.acknowledged > before for visitor, before in zip(visitors, than, strict=True))


def running(gateway: Wakegate) -> set[int]:
    """Return the processes of the app that are there, whoever knows of them."""
    return {pid for pid in gateway.started_pids() if alive(pid)}


def is_accounted_for(gateway: Wakegate) -> bool:
    """Say whether what runs is what the gateway says that it runs."""
    return running(gateway) == set(gateway.status()["pids"])

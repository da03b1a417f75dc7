"""A new program takes the place of one that runs: no connection is refused, no request lost, no app restarted."""

import json
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.client import HTTPResponse
from pathlib import Path

import httpx
import pytest
from tests.local.certificates import make_pair
from tests.scenarios.conftest import PLAIN, WAITING, Start
from tests.scenarios.gateway import PATIENCE_S, Wakegate, alive, eventually

VISITORS = 6
SHORT = '[service.web.sleep]\nidle_timeout = "300ms"\ngrace = "0s"\n'


class Visitors:
    """Ask all the time, some on a connection that they keep, some on a new one for each request."""

    def __init__(self, gateway: Wakegate) -> None:
        self.url = gateway.url
        self.seen: Counter[str] = Counter()
        self._done = threading.Event()
        self._lock = threading.Lock()

    def ask(self, *, keeps: bool) -> None:
        """Ask until it is over; note what came back, whatever it was."""
        with httpx.Client(timeout=PATIENCE_S) as client:
            while not self._done.is_set():
                try:
                    answer = client.get(self.url, headers={} if keeps else {"Connection": "close"})
                    seen = f"{answer.status_code} {answer.json().get('pid')}"
                except (httpx.TransportError, ValueError) as error:
                    seen = repr(error)
                with self._lock:
                    self.seen[seen] += 1

    def count(self) -> int:
        """Return how many have been answered."""
        return sum(self.seen.values())

    def more(self, count: int) -> None:
        """Return when so many more have been answered."""
        before = self.count()
        eventually(lambda: self.count() >= before + count, what=f"{count} more answers")

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Let them ask until the block ends."""
        with ThreadPoolExecutor(VISITORS) as pool:
            asking = [pool.submit(self.ask, keeps=number % 2 == 0) for number in range(VISITORS)]
            try:
                yield
            finally:
                self._done.set()
        for one in asking:
            one.result()


def test_under_load_two_upgrades_lose_nothing(wakegate: Start) -> None:
    """The one thing that an upgrade is for; the app is the same process from the first request to the last."""
    gateway = wakegate(PLAIN)
    app = gateway.get().json()["pid"]
    visitors = Visitors(gateway)
    with visitors.asking():
        for _ in range(2):
            visitors.more(100)
            old = gateway.upgrade()
            visitors.more(100)
            eventually(partial(gone, old), what="the old program has left")
    assert dict(visitors.seen) == {f"200 {app}": visitors.count()}
    assert visitors.count() >= 400
    assert gateway.starts() == 1
    assert gateway.status()["pids"] == [app]
    assert "bug" not in gateway.kinds()
    gateway.stop()
    eventually(lambda: not alive(app), what="the last program ends the app")


def test_those_who_wait_for_a_wake_get_their_answer_first(wakegate: Start) -> None:
    """A wake cannot be handed over half-way; who comes meanwhile is served by the old program, too."""
    gateway = wakegate(WAITING)
    held = gateway.together(3)
    gateway.until(held=3)
    gateway.process.send_signal(signal.SIGUSR2)
    gateway.wait_for("upgrading")
    held += gateway.together(1)
    gateway.until(held=4)
    assert gateway.told("upgraded") == []
    gateway.let("listen")
    assert [answer.result().status_code for answer in held] == [200] * 4
    gateway.follow()
    assert gateway.get().status_code == 200
    assert gateway.starts() == 1


def test_what_is_in_flight_is_finished_by_the_old_program_and_keeps_the_app_awake(wakegate: Start) -> None:
    """The new one knows nothing of that request, but that there is one: it must not stop the app under it."""
    gateway = wakegate(PLAIN + SHORT)
    (slow,) = gateway.together(1, "/wait")
    gateway.until(in_flight=1)
    old = gateway.upgrade()
    assert gateway.get().status_code == 200
    gateway.until(in_flight=1, phase="awake")
    assert alive(old)
    gateway.let("answer")
    assert slow.result().status_code == 200
    eventually(lambda: not alive(old), what="the old program has left")
    gateway.until(phase="asleep")
    assert "1 request held, 1 served, 0 lost" in gateway.cli("explain", "web").stdout
    assert "1 request since it was taken over · 0 lost" in gateway.told("asleep")[-1]["text"]


def test_an_idle_connection_goes_on_with_the_new_program(wakegate: Start) -> None:
    """A browser keeps its connections for minutes, and may speak on them at any moment."""
    gateway = wakegate(PLAIN)
    with gateway.connect() as client:
        for _ in range(3):
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert status_of(client) == 200
            old = gateway.upgrade()
            eventually(partial(gone, old), what="the old program has left")


def test_a_program_that_cannot_start_changes_nothing(wakegate: Start) -> None:
    """A typo in the file, a broken release: the old program goes on, and can be upgraded when it is mended."""
    gateway = wakegate(PLAIN)
    app = gateway.get().json()["pid"]
    gateway.config_file.write_text("[service.web]\n", encoding="utf-8")
    gateway.process.send_signal(signal.SIGUSR2)
    assert "no upgrade, this one goes on: the new program ended with status 2" in gateway.wait_for("warning")["text"]
    gateway.configure(f'[gateway]\nstate_dir = "elsewhere"\n{PLAIN}')
    gateway.process.send_signal(signal.SIGUSR2)
    warning = gateway.wait_for("warning")["text"]
    assert "state_dir is" in warning
    assert "that needs a restart" in warning
    assert gateway.get().json()["pid"] == app
    gateway.configure(PLAIN)
    gateway.upgrade()
    assert gateway.get().json()["pid"] == app


def test_a_unix_socket_and_its_file_go_over(tmp_path: Path) -> None:
    """The old program must not take the file away when it ends, and the new one must when it does."""
    gateway = Wakegate(tmp_path, "wakegate.toml", "--listen", "unix:w.sock")
    gateway.configure(PLAIN)
    gateway.spawn()
    try:
        gateway.wait_for("started")
        old = gateway.upgrade()
        eventually(lambda: not alive(old), what="the old program has left")
        transport = httpx.HTTPTransport(uds=str(tmp_path / "w.sock"))
        with httpx.Client(transport=transport, timeout=PATIENCE_S) as client:
            assert client.get("http://a/").status_code == 200
        assert gateway.status()["phase"] == "awake"
    finally:
        gateway.end()
    assert not (tmp_path / "w.sock").exists()


def test_https_goes_on_with_the_new_program(wakegate: Start, tmp_path: Path) -> None:
    """Idle TLS connections end; new ones are made by whoever serves."""
    pair = make_pair(tmp_path)
    gateway = wakegate(f'[gateway]\ntls_certificate = "{pair.certificate}"\ntls_key = "{pair.key}"\n{PLAIN}')
    app = gateway.get().json()["pid"]
    gateway.upgrade()
    assert gateway.get().json()["pid"] == app


@pytest.mark.parametrize("door", ["TLS", "PROXY"])
def test_nobody_is_cut_at_the_door(wakegate: Start, tmp_path: Path, door: str) -> None:
    """A handshake cannot be handed over half-way: the old program leaves when nobody is at one."""
    pair = make_pair(tmp_path)
    config = {
        "TLS": f'tls_certificate = "{pair.certificate}"\ntls_key = "{pair.key}"\n',
        "PROXY": 'proxy_protocol = true\ntrusted_proxies = ["127.0.0.1"]\n',
    }
    gateway = wakegate(f"[gateway]\n{config[door]}{PLAIN}")
    seen: Counter[str] = Counter()
    is_over = threading.Event()

    def come() -> None:
        while not is_over.is_set():
            try:
                seen[arrive(gateway, door)] += 1
            except (httpx.TransportError, OSError) as error:
                seen[repr(error)] += 1

    with ThreadPoolExecutor(3) as pool:
        coming = [pool.submit(come) for _ in range(3)]
        try:
            for _ in range(2):
                gateway.upgrade()
                eventually(partial(has_seen, seen, seen.total() + 20), what="more have come")
        finally:
            is_over.set()
    for one in coming:
        one.result()
    assert dict(seen) == {"200": seen.total()}


def has_seen(seen: Counter[str], count: int) -> bool:
    """Say whether so many have been answered."""
    return seen.total() >= count


def arrive(gateway: Wakegate, door: str) -> str:
    """Ask on a new connection; return the status."""
    if door == "TLS":
        return str(gateway.get().status_code)
    request = b"PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    return gateway.exchange(request)[9:12].decode()


def gone(pid: int) -> bool:
    """Say whether a process has ended."""
    return not alive(pid)


def status_of(client: socket.socket) -> int:
    """Read one whole answer, in however many pieces it comes; return its status."""
    client.settimeout(PATIENCE_S)
    with HTTPResponse(client) as answer:
        answer.begin()
        assert "pid" in json.loads(answer.read())
        return answer.status

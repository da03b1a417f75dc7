"""Several processes that let requests in: one wake, one sleep, and answers as from one process."""

import json
import os
import signal

import pytest
from tests.scenarios.conftest import PLAIN, SHORT_SLEEP, WAITING, Start
from tests.scenarios.gateway import alive, eventually
from tests.scenarios.workers import LONG_DRAIN, TWO, of_each, who, workers


def test_first_requests_of_all_workers_make_one_wake(wakegate: Start) -> None:
    """Two processes that both see a sleeping service must not start it twice."""
    gateway = wakegate(TWO + WAITING)
    answers = gateway.together(40)
    gateway.until(held=40)
    gateway.let("listen")
    assert {answer.result().status_code for answer in answers} == {200}
    assert len({who(answer.result()) for answer in answers}) == 2
    assert gateway.starts() == 1
    assert "40 requests held, 40 served, 0 lost" in gateway.cli("explain", "web").stdout


def test_a_service_sleeps_when_all_its_workers_are_idle(wakegate: Start) -> None:
    """And wakes again for either of them."""
    gateway = wakegate(TWO + PLAIN + SHORT_SLEEP)
    of_each(gateway)
    gateway.wait_for("asleep")
    assert gateway.get().status_code == 200
    assert gateway.starts() == 2


def test_a_request_that_takes_long_in_one_worker_keeps_the_service_awake(wakegate: Start) -> None:
    """The keeper sees what is in flight although nobody has told it; another service shows that it is time to sleep."""
    other = PLAIN.replace("web", "other") + "path = '/other'\n" + SHORT_SLEEP.replace("web", "other")
    gateway = wakegate(TWO + PLAIN + SHORT_SLEEP + other)
    gateway.get()
    long = gateway.together(1, "/wait")
    gateway.until(in_flight=1)
    for _ in range(2):
        gateway.get("/other")
        gateway.wait_for("asleep", service="other")
    assert gateway.status()["phase"] == "awake"
    gateway.let("answer")
    assert long[0].result().status_code == 200
    gateway.wait_for("asleep", service="web")
    assert gateway.starts() == 3


def test_a_session_and_its_data_are_the_same_at_every_worker(wakegate: Start) -> None:
    """A browser opens several connections: what one stores, the next reads, whichever worker has it."""
    gateway = wakegate(TWO + PLAIN)
    cookie = {"Cookie": gateway.get().headers["Set-Cookie"].partition(";")[0]}
    for number in range(20):
        data = f"basket-{number}"
        gateway.get(f"/data?set={data}", headers=cookie)
        for answer in of_each(gateway, "/data", headers=cookie).values():
            assert answer.json()["data"] == data

    def counted() -> bool:
        (session,) = json.loads(gateway.cli("sessions", "web", "--json").stdout)
        return bool(session["requests"] >= 41)

    eventually(counted, what="the requests of both workers are counted")


def test_a_reload_reaches_every_worker(wakegate: Start) -> None:
    """New hosts are known, old ones are not, and nothing is dropped on the way."""
    gateway = wakegate(TWO + PLAIN + 'hosts = ["old.localhost"]\n')
    assert gateway.get_by_host("old.localhost").status_code == 200
    gateway.reload(TWO + PLAIN + 'hosts = ["new.localhost"]\n')
    for _ in range(2):
        for host, status in (("new.localhost", 200), ("old.localhost", 404)):
            answers = of_each(gateway, headers={"Host": host})
            assert {answer.status_code for answer in answers.values()} == {status}
    assert gateway.starts() == 1


def test_a_service_that_is_removed_finishes_what_its_workers_have(wakegate: Start) -> None:
    """Its app ends only after every worker has said that nothing more can come."""
    gateway = wakegate(LONG_DRAIN + PLAIN)
    gateway.get()
    (pid,) = gateway.started_pids()
    long = gateway.together(4, "/wait")
    gateway.until(in_flight=4)
    gateway.reload(LONG_DRAIN + PLAIN.replace("web", "other"))
    gateway.let("answer")
    assert [answer.result().status_code for answer in long] == [200] * 4
    eventually(lambda: not alive(pid), what="the app of the removed service has ended")


def test_sigterm_lets_every_worker_finish(wakegate: Start) -> None:
    """Nothing that is in flight is cut, and nothing is left behind."""
    gateway = wakegate(LONG_DRAIN + PLAIN)
    gateway.get()
    long = gateway.together(8, "/wait")
    gateway.until(in_flight=8)
    gateway.process.send_signal(signal.SIGTERM)
    told = gateway.wait_for("closing")
    assert told["text"] == "stopping · 8 in flight"
    gateway.let("answer")
    assert [answer.result().status_code for answer in long] == [200] * 8
    assert gateway.stop() == 0
    assert workers(gateway) == []
    assert not any(map(alive, gateway.started_pids()))


def test_an_operator_cannot_put_a_service_to_sleep_under_a_request_of_a_worker(wakegate: Start) -> None:
    """The workers are asked what they have in flight before the answer is given."""
    gateway = wakegate(TWO + PLAIN)
    gateway.get()
    long = gateway.together(1, "/wait")
    gateway.until(in_flight=1)
    refused = gateway.cli("sleep", "web", check=False)
    assert "1 request is in flight" in refused.stderr
    gateway.let("answer")
    assert long[0].result().status_code == 200
    gateway.until(in_flight=0)
    gateway.cli("sleep", "web")
    assert gateway.status()["phase"] == "asleep"


def test_ignored_requests_neither_wake_nor_keep_awake_at_a_worker(wakegate: Start) -> None:
    """And an answer that had to be asked for tells of no cold start."""
    ignores = '[service.web.ignore]\npaths = ["/healthz"]\n'
    gateway = wakegate(TWO + PLAIN + ignores + SHORT_SLEEP)
    assert gateway.get("/healthz").status_code == 503
    assert gateway.starts() == 0
    gateway.get()
    asked = gateway.get("/healthz")
    assert (asked.status_code, "Server-Timing" in asked.headers) == (200, False)
    eventually(lambda: gateway.get("/healthz").status_code == 503, what="it sleeps though it is asked all the time")


@pytest.mark.parametrize("workers_line", ['workers = "auto"', "workers = 3"])
def test_there_are_as_many_workers_as_asked_for(wakegate: Start, workers_line: str) -> None:
    """One a core that the gateway may use, or so many; one core needs none."""
    gateway = wakegate(f"[gateway]\n{workers_line}\n{PLAIN}")
    cores = len(os.sched_getaffinity(gateway.process.pid))
    wanted = 3 if "3" in workers_line else cores
    assert len(workers(gateway)) == (wanted if wanted > 1 else 0)

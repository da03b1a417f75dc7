"""Waking, as a client sees it (acceptance list A)."""

import time
from concurrent.futures import ThreadPoolExecutor

from tests.scenarios.conftest import PLAIN, SHORT_SLEEP, WAITING, Start, with_env
from tests.scenarios.gateway import alive, eventually


def test_a_request_to_a_sleeping_service_is_answered_by_the_app(wakegate: Start) -> None:
    """A1 (KEDA TestColdStart): zero replicas, one GET, 200."""
    gateway = wakegate(PLAIN)
    assert gateway.starts() == 0
    assert gateway.get("/hello?a=%2Fb").json()["path"] == "/hello?a=%2Fb"
    assert gateway.starts() == 1


def test_the_service_goes_back_to_zero_and_stays_there(wakegate: Start) -> None:
    """A3 (KEDA TestScaling): no bounce after the sleep."""
    gateway = wakegate(PLAIN + SHORT_SLEEP)
    pid = gateway.get().json()["pid"]
    gateway.wait_for("asleep")
    eventually(lambda: not alive(pid), what="the process is gone")
    time.sleep(1.5)  # the claim is about the absence of a start
    assert gateway.status()["phase"] == "asleep"
    assert gateway.starts() == 1


def test_a_hundred_first_requests_start_one_process(wakegate: Start) -> None:
    """A5: single flight, whatever the number of clients."""
    gateway = wakegate(WAITING)
    answers = gateway.together(100)
    gateway.until(held=100)
    gateway.let("listen")
    assert [answer.result().status_code for answer in answers] == [200] * 100
    assert gateway.starts() == 1
    assert "100 requests were held" in gateway.told("ready")[0]["text"]


def test_the_first_answer_is_not_truncated(wakegate: Start) -> None:
    """A7 (KubeElasti #163): a large first answer comes whole."""
    assert len(wakegate(PLAIN).get("/bytes?n=3000000").content) == 3_000_000


def test_twenty_five_services_wake_together(wakegate: Start) -> None:
    """A8 (Knative scale-from-zero): one start each, and none waits for another."""
    names = [f"s{number}.localhost" for number in range(25)]
    gateway = wakegate("".join(f'[service.{name[:-10]}]\ncommand = {{app}}\nhosts = ["{name}"]\n' for name in names))
    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(gateway.get_by_host, names))
    assert [answer.status_code for answer in answers] == [200] * 25
    assert len({answer.json()["pid"] for answer in answers}) == 25
    assert gateway.starts() == 25


def test_a_request_while_the_last_replica_stops_is_served(wakegate: Start) -> None:
    """A9 (Fly's interruptible suspend): a stop that takes its time holds nobody up."""
    gateway = wakegate(with_env(END_ON="end") + '[service.web.sleep]\nstop_grace = "10m"\n')
    first = gateway.get().json()["pid"]
    gateway.cli("sleep", "web")
    assert gateway.get().json()["pid"] != first
    assert alive(first)
    gateway.let("end")
    eventually(lambda: not alive(first), what="the first replica ends when it can")
    assert gateway.status()["phase"] == "awake"


def test_a_request_during_the_drain_cancels_the_sleep(wakegate: Start) -> None:
    """No cold start for who comes a moment late."""
    gateway = wakegate(PLAIN + '[service.web.sleep]\nidle_timeout = "300ms"\ngrace = "10m"\n')
    first = gateway.get().json()["pid"]
    gateway.wait_for("draining")
    assert gateway.get().json()["pid"] == first
    gateway.wait_for("awake")
    assert gateway.starts() == 1


def test_the_first_client_hanging_up_cancels_nothing(wakegate: Start) -> None:
    """A10 (GoDoxy): the wake belongs to the service, and the seat of who left is free."""
    gateway = wakegate(WAITING)
    with gateway.connect() as first:
        first.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        gateway.until(held=1)
        others = gateway.together(5)
        gateway.until(held=6)
    gateway.until(held=5)
    gateway.let("listen")
    assert [other.result().status_code for other in others] == [200] * 5
    assert gateway.starts() == 1


def test_a_wake_that_everybody_left_goes_on(wakegate: Start) -> None:
    """A10: who comes back a little later finds it awake, by the same one start."""
    gateway = wakegate(WAITING)
    with gateway.connect() as only:
        only.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        gateway.until(held=1)
    gateway.until(held=0)
    gateway.let("listen")
    gateway.wait_for("ready")
    assert gateway.get().status_code == 200
    assert gateway.starts() == 1


def test_a_slow_network_before_the_app_does_not_hang_the_wake(wakegate: Start) -> None:
    """A11 (Knative #14202): every connection is silent for 300 ms, the probe's as well as the first request's."""
    gateway = wakegate(
        with_env(ACCEPT_DELAY_S="0.3") + '[service.web.wake]\nprobe = "/ready?for=ready"\nprobe_timeout = "5s"\n'
    )
    gateway.let("ready")
    assert gateway.get().status_code == 200
    assert gateway.starts() == 1

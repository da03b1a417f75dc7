"""When a replica is ready, and who is told (acceptance list B1-B4, B8, B9, C1)."""

import json
import socket
import sys
import time

from tests.scenarios.conftest import PLAIN, WAITING, Start
from tests.scenarios.gateway import APP, alive, eventually


def test_a_closed_port_is_not_ready(wakegate: Start) -> None:
    """B1: the process runs, and nobody is sent to it."""
    gateway = wakegate(WAITING)
    (answer,) = gateway.together(1)
    eventually(lambda: gateway.starts() == 1, what="the process runs")
    status = gateway.until(held=1)
    assert (status["phase"], status["replicas_ready"]) == ("waking", 0)
    gateway.let("listen")
    assert answer.result().status_code == 200


def test_a_probe_with_path_and_query_decides(wakegate: Start) -> None:
    """B2, B3: an open port whose probe is answered 503 gets no request, not even one."""
    gateway = wakegate(PLAIN + '[service.web.wake]\nprobe = "/ready?deep=1&for=ready"\n')
    (answer,) = gateway.together(1, "/first")
    asked = "GET /ready?deep=1&for=ready"
    eventually(lambda: asked in gateway.cli("logs", "web").stdout, what="it is probed")
    assert gateway.status()["phase"] == "waking"
    assert "GET /first" not in gateway.cli("logs", "web").stdout
    gateway.let("ready")
    assert answer.result().status_code == 200


def test_an_app_that_chooses_its_port_is_found_there(wakegate: Start) -> None:
    """B3: `port` for an app that cannot be told one."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = json.dumps([sys.executable, str(APP), str(port)])
    gateway = wakegate(f"[service.web]\ncommand = {command}\nport = {port}\n")
    first = gateway.get()
    gateway.cli("sleep", "web")
    second = gateway.get()
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["pid"] != second.json()["pid"]


def test_a_settling_time_passes_after_ready(wakegate: Start) -> None:
    """B4 (Sablier's ready-after): the first request comes after it."""
    gateway = wakegate(PLAIN + '[service.web.wake]\nsettle = "700ms"\n')
    began_s = time.monotonic()
    assert gateway.get().status_code == 200
    assert time.monotonic() - began_s >= 0.7


def test_a_wake_that_takes_too_long_is_stopped(wakegate: Start) -> None:
    """B8, C1: 504 for who waits, and the half-started process does not stay behind."""
    gateway = wakegate(WAITING + '[service.web.wake]\ntimeout = "1s"\n')
    answer = gateway.get()
    assert answer.status_code == 504
    assert answer.json()["type"] == "urn:wakegate:problem:wake-timeout"
    eventually(lambda: not [pid for pid in gateway.started_pids() if alive(pid)], what="the process is gone")


def test_a_wake_that_takes_its_time_within_the_timeout_is_good(wakegate: Start) -> None:
    """C1 (KEDA TestReadinessTimeout): the other half of the table."""
    gateway = wakegate(WAITING + '[service.web.wake]\ntimeout = "60s"\n')
    (answer,) = gateway.together(1)
    gateway.until(held=1)
    time.sleep(1)  # the claim is about a wait as long as the timeout of the other half
    gateway.let("listen")
    assert answer.result().status_code == 200


def test_a_wake_that_was_called_off_releases_nobody(wakegate: Start) -> None:
    """B9 (GoDoxy WaitForReady): its replica comes too late for those it was for, and for those who came after."""
    gateway = wakegate(WAITING)
    early = gateway.together(3)
    gateway.until(held=3)
    gateway.cli("sleep", "web", "--force")
    assert [answer.result().status_code for answer in early] == [503] * 3
    late = gateway.together(3)
    gateway.until(held=3)
    gateway.let("listen")
    assert [answer.result().status_code for answer in late] == [200] * 3
    assert {answer.result().json()["pid"] for answer in late} == {gateway.started_pids()[1]}
    assert len(gateway.told("ready")) == 1

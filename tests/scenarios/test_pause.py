"""A service that pauses: real processes, real signals, and every way in which a visitor may come back to it."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.scenarios.conftest import PLAIN, Start
from tests.scenarios.gateway import Wakegate, alive, eventually

SLEEP = '[service.web.sleep]\nidle_timeout = "200ms"\ngrace = "50ms"\nmode = "pause"\n'
PAUSES = PLAIN + SLEEP


def paused(gateway: Wakegate) -> int:
    """Visit, and return the process that is frozen when nobody comes any more."""
    pid = int(gateway.get().json()["pid"])
    gateway.wait_for("paused")
    eventually(lambda: is_stopped(pid), what="it stands still")
    return pid


def is_stopped(pid: int) -> bool:
    """Say whether a process is stopped by a signal."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"


def newest_wake(gateway: Wakegate) -> dict[str, Any]:
    """Return the newest line of the ledger."""
    wakes = json.loads(gateway.cli("explain", "web", "--wakes", "--json").stdout)
    assert isinstance(wakes[0], dict)
    return wakes[0]


def test_the_same_process_answers_again(wakegate: Start) -> None:
    """No start, and what it had in memory is there."""
    gateway = wakegate(PAUSES)
    pid = paused(gateway)
    status = gateway.status()
    assert (status["phase"], status["replicas_paused"], status["replicas_ready"]) == ("asleep", 1, 0)
    assert status["next"].startswith("paused, keeps ")
    assert status["memory_bytes"] > 1_000_000
    assert [answer.result().json()["pid"] for answer in gateway.together(20)] == [pid] * 20
    assert (newest_wake(gateway)["outcome"], newest_wake(gateway)["lost"], gateway.starts()) == ("resumed", 0, 1)


def test_no_connection_to_the_app_outlives_the_pause(wakegate: Start) -> None:
    """An app whose keep-alive ran out while it was frozen would close it under the first request."""
    gateway = wakegate(PAUSES)
    pid = paused(gateway)
    states = {one.status for one in psutil.Process(pid).net_connections("tcp")}
    assert psutil.CONN_ESTABLISHED not in states
    assert gateway.get("/bytes?n=10").text == "x" * 10


def test_one_that_was_killed_while_it_was_paused_is_replaced(wakegate: Start) -> None:
    """The kernel takes what nobody uses when memory runs out; the visitor only waits for a start."""
    gateway = wakegate(PAUSES)
    pid = paused(gateway)
    os.kill(pid, signal.SIGKILL)
    assert "while it was paused" in gateway.wait_for("exited")["text"]
    answer = gateway.get()
    assert (answer.status_code, gateway.starts()) == (200, 2)


@pytest.mark.parametrize("verb", ["stop", "cli", "reload"])
def test_a_paused_app_ends_in_its_own_way(wakegate: Start, verb: str) -> None:
    """When the gateway goes down, when somebody asks for it, and when the file says so: nobody is left frozen."""
    gateway = wakegate(PAUSES)
    pid = paused(gateway)
    if verb == "stop":
        assert gateway.stop() == 0
    elif verb == "cli":
        gateway.cli("sleep", "web", "--stop")
    else:
        gateway.reload(PLAIN + SLEEP.replace("pause", "stop"))
    eventually(lambda: not alive(pid), what="it has ended")
    assert gateway.told("bug") == []


def test_after_the_second_window_it_is_stopped(wakegate: Start) -> None:
    """And the next visitor starts it, as ever."""
    gateway = wakegate(PAUSES + 'then_stop_after = "300ms"\n')
    gateway.get()
    eventually(lambda: any("paused for" in one["text"] for one in gateway.told("asleep")), what="it is stopped")
    eventually(lambda: gateway.status()["pids"] == [], what="it has ended")
    assert (gateway.get().status_code, gateway.starts()) == (200, 2)


def test_a_gateway_that_was_killed_finds_it_paused(wakegate: Start) -> None:
    """kill -9 of the gateway costs nobody a start: the next one resumes what the last one froze."""
    gateway = wakegate(PAUSES)
    pid = paused(gateway)
    gateway.kill()
    assert is_stopped(pid)
    gateway.start()
    status = gateway.status()
    assert (status["phase"], status["replicas_paused"], status["pids"]) == ("asleep", 1, [pid])
    gateway.wait_for("paused")
    assert gateway.status()["next"].startswith("paused, keeps ")
    assert gateway.get().json()["pid"] == pid
    assert gateway.starts() == 1


def test_it_can_be_paused_again_and_again(wakegate: Start) -> None:
    """Each time by the same way, with nothing left over."""
    gateway = wakegate(PAUSES)
    pids = {paused(gateway) for _ in range(5)}
    assert (len(pids), gateway.starts()) == (1, 1)
    assert gateway.told("bug") == []

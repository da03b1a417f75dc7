"""What keeps a service awake, and what does not (acceptance list E1-E5)."""

import json
import sys
import time
from pathlib import Path

import anyio
import httpx
import pytest
from tests.scenarios.conftest import PLAIN, SHORT_SLEEP, Start
from tests.scenarios.gateway import Wakegate, eventually
from websockets.asyncio.client import connect

ECHO = json.dumps([sys.executable, str(Path(__file__).parent / "echo.py"), "{port}"])
LONGER_THAN_IDLE_S = 2.0  # than the idle timeout and the grace of SHORT_SLEEP


def stays_awake(gateway: Wakegate) -> bool:
    """Say whether no sleep begins for longer than the idle timeout."""
    time.sleep(LONGER_THAN_IDLE_S)  # the claim is about what does not happen in this time
    return not gateway.told("draining")


def test_an_answer_on_its_way_is_activity(wakegate: Start) -> None:
    """E1 (Sablier #576, #391): a stream, silent or not, that is longer than the idle timeout is not cut."""
    gateway = wakegate(PLAIN + SHORT_SLEEP)
    with gateway.client.stream("GET", "/stream?n=12&s=0.05&for=answer") as answer:
        lines = (line for line in answer.iter_lines() if line)
        assert next(lines) == "data: 0"
        assert stays_awake(gateway)
        gateway.let("answer")
        assert len(list(lines)) == 11
    gateway.wait_for("asleep")


def test_a_download_that_is_read_slowly_is_activity(wakegate: Start) -> None:
    """E1: what a slow reader has not taken yet is not over for the gateway either."""
    gateway = wakegate(PLAIN + SHORT_SLEEP)
    with gateway.client.stream("GET", "/bytes?n=30000000") as answer:
        pieces = answer.iter_raw()
        received = len(next(pieces))
        assert stays_awake(gateway)
        assert received + sum(len(piece) for piece in pieces) == 30_000_000
    gateway.wait_for("asleep")


def test_a_request_that_the_app_works_on_is_activity(wakegate: Start) -> None:
    """E1: an answer that takes longer than the idle timeout to begin."""
    gateway = wakegate(PLAIN + SHORT_SLEEP)
    (answer,) = gateway.together(1, "/wait")
    gateway.until(in_flight=1)
    assert stays_awake(gateway)
    gateway.let("answer")
    assert answer.result().status_code == 200


@pytest.mark.anyio
async def test_an_open_websocket_keeps_the_service_awake(wakegate: Start) -> None:
    """E1, E3 (Sablier #21): longer than the idle timeout, and silent; when it is closed, the idle time begins."""
    gateway = await anyio.to_thread.run_sync(wakegate, f"[service.web]\ncommand = {ECHO}\n{SHORT_SLEEP}")
    async with connect(gateway.url.replace("http", "ws")) as socket:
        await socket.send("before")
        assert await socket.recv() == "before"
        assert await anyio.to_thread.run_sync(stays_awake, gateway)
        await socket.send("after")
        assert await socket.recv() == "after"
    await anyio.to_thread.run_sync(gateway.wait_for, "asleep")


def test_an_active_user_is_not_stopped_by_uptime(wakegate: Start) -> None:
    """E2 (an uptime bug of a peer): many idle timeouts pass while requests keep coming."""
    gateway = wakegate(PLAIN + '[service.web.sleep]\nidle_timeout = "2s"\ngrace = "100ms"\n')
    pids = {gateway.get("/slow?s=0.5").json()["pid"] for _ in range(10)}
    assert len(pids) == 1
    assert not gateway.told("draining")


def test_a_keep_holds_off_the_sleep_until_it_is_ended(wakegate: Start) -> None:
    """`wakegate keep`: a person's word counts."""
    gateway = wakegate(PLAIN + SHORT_SLEEP)
    gateway.cli("keep", "web", "1h", "--reason", "demo at noon")
    gateway.get()
    said = gateway.cli("explain", "web").stdout
    assert "kept awake" in said
    assert "demo at noon" in said
    assert stays_awake(gateway)
    gateway.cli("keep", "web", "off")
    gateway.wait_for("asleep")


def test_the_app_can_keep_itself_awake(wakegate: Start) -> None:
    """E4 (Fly, Cloud Run kill background work after a 202): a response header says for how long."""
    gateway = wakegate(PLAIN + SHORT_SLEEP)
    assert "wakegate-keep-awake" not in gateway.get("/keep?s=3600").headers
    assert "the app asked for it" in gateway.cli("explain", "web").stdout
    assert stays_awake(gateway)
    gateway.get("/keep?s=0")
    gateway.wait_for("asleep")


def test_a_busy_processor_keeps_the_service_awake(wakegate: Start) -> None:
    """E4 (ContainerNursery): work after the answer counts where it is asked for."""
    gateway = wakegate(PLAIN + SHORT_SLEEP + 'unless_cpu_above = 5\n[service.web.scale]\nmax = 1\ninterval = "1s"\n')
    gateway.get()
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(gateway.url + "/burn?s=6", timeout=0.3, verify=False)
    eventually(lambda: "busy: " in gateway.cli("explain", "web").stdout, what="its work keeps it awake")
    gateway.wait_for("asleep")


def test_a_keep_outlives_the_gateway(wakegate: Start) -> None:
    """E6: who was promised an awake service has it after a restart, too."""
    gateway = wakegate(PLAIN + SHORT_SLEEP)
    gateway.cli("keep", "web", "1h")
    pid = gateway.get().json()["pid"]
    gateway.kill()
    gateway.start()
    assert stays_awake(gateway)
    assert gateway.get().json()["pid"] == pid

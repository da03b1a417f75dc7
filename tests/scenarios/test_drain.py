"""Replicas that leave, and a gateway that leaves (acceptance list G)."""

import json
import signal
import sys
from pathlib import Path

import anyio
import httpx
import pytest
from tests.scenarios.conftest import PLAIN, Start
from tests.scenarios.gateway import alive, eventually
from tests.scenarios.test_scale import FAST, load
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

ECHO = json.dumps([sys.executable, str(Path(__file__).parent / "echo.py"), "{port}"])
PATIENT = '[service.web.sleep]\ndrain_timeout = "10m"\n'
EVENLY = '[service.web.session]\ncookie = ""\n'  # without sessions, a request goes where least is in flight
THREE = PLAIN + EVENLY + PATIENT + FAST + "min = 3\nmax = 3\n"
ONE = PLAIN + EVENLY + PATIENT + FAST + "min = 1\nmax = 1\n"


def test_replicas_that_leave_finish_their_requests(wakegate: Start) -> None:
    """G1, G2 (Knative TestDestroyPodInflight, WithRequests): six in flight on three replicas, two of which leave."""
    gateway = wakegate(THREE)
    gateway.until(replicas_ready=3)
    answers = []
    for number in range(6):
        answers += gateway.together(1, "/wait")
        gateway.until(in_flight=number + 1)
    gateway.reload(ONE)
    gateway.wait_for("scaled-in")
    status = gateway.until(replicas_ready=1)
    assert len(status["pids"]) == 3
    gateway.let("answer")
    seen = [answer.result() for answer in answers]
    assert [answer.status_code for answer in seen] == [200] * 6
    assert len({answer.json()["pid"] for answer in seen}) == 3
    eventually(lambda: len(gateway.status()["pids"]) == 1, what="then they are gone")


def test_replicas_that_have_nothing_to_do_leave_at_once(wakegate: Start) -> None:
    """G3 (Knative TestDestroyPodTimely): ten minutes of drain timeout are for those who need them."""
    gateway = wakegate(THREE)
    gateway.until(replicas_ready=3)
    gateway.get()
    gateway.reload(ONE)
    eventually(lambda: len(gateway.status()["pids"]) == 1, what="two are gone")


def test_a_replica_that_leaves_is_cut_after_its_drain_timeout(wakegate: Start) -> None:
    """G1: the patience is a setting, and it ends."""
    gateway = wakegate(THREE.replace("10m", "500ms"))
    gateway.until(replicas_ready=3)
    answers = gateway.together(6, "/wait")
    gateway.until(in_flight=6)
    gateway.reload(ONE.replace("10m", "500ms"))
    gateway.until(in_flight=2)
    gateway.let("answer")
    assert sorted(answer.result().status_code for answer in answers) == [200, 200, 502, 502, 502, 502]


def test_no_request_meets_a_replica_that_leaves(wakegate: Start) -> None:
    """G5 (Knative #15211): under load, from three to one, not one 502."""
    gateway = wakegate(THREE)
    gateway.until(replicas_ready=3)
    with load(gateway, "/slow?s=0.01", clients=6) as statuses:
        gateway.reload(ONE)
        eventually(lambda: len(gateway.status()["pids"]) == 1, what="two are gone")
        eventually(lambda: len(statuses) > 100, what="requests have come all the time")
    assert set(statuses) == {200}


def test_requests_in_flight_survive_the_stop_of_the_gateway(wakegate: Start) -> None:
    """G4 (KEDA TestGracefulShutdown): they finish, new ones are refused, and the next gateway serves."""
    gateway = wakegate(PLAIN)
    answers = gateway.together(4, "/wait")
    gateway.until(in_flight=4)
    gateway.process.send_signal(signal.SIGTERM)
    gateway.wait_for("closing")
    with pytest.raises(httpx.TransportError):
        gateway.get()
    gateway.let("answer")
    assert [answer.result().status_code for answer in answers] == [200] * 4
    assert gateway.stop() == 0
    gateway.start()
    assert gateway.get().status_code == 200


def test_a_second_signal_waits_for_nobody(wakegate: Start) -> None:
    """G4: Ctrl-C twice is for people who mean it."""
    gateway = wakegate('[gateway]\ndrain_timeout = "10m"\n' + PLAIN)
    (answer,) = gateway.together(1, "/wait")
    gateway.until(in_flight=1)
    gateway.process.send_signal(signal.SIGTERM)
    gateway.wait_for("closing")
    assert gateway.stop() == 0
    assert answer.exception() is not None or answer.result().status_code == 503
    assert [pid for pid in gateway.started_pids() if alive(pid)] == []


@pytest.mark.anyio
async def test_a_tunnel_is_closed_when_the_drain_ends(wakegate: Start) -> None:
    """G6, H2 (kamal): an open WebSocket neither holds up the stop for ever nor is forgotten."""
    config = f'[gateway]\ndrain_timeout = "500ms"\n[service.web]\ncommand = {ECHO}\n'
    gateway = await anyio.to_thread.run_sync(wakegate, config)
    async with connect(gateway.url.replace("http", "ws")) as socket:
        await socket.send("before")
        assert await socket.recv() == "before"
        assert await anyio.to_thread.run_sync(gateway.stop) == 0
        with pytest.raises(ConnectionClosed):
            await socket.recv()


def test_stopping_the_gateway_stops_everything(wakegate: Start) -> None:
    """Ctrl-C leaves nothing behind, and exits 0; also a replica that is just starting."""
    slow = '[service.slow]\ncommand = {app}\nenv = { LISTEN_ON = "never" }\nhosts = ["slow.localhost"]\n'
    gateway = wakegate(PLAIN + slow)
    gateway.get()
    with gateway.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: slow.localhost\r\nConnection: close\r\n\r\n")
        eventually(lambda: gateway.starts() == 2, what="both run")
        assert gateway.stop() == 0
        assert client.recv(100).startswith(b"HTTP/1.1 503 ")
    assert [pid for pid in gateway.started_pids() if alive(pid)] == []

"""Clients and apps that take too much, or give nothing: each has its bound, and none takes the others down."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from tests.scenarios.conftest import PLAIN, Start
from tests.scenarios.gateway import Wakegate, alive, eventually

CROWD = 200
TWO = '[service.slow]\ncommand = {app}\nhosts = ["slow.localhost"]\n' + PLAIN
PAIR = '[service.web.scale]\nmin = 2\nmax = 2\n[service.web.forward]\nresponse_timeout = "1s"\nconnect_timeout = "1s"\n'


@contextmanager
def crowd(gateway: Wakegate, words: bytes) -> Iterator[list[socket.socket]]:
    """Connect many clients that say this, and no more until the block ends."""
    with ExitStack() as stack:
        clients = [stack.enter_context(gateway.connect()) for _ in range(CROWD)]
        for client in clients:
            client.sendall(words)
        yield clients


def rest(client: socket.socket) -> bytes:
    """Return what comes until the end."""
    pieces = []
    while piece := client.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)


def test_heads_that_never_end_are_told_so_and_others_served_meanwhile(wakegate: Start) -> None:
    """Slowloris: each holds a connection, and nothing else, until the head timeout."""
    gateway = wakegate('[gateway]\nhead_timeout = "2s"\n' + PLAIN)
    with crowd(gateway, b"GET / HTTP/1.1\r\nHost: web.localhost\r\nX-Slow: ") as clients:
        assert gateway.get().status_code == 200
        assert {rest(client).split(b" ")[1] for client in clients} == {b"408"}
    assert gateway.get().status_code == 200


def test_bodies_that_never_end_are_told_so_and_others_served_meanwhile(wakegate: Start) -> None:
    """R-U-Dead-Yet: the app waits for them as long as it is let to."""
    gateway = wakegate('[gateway]\nbody_timeout = "2s"\n' + PLAIN)
    words = b"POST /echo HTTP/1.1\r\nHost: web.localhost\r\nContent-Length: 1000000\r\n\r\nx"
    with crowd(gateway, words) as clients:
        assert gateway.get().status_code == 200
        assert {rest(client).split(b" ")[1] for client in clients} == {b"408"}
    gateway.until(in_flight=0)


def test_a_service_whose_app_hangs_does_not_hold_up_another(wakegate: Start) -> None:
    """Its requests wait for it; whoever asks for another service does not notice."""
    gateway = wakegate(TWO)
    assert gateway.get_by_host("slow.localhost").status_code == 200  # awake: nobody waits in line
    with crowd(gateway, b"GET /wait HTTP/1.1\r\nHost: slow.localhost\r\nConnection: close\r\n\r\n") as clients:
        eventually(lambda: gateway.status("slow")["in_flight"] == CROWD, what="all are with the app")
        assert [gateway.get().status_code for _ in range(10)] == [200] * 10
        gateway.let("answer")
        assert {rest(client).split(b" ")[1] for client in clients} == {b"200"}


def test_a_replica_that_hangs_is_timed_out_and_its_sibling_serves(wakegate: Start) -> None:
    """Whoever meets it is told after the limit; the others go to the one that answers."""
    gateway = wakegate(PLAIN + PAIR)
    gateway.until(replicas_ready=2)
    hung, well = gateway.started_pids()
    os.kill(hung, signal.SIGSTOP)
    try:
        answers = [one.result() for one in gateway.together(40)]
        assert {answer.status_code for answer in answers} <= {200, 504}
        assert {answer.json()["pid"] for answer in answers if answer.status_code == 200} == {well}
        gateway.until(in_flight=0)
    finally:
        os.kill(hung, signal.SIGCONT)
    assert gateway.get().status_code == 200


def test_a_replica_that_refuses_is_skipped(wakegate: Start) -> None:
    """Its end may be seen later than its port is closed: no request fails for that."""
    gateway = wakegate(PLAIN + PAIR)
    gateway.until(replicas_ready=2)
    gone, _ = gateway.started_pids()
    os.kill(gone, signal.SIGKILL)
    eventually(lambda: not alive(gone), what="its port is closed")
    assert {answer.result().status_code for answer in gateway.together(40)} == {200}
    gateway.until(replicas_ready=2)


@pytest.mark.parametrize("head", [b"X-Big: " + b"x" * 100_000, b"X: y\r\n" * 20_000], ids=["one line", "many lines"])
def test_a_huge_head_is_refused_without_waking(wakegate: Start, head: bytes) -> None:
    """It is answered as soon as it is over the limit, not when it has ended."""
    gateway = wakegate(PLAIN)
    with gateway.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: web.localhost\r\n" + head)
        assert rest(client).startswith(b"HTTP/1.1 431 ")
    assert gateway.starts() == 0


def test_one_client_too_many_is_told_when_to_come_back(wakegate: Start) -> None:
    """Those that are connected keep what they have, and a place that is given up is free at once."""
    gateway = wakegate("[gateway]\nconnections_max = 5\n" + PLAIN)
    with ExitStack() as stack:
        clients = [stack.enter_context(gateway.connect()) for _ in range(5)]
        for client in clients:  # each is in before the next one comes
            client.sendall(b"GET / HTTP/1.1\r\nHost: web.localhost\r\n\r\n")
            assert client.recv(65_536).startswith(b"HTTP/1.1 200 ")
        refused = gateway.get()
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert refused.json()["type"] == "urn:wakegate:problem:crowded"
        clients[0].close()
        eventually(lambda: gateway.get().status_code == 200, what="its place is free")
        clients[1].sendall(b"GET / HTTP/1.1\r\nHost: web.localhost\r\n\r\n")
        assert clients[1].recv(65_536)


def test_a_client_that_only_asks_is_cut(wakegate: Start) -> None:
    """It takes none of its answers: it is not read any further, and its connection ends after the send timeout."""
    gateway = wakegate('[gateway]\nsend_timeout = "1s"\n[service.web]\ncommand = {app}\nhosts = ["web.localhost"]\n')
    with gateway.connect() as client, pytest.raises(ConnectionError):
        ask_for_ever(client, b"GET / HTTP/1.1\r\nHost: nobody.localhost\r\n\r\n")


def ask_for_ever(client: socket.socket, request: bytes) -> None:
    """Send and send; the test's timeout is the end of it."""
    while True:
        client.sendall(request * 1000)

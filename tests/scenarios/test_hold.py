"""Waiting, as a client sees it (acceptance list C4, C5, C7)."""

import socket
from contextlib import suppress

import pytest
from tests.scenarios.conftest import PLAIN, WAITING, Start
from tests.scenarios.gateway import eventually

TWO = (
    '[service.web]\ncommand = {app}\nhosts = ["web.localhost"]\nenv = { LISTEN_ON = "listen" }\n'
    '[service.other]\ncommand = {app}\nhosts = ["other.localhost"]\n'
)


def test_a_full_hold_refuses_at_once_and_says_when_to_come_back(wakegate: Start) -> None:
    """C4 (KEDA #1732): bounded, with Retry-After; those who have a seat keep it."""
    gateway = wakegate(WAITING + "[service.web.hold]\ndepth_max = 3\n")
    held = gateway.together(3)
    gateway.until(held=3)
    refused = gateway.get()
    assert refused.status_code == 503
    assert refused.json()["type"] == "urn:wakegate:problem:hold-full"
    assert int(refused.headers["retry-after"]) >= 1
    gateway.let("listen")
    assert [one.result().status_code for one in held] == [200] * 3


def test_a_slow_wake_and_a_full_hold_do_not_touch_another_service(wakegate: Start) -> None:
    """C4, C5 (KubeElasti's shared breaker): services share nothing."""
    gateway = wakegate(TWO + "[service.web.hold]\ndepth_max = 1\n")
    with gateway.connect() as held:
        held.sendall(b"GET / HTTP/1.1\r\nHost: web.localhost\r\nConnection: close\r\n\r\n")
        gateway.until(held=1)
        assert gateway.get_by_host("web.localhost").status_code == 503
        assert gateway.get_by_host("other.localhost").status_code == 200
        gateway.let("listen")
        assert held.makefile("rb").read().startswith(b"HTTP/1.1 200 ")


def test_a_wait_that_is_too_long_ends_with_when_to_come_back(wakegate: Start) -> None:
    """The wake goes on; the client is told to come back instead of being cut by somebody in between."""
    gateway = wakegate(WAITING + '[service.web.hold]\ntimeout = "300ms"\n')
    answer = gateway.get()
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:wakegate:problem:still-waking"
    assert int(answer.headers["retry-after"]) >= 1
    assert gateway.status()["phase"] == "waking"
    gateway.let("listen")
    gateway.wait_for("ready")
    assert gateway.get().status_code == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 100_000,
    ],
    ids=["GET", "a body on its way"],
)
def test_a_client_that_hangs_up_frees_its_seat(wakegate: Start, request_bytes: bytes) -> None:
    """C7 (KubeElasti #230 keeps the slot): also where the gateway has stopped reading."""
    gateway = wakegate(WAITING + "[service.web.hold]\ndepth_max = 1\n")
    with gateway.connect() as client:
        client.settimeout(1)
        with suppress(TimeoutError):  # the gateway has stopped reading, as it should
            client.sendall(request_bytes)
        gateway.until(held=1)
    gateway.until(held=0)
    (next_one,) = gateway.together(1)
    gateway.until(held=1)
    gateway.let("listen")
    assert next_one.result().status_code == 200


def test_a_client_that_leaves_while_the_app_works_is_no_longer_in_flight(wakegate: Start) -> None:
    """C7: abandoned work must not keep a service awake."""
    gateway = wakegate(PLAIN)
    with gateway.connect() as client:
        client.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        gateway.until(in_flight=1)
        client.shutdown(socket.SHUT_RDWR)
    gateway.until(in_flight=0)


def test_the_released_herd_comes_through_few_connections(wakegate: Start) -> None:
    """A herd of held requests must not fell what it has just woken."""
    gateway = wakegate(WAITING + "[service.web.hold]\ntarget_connections_max = 4\n")
    herd = gateway.together(40, "/slow?s=0.05")
    gateway.until(held=40)
    gateway.let("listen")
    answers = [one.result() for one in herd]
    assert [answer.status_code for answer in answers] == [200] * 40
    assert max(answer.json()["in_flight_max"] for answer in answers) <= 4


def test_a_replica_never_has_more_in_flight_than_it_may(wakegate: Start) -> None:
    """F1 (Knative TestActivatorOverload): concurrency 1, a hundred at once, all 200."""
    gateway = wakegate(PLAIN + "[service.web.scale]\nmax = 1\nconcurrency_max = 1\n")
    answers = [one.result() for one in gateway.together(100, "/slow?s=0.01")]
    assert [answer.status_code for answer in answers] == [200] * 100
    assert {answer.json()["in_flight_max"] for answer in answers} == {1}


def test_interim_responses_keep_a_waiting_connection_alive(wakegate: Start) -> None:
    """A front that cuts silent connections sees that somebody is there."""
    gateway = wakegate(WAITING + '[service.web.hold]\ninterim_interval = "100ms"\n')
    with gateway.connect() as client, client.makefile("rb") as answer:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        for _ in range(2):
            assert answer.readline() == b"HTTP/1.1 102 Processing\r\n"
            assert answer.readline() == b"\r\n"
        gateway.let("listen")
        assert b"HTTP/1.1 200 OK\r\n" in answer.read()


def test_comment_lines_keep_a_waiting_event_stream_alive(wakegate: Start) -> None:
    """KEDA PR #1592 asks for it: a streaming client sees comments, then the app's own events."""
    gateway = wakegate(WAITING + '[service.web.hold]\ncomment_interval = "100ms"\n')
    with gateway.client.stream("GET", "/stream?n=3", headers={"Accept": "text/event-stream"}) as answer:
        lines = (line for line in answer.iter_lines() if line)
        assert next(lines).startswith(":")
        gateway.let("listen")
        assert [line for line in lines if not line.startswith(":")] == ["data: 0", "data: 1", "data: 2"]
    assert answer.status_code == 200


def test_a_service_with_no_seats_still_wakes(wakegate: Start) -> None:
    """`depth_max = 0` is for fronts that must never wait: each is told when to come back, and then it is there."""
    gateway = wakegate(PLAIN + "[service.web.hold]\ndepth_max = 0\n")
    refused = gateway.get()
    assert refused.json()["type"] == "urn:wakegate:problem:hold-full"
    eventually(lambda: gateway.get().status_code == 200, what="it has woken")

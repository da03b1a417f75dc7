"""Bodies of requests while the service wakes, and after (acceptance list A2, A6, H5, H6)."""

import hashlib
import os
from collections.abc import Iterator

import httpx
import pytest
from tests.scenarios.conftest import PLAIN, WAITING, Start
from tests.scenarios.gateway import PATIENCE_S, Wakegate, eventually


def sends(gateway: Wakegate, content: bytes | Iterator[bytes], *, method: str = "POST") -> str:
    """Return the digest of what the app has read."""
    answer = httpx.request(method, gateway.url + "/echo", content=content, timeout=PATIENCE_S, verify=False)
    assert answer.status_code == 200
    return str(answer.json()["sha256"])


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("size", [0, 1, 5_000_000])
def test_a_body_sent_to_a_sleeping_service_arrives_whole(wakegate: Start, size: int, method: str) -> None:
    """A2, A6 (KubeElasti's large and small bursts): the body waits with its request."""
    body = os.urandom(size)
    assert sends(wakegate(PLAIN), body, method=method) == hashlib.sha256(body).hexdigest()


def test_a_body_that_drips_through_the_wake_arrives_whole(wakegate: Start) -> None:
    """A6: half of the upload comes while nobody can take it, the rest after the app is ready."""
    gateway = wakegate(WAITING)
    pieces = [os.urandom(20_000) for _ in range(40)]  # together more than the gateway keeps of a body

    def drip() -> Iterator[bytes]:
        for number, piece in enumerate(pieces):
            if number == 2:
                gateway.until(held=1)
                gateway.let("listen")
                gateway.wait_for("ready")
            yield piece

    assert sends(gateway, drip()) == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_a_stream_without_a_length_that_fills_the_hold_arrives_whole(wakegate: Start) -> None:
    """A6: megabytes of chunks wait in the network, not in memory, and none is lost."""
    gateway = wakegate(WAITING)
    pieces = [os.urandom(100_000) for _ in range(50)]

    def pour() -> Iterator[bytes]:
        yield pieces[0]
        gateway.until(held=1)
        gateway.let("listen")
        yield from pieces[1:]

    assert sends(gateway, pour()) == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_many_bodies_wait_each_with_its_own_request(wakegate: Start) -> None:
    """A6: what is released to the app is not mixed up."""
    gateway = wakegate(WAITING)
    bodies = [os.urandom(30_000) for _ in range(20)]
    sockets = [gateway.connect() for _ in bodies]
    for client, body in zip(sockets, bodies, strict=True):
        client.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 30000\r\n\r\n" + body)
    gateway.until(held=20)
    gateway.let("listen")
    for client, body in zip(sockets, bodies, strict=True):
        with client, client.makefile("rb") as answer:
            assert hashlib.sha256(body).hexdigest().encode() in answer.read()


def test_the_app_may_answer_before_it_has_the_whole_body(wakegate: Start) -> None:
    """H6 (KEDA #1668): an early refusal reaches a client that is still sending, and harms nobody after it."""
    gateway = wakegate(PLAIN)
    answer = gateway.exchange(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 100_000)
    assert answer.startswith(b"HTTP/1.1 422 ")
    assert answer.endswith(b"\r\n\r\nenough")
    assert gateway.get().status_code == 200


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_over_the_limit_is_413(wakegate: Start, is_chunked: bool) -> None:
    """H5 (kamal): said by its length at once and without waking, else found while it comes."""
    gateway = wakegate(PLAIN + '[service.web.forward]\nbody_bytes_max = "64KiB"\n')
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    fixed = head + b"Content-Length: 70000\r\n\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n" + b"8000\r\n%b\r\n" % (b"x" * 0x8000) * 3
    answer = gateway.exchange(chunked if is_chunked else fixed)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"urn:wakegate:problem:body-too-large" in answer
    assert is_chunked or gateway.starts() == 0


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"Content-Length: 0\r\nContent-Length: 36\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_a_malformed_body_is_refused(wakegate: Start, head: bytes) -> None:
    """H5: what two parsers could read differently never becomes a request that nobody has sent."""
    gateway = wakegate(PLAIN)
    gateway.get()
    answer = gateway.exchange(b"POST /echo HTTP/1.1\r\nHost: x\r\n" + head + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert gateway.get("/after").status_code == 200
    eventually(lambda: "GET /after" in gateway.cli("logs", "web").stdout, what="the log is written")
    assert "smuggled" not in gateway.cli("logs", "web").stdout

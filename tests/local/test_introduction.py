"""Whose PROXY header is believed, read from real sockets."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
from tests.local.request.peer import GET, PATIENCE_S, eventually

from wakegate.core.errors import ProxyHeaderError
from wakegate.local.introduction import WARNING_INTERVAL_S, Introduction
from wakegate.sim.clock import HandClock

pytestmark = pytest.mark.anyio
LINE = b"PROXY TCP4 203.0.113.9 192.0.2.1 1 2\r\n"
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two ends of a Unix socket: ours, and the proxy's."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


class Told:
    """An introduction with a clock by hand, and what it has warned of."""

    def __init__(self, *trusted: str) -> None:
        self.clock = HandClock()
        self.warnings: list[str] = []
        self.introduction = Introduction(trusted=lambda: trusted, clock=self.clock, warn=self.warnings.append)

    async def client_of(self, connection: socket.socket) -> str:
        """Return who it is from."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.introduction.client_of(connection)


async def test_what_stands_behind_the_header_stays_in_the_socket(pair: Pair) -> None:
    """TLS begins there, and OpenSSL reads it itself."""
    ours, theirs = pair
    theirs.sendall(LINE + b"\x16\x03")
    assert await Told("unix").client_of(ours) == "203.0.113.9"
    assert ours.recv(100) == b"\x16\x03"


async def test_a_header_that_comes_byte_by_byte_is_read(pair: Pair) -> None:
    """Nothing says that a line is one packet; each byte is sent when the one before was taken."""
    ours, theirs = pair
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(Told("unix").client_of(ours))
        for byte in LINE:
            theirs.send(bytes([byte]))
            await asyncio.sleep(0)
    assert reading.result() == "203.0.113.9"


async def test_a_request_behind_the_second_half_of_a_header_stays_in_the_socket(pair: Pair) -> None:
    """Only what is the header's is taken, also where it came in two pieces."""
    ours, theirs = pair
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(Told("unix").client_of(ours))
        theirs.sendall(LINE[:10])
        await eventually(lambda: _is_empty(ours), "the first half is taken")
        theirs.sendall(LINE[10:] + GET)
    assert reading.result() == "203.0.113.9"
    assert ours.recv(100) == GET


def _is_empty(connection: socket.socket) -> bool:
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True


async def test_a_stranger_may_introduce_nobody(pair: Pair) -> None:
    """It could say that it is whoever it likes."""
    ours, theirs = pair
    theirs.sendall(LINE)
    told = Told("127.0.0.1/32")
    with pytest.raises(ProxyHeaderError):
        await told.client_of(ours)
    assert told.warnings == [
        "a connection from unix was closed: it is not among trusted_proxies (gateway.proxy_protocol is on)"
    ]


async def test_who_speaks_http_at_once_is_refused_and_told_once_a_minute(pair: Pair) -> None:
    """The commonest mistake is that the proxy was not told to send the header: at every request of every client."""
    ours, theirs = pair
    told = Told("unix")

    async def refused() -> None:
        theirs.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ProxyHeaderError):
            await told.client_of(ours)

    for _ in range(3):
        await refused()
    assert len(told.warnings) == 1
    assert "it does not begin with a PROXY header" in told.warnings[0]
    told.clock.move(WARNING_INTERVAL_S)
    await refused()
    assert told.warnings[1].endswith("; so were 2 others since the last warning")


async def test_one_that_ends_within_its_header_is_told(pair: Pair) -> None:
    """Something is wrong with that proxy."""
    ours, theirs = pair
    theirs.sendall(LINE[:9])
    theirs.close()
    told = Told("unix")
    with pytest.raises(ProxyHeaderError, match="it ended within its PROXY header"):
        await told.client_of(ours)
    assert told.warnings


async def test_a_port_that_is_only_tried_is_nothing_to_tell(pair: Pair) -> None:
    """Health checks of many proxies do that every second."""
    ours, theirs = pair
    theirs.close()
    told = Told("unix")
    with pytest.raises(ConnectionAbortedError):
        await told.client_of(ours)
    assert told.warnings == []

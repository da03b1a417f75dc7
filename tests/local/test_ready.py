"""Sockets of our own: waited for until something can be read or written, and let go of however the wait ends."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
from tests.local.request.peer import PATIENCE_S

from wakegate.local.ready import readable, writable

pytestmark = pytest.mark.anyio
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two ends of a connection, neither of which blocks."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


async def test_it_is_readable_when_something_has_come_and_at_the_end(pair: Pair) -> None:
    """And nothing is read."""
    ours, theirs = pair
    waiting = asyncio.create_task(readable(ours))
    await asyncio.sleep(0)
    assert not waiting.done()
    theirs.send(b"x")
    await asyncio.wait_for(waiting, PATIENCE_S)
    assert ours.recv(10) == b"x"
    theirs.close()
    await asyncio.wait_for(readable(ours), PATIENCE_S)


async def test_it_is_writable_when_the_other_side_has_read(pair: Pair) -> None:
    """Until then it is full."""
    ours, theirs = pair
    sent = ours.send(b"x" * 4_000_000)
    assert sent < 4_000_000
    waiting = asyncio.create_task(writable(ours))
    await asyncio.sleep(0)
    assert not waiting.done()
    while sent:
        sent -= len(theirs.recv(65_536))
    await asyncio.wait_for(waiting, PATIENCE_S)


async def test_a_wait_that_is_given_up_leaves_nothing_behind(pair: Pair) -> None:
    """What the loop still looks at is not closed by closing it: the other side would never see the end."""
    ours, theirs = pair
    waiting = asyncio.create_task(readable(ours))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    ours.close()
    assert theirs.recv(1) == b""

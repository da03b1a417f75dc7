"""A channel: what goes in at one end comes out at the other, until one of them is gone."""

import asyncio
import socket

import pytest
from tests.local.workers.world import Line, ask, eventually

from wakegate.local.workers.wire import Ask, Drain

pytestmark = pytest.mark.anyio


async def pair() -> tuple[Line, Line]:
    """Return both ends."""
    ends = Line(), Line()
    for end, sock in zip(ends, socket.socketpair(), strict=True):
        await asyncio.get_running_loop().create_unix_connection(lambda end=end: end.channel, sock=sock)  # type: ignore[misc]  # a default binds it
    return ends


async def test_messages_come_out_in_order_also_many_at_once() -> None:
    """An outlook must never overtake the one before it."""
    one, other = await pair()
    for number in range(2000):
        one.channel.send(ask(number))
    other.channel.send(Drain())
    await one.next(Drain)
    for number in range(2000):
        assert (await other.next(Ask)).number == number
    one.channel.close()
    await eventually(lambda: other.is_lost, "the other end hears of it")


async def test_whoever_is_left_is_told_and_may_still_speak() -> None:
    """A process that was killed says no goodbye."""
    one, other = await pair()
    one.channel.close()
    await eventually(lambda: other.is_lost, "it is told")
    other.channel.send(Drain())
    assert one.messages == []

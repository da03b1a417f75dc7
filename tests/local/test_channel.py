"""What two gateways say to each other: packets arrive whole, sockets work where they arrive, and the end is seen."""

import asyncio
import errno
import socket
from typing import Any

import pytest
from tests.local.request.peer import PATIENCE_S

from wakegate.local.channel import Channel

pytestmark = pytest.mark.anyio


def pair() -> tuple[Channel, Channel]:
    """Return both ends."""
    ours, theirs = Channel.pair()
    return ours, Channel(theirs)


async def test_packets_arrive_whole_and_in_order() -> None:
    """Also when more are sent than the kernel keeps: the sender waits for the reader."""
    ours, theirs = pair()
    numbers = range(2_000)

    async def send() -> None:
        for number in numbers:
            await ours.send("count", number=number, text="x" * 500)
        ours.close()

    got = []
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(send())
        while (packet := await theirs.receive()) is not None:
            got.append(packet.facts["number"])
    theirs.close()
    assert got == list(numbers)


async def test_a_socket_goes_over_and_stays_connected() -> None:
    """The sender closes its own, and the client notices nothing."""
    ours, theirs = pair()
    client, served = socket.socketpair()
    with client:
        with served:
            await ours.send("client", [served], told="203.0.113.9")
        packet = await theirs.receive()
        assert packet is not None
        (arrived,) = packet.sockets
        with arrived:
            arrived.sendall(b"hello")
        assert (packet.word, packet.facts, client.recv(9)) == ("client", {"told": "203.0.113.9"}, b"hello")
        assert client.recv(9) == b""
    ours.close()
    theirs.close()


async def test_the_end_of_one_is_seen_by_the_other() -> None:
    """However it ended: nobody says goodbye after a kill -9."""
    ours, theirs = pair()
    theirs.close()
    assert await ours.receive() is None
    with pytest.raises(OSError, match="Broken pipe"):
        await ours.send("serving")
    ours.close()


async def test_the_end_of_one_that_has_not_read_everything_is_an_end_too() -> None:
    """The kernel says that as a reset."""
    ours, theirs = pair()
    await ours.send("client")
    theirs.close()
    assert await ours.receive() is None
    ours.close()


async def test_more_sockets_than_the_kernel_holds_are_sent_when_it_holds_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of idle clients go over at an upgrade; the limit is of all processes of a user."""
    tries = 0
    send_fds = socket.send_fds

    def full(*args: Any) -> int:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise OSError(errno.ETOOMANYREFS, "Too many references: cannot splice")
        return send_fds(*args)

    monkeypatch.setattr(socket, "send_fds", full)
    ours, theirs = pair()
    client, served = socket.socketpair()
    with client, served:
        await ours.send("client", [served])
        packet = await theirs.receive()
        assert packet is not None
        packet.sockets[0].close()
    assert tries == 3
    ours.close()
    theirs.close()

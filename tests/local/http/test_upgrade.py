"""Tunnels: bytes go both ways, and each end learns when the other has said all."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from wakegate.local.http.upgrade import Tunnel, join

pytestmark = pytest.mark.anyio

PATIENCE_S = 20.0
AT_ONCE = b"\1\0\0\0\0\0\0\0"  # of SO_LINGER: close with a reset, as a machine that has lost the connection
BIG = 32 * 1024 * 1024  # more than the buffers of two sockets hold


class Side(asyncio.Protocol):
    """One end inside the gateway, as its connections use a tunnel."""

    def __init__(self) -> None:
        self.tunnel: Tunnel | None = None
        self.ahead = b""
        self.is_made = asyncio.Event()
        self.is_full = asyncio.Event()
        self.is_lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self.transport = cast("asyncio.Transport", transport)
        self.is_made.set()

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        assert self.tunnel is not None
        self.tunnel.write(data)

    def eof_received(self) -> bool:
        """See asyncio."""
        return self.tunnel is not None and self.tunnel.end()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self.is_lost.set()
        if self.tunnel is not None:
            self.tunnel.close()

    def pause_writing(self) -> None:
        """See asyncio."""
        self.is_full.set()
        if self.tunnel is not None:
            self.tunnel.pause()

    def resume_writing(self) -> None:
        """See asyncio."""
        if self.tunnel is not None:
            self.tunnel.resume()

    def take_rest(self) -> bytes:
        """See `ClientEnd`."""
        ahead, self.ahead = self.ahead, b""
        return ahead


Far = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Side, Far]]:
    """Give one end inside, and the far end of the same connection."""
    side = Side()
    server = await asyncio.get_running_loop().create_server(lambda: side, "127.0.0.1", 0)
    far = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await side.is_made.wait()
            yield side, far
    finally:
        far[1].transport.abort()
        side.transport.abort()
        server.close()


async def test_bytes_go_both_ways_and_those_sent_ahead_come_first() -> None:
    """A client may speak before the app has agreed, and the app in the same breath as it agrees."""
    async with connected() as (client, (browser, to_gateway)), connected() as (upstream, (app, from_app)):
        client.ahead = b"early "
        join(client, upstream, rest=b"welcome ")
        to_gateway.write(b"ping")
        from_app.write(b"pong")
        assert await app.readexactly(10) == b"early ping"
        assert await browser.readexactly(12) == b"welcome pong"
        assert client.take_rest() == b""


async def test_one_who_has_said_all_still_hears_the_other() -> None:
    """Half-closed is not closed: an answer to the last question must arrive."""
    async with connected() as (client, (browser, to_gateway)), connected() as (upstream, (app, from_app)):
        join(client, upstream, rest=b"")
        to_gateway.write(b"last question")
        to_gateway.write_eof()
        assert await app.read() == b"last question"
        from_app.write(b"answer")
        from_app.write_eof()
        assert await browser.read() == b"answer"
        await client.is_lost.wait()
        await upstream.is_lost.wait()


@pytest.mark.parametrize("who", ["client", "app"])
async def test_when_one_end_is_gone_the_other_is_let_go(who: str) -> None:
    """Else a service would be kept awake by a tunnel to nobody."""
    async with connected() as (client, (browser, to_gateway)), connected() as (upstream, (app, from_app)):
        join(client, upstream, rest=b"")
        gone = to_gateway if who == "client" else from_app
        gone.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        gone.transport.abort()
        assert await (app if who == "client" else browser).read() == b""
        await client.is_lost.wait()
        await upstream.is_lost.wait()


async def test_who_reads_slowly_slows_the_other_and_loses_nothing() -> None:
    """What nobody has read yet stays in the sender's socket, not in the gateway's memory."""
    async with connected() as (client, (browser, _)), connected() as (upstream, (_, from_app)):
        join(client, upstream, rest=b"")
        from_app.write(b"x" * BIG)
        await client.is_full.wait()
        waiting = client.transport.get_write_buffer_size()
        for _ in range(50):
            await asyncio.sleep(0)
        assert client.transport.get_write_buffer_size() <= waiting < BIG / 8
        assert len(await browser.readexactly(BIG)) == BIG

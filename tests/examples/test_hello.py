"""The hello example does what its first lines say: the demo and other tests build on it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import websockets

pytestmark = pytest.mark.anyio

APP = Path(__file__).parents[2] / "examples" / "hello" / "app.py"


@asynccontextmanager
async def hello(*, delay_s: float = 0) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """Run it until the end of the block; yield it, listening, and a client of it."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    env = os.environ | {"WAKEGATE_REPLICA": "0123/web/2", "START_DELAY_S": str(delay_s)}
    app = await asyncio.create_subprocess_exec(sys.executable, APP, str(port), env=env, stdout=subprocess.PIPE)
    assert app.stdout is not None
    try:
        assert await app.stdout.readline() == f"hello listens on :{port}\n".encode()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            yield app, client
    finally:
        if app.returncode is None:
            app.send_signal(signal.SIGTERM)
        await app.communicate()


async def test_the_page_shows_replica_and_visits() -> None:
    """Visits live in the session, not in the app: they outlast its sleep."""
    async with hello() as (_, client):
        first = await client.get("/")
        assert first.headers["wakegate-session-data"] == "1"
        assert "Replica <b>2</b>" in first.text
        second = await client.post("/", content=b"x" * 100_000, headers={"Wakegate-Session-Data": "1"})
        assert second.headers["wakegate-session-data"] == "2"
        assert "visit <b>2</b>" in second.text


async def test_it_is_slow_where_it_is_asked_to_be() -> None:
    """For tests of what is in flight."""
    async with hello() as (_, client):
        assert (await client.get("/slow?s=0.01")).text == "That took 0.01 s.\n"


async def test_it_streams() -> None:
    """The first event comes at once."""
    async with hello() as (_, client), client.stream("GET", "/sse") as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert (await anext(answer.aiter_lines())).startswith("data: ")


async def test_it_speaks_websocket() -> None:
    """Text, bytes, ping and close."""
    async with hello() as (_, client), websockets.connect(f"ws://{client.base_url.netloc.decode()}/ws") as connection:
        for message in ("hello", "", b"\0\1", "é" * 50):
            await connection.send(message)
            assert await connection.recv() == message
        await (await connection.ping())


async def test_it_crashes_where_it_is_asked_to() -> None:
    """For tests of crashes while awake."""
    async with hello() as (app, client):
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/exit?status=3")
        assert await app.wait() == 3


async def test_it_ends_cleanly_at_sigterm() -> None:
    """Also while a stream is open: what a sleep does to it."""
    async with hello(delay_s=0.01) as (app, client), client.stream("GET", "/sse"):
        app.send_signal(signal.SIGTERM)
        assert await app.wait() == 0

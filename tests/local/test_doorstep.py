"""Before HTTP: who gets in where TLS is spoken, and who does not hold a place for long."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.local.certificates import make_pair
from tests.local.request.peer import PATIENCE_S

from wakegate.local.certificate import Certificate
from wakegate.local.doorstep import Doorstep

pytestmark = pytest.mark.anyio


class Echo(asyncio.Protocol):
    """Says whether it is spoken to in TLS, then what it hears."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"tls " if transport.get_extra_info("sslcontext") else b"plain ")

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self.transport.write(data)
        self.transport.close()


@pytest.fixture
def anyio_backend() -> str:
    """Use asyncio's own loop: its transports are what `Echo` is typed for."""
    return "asyncio"


@asynccontextmanager
async def door(
    folder: Path, *, timeout_s: float = PATIENCE_S, has_room: Callable[[int], bool] = lambda _: True
) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """Open a door; yield its port and the context of a client that trusts it."""
    pair = make_pair(folder)
    async with asyncio.TaskGroup() as tasks:
        doorstep = Doorstep(
            Certificate(str(pair.certificate), str(pair.key)),
            protocol=lambda _: Echo(),
            guard=lambda work: work,
            timeout_s=lambda: timeout_s,
            has_room=has_room,
        )
        listening = socket.create_server(("127.0.0.1", 0))
        accepting = tasks.create_task(doorstep.accept(listening))
        yield listening.getsockname()[1], ssl.create_default_context(cafile=pair.certificate)
        accepting.cancel()


async def ask(port: int, *, context: ssl.SSLContext | None, data: bytes = b"hello") -> bytes:
    """Say something and return all that comes back."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(data)
        answer = await reader.read()
        writer.close()
        return answer


async def test_who_speaks_tls_and_who_does_not_are_both_heard(tmp_path: Path) -> None:
    """The second is to be told so; a handshake that fails would tell it nothing."""
    async with door(tmp_path) as (port, context):
        assert await ask(port, context=context) == b"tls hello"
        assert await ask(port, context=None) == b"plain hello"


async def test_the_first_byte_is_looked_at_and_not_taken(tmp_path: Path) -> None:
    """One that comes alone, too."""
    async with door(tmp_path) as (port, _):
        assert await ask(port, context=None, data=b"x") == b"plain x"


@pytest.mark.parametrize("sent", [b"", b"\x16", b"\x16\x03\x01\x02\x00"])
async def test_a_handshake_that_never_ends_is_ended(tmp_path: Path, sent: bytes) -> None:
    """Silence costs an attacker nothing: a connection would cost us a file for ever."""
    async with door(tmp_path, timeout_s=0.2) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        async with asyncio.timeout(PATIENCE_S):
            assert await _rest(reader) == b""
        writer.close()


async def test_a_handshake_that_is_none_harms_nobody_else(tmp_path: Path) -> None:
    """Port scanners send such."""
    async with door(tmp_path) as (port, context):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16" + b"\xff" * 100)
        await _rest(reader)
        writer.close()
        assert await ask(port, context=context) == b"tls hello"


async def test_those_at_the_door_are_counted(tmp_path: Path) -> None:
    """Connections in their handshake are connections: the bound holds for them, too."""
    asked: list[int] = []

    def has_room(waiting: int) -> bool:
        asked.append(waiting)
        return waiting < 1

    async with door(tmp_path, has_room=has_room) as (port, context):
        _, silent = await asyncio.open_connection("127.0.0.1", port)
        reader, second = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(PATIENCE_S):
            assert await _rest(reader) == b""
        assert asked == [0, 1]
        silent.write(b"go on")
        silent.close()
        second.close()
        async with asyncio.timeout(PATIENCE_S):
            while True:  # until the first has been handed on and its place is free
                try:
                    assert await ask(port, context=context) == b"tls hello"
                    break
                except OSError:
                    continue


async def test_nobody_at_the_door_holds_up_the_end(tmp_path: Path) -> None:
    """A gateway that stops would wait for the handshake of a client that says nothing."""
    async with asyncio.timeout(PATIENCE_S / 2):
        async with door(tmp_path) as (port, context):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await ask(port, context=context) == b"tls hello"
    assert await _rest(reader) == b""
    writer.close()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""

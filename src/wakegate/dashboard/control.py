"""The control socket's server: private to its user, one request a connection."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from wakegate.core.errors import StateError, WakegateError
from wakegate.dashboard.operations import Operations
from wakegate.dashboard.wire import decode, encode, encode_rows, fields, socket_path
from wakegate.local.unix_socket import SocketFile

REQUEST_BYTES_MAX = 65_536
REQUEST_TIMEOUT_S = 10.0  # from the connection to the end of its one line; and for the answer to be taken
CLIENTS_MAX = 64  # commands at once; as many again are told so, and those beyond them are cut
KEEP_S_MAX = 366 * 86_400.0  # a longer one is a slip of the pen, and not far from where dates end
LIMIT_MAX = 10_000  # rows of one answer

WORDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    # what a request of each verb must have
    "status": {},
    "wake": {"service": str},
    "sleep": {"service": str, "force": bool, "stop": bool},
    "keep": {"service": str, "seconds": (int, float), "reason": str},
    "explain": {"service": str},
    "sessions": {"service": str, "limit": int},
    "ledger": {"service": str, "limit": int},
}
BUSY = {"error": "WakegateError", "detail": f"{CLIENTS_MAX} commands are being answered already; try again"}
Ask = dict[str, Any]
Verb = Callable[[Ask], Awaitable[Any]]


@asynccontextmanager
async def control(operations: Operations, state_dir: Path) -> AsyncIterator[None]:
    """Serve the control socket of a state directory until the block ends; raise `StateError` where that cannot be."""
    path = socket_path(state_dir)
    verbs = _verbs(operations)
    clients = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal clients
        clients += 1
        writer.transport.set_write_buffer_limits(high=0)  # drained is taken
        try:
            if clients > 2 * CLIENTS_MAX:
                return
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                line = await _line(reader)
            writer.write(encode(BUSY) if clients > CLIENTS_MAX else await _answer(verbs, line))
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                await writer.drain()
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            pass  # the command has gone, or asks nothing, or the gateway ends: there is nobody to tell
        finally:
            clients -= 1
            writer.transport.abort()

    listening = _listen(path)
    file = SocketFile(path)
    server = await asyncio.start_unix_server(serve, sock=listening, limit=REQUEST_BYTES_MAX)
    try:
        yield
    finally:
        server.close()
        file.remove()  # not that of a gateway that has taken this one's place


def _listen(path: Path) -> socket.socket:
    """Bind the socket so that only its user may speak to it."""
    listening = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)  # of the whole process: nothing may await before it is back
    try:
        path.unlink(missing_ok=True)  # of a gateway that was killed: the lock of the directory says there is no other
        listening.bind(str(path))
    except OSError as error:
        listening.close()
        raise StateError(f"{path} cannot be made ({error.strerror}); choose another --state-dir") from error
    finally:
        os.umask(mask)
    return listening


def _verbs(operations: Operations) -> dict[str, Verb]:
    async def status(_: Ask) -> Any:
        return operations.statuses()

    async def wake(ask: Ask) -> Any:
        await operations.wake(ask["service"], cause="wakegate wake")

    async def sleep(ask: Ask) -> Any:
        await operations.sleep(ask["service"], force=ask["force"], stop=ask["stop"])

    async def keep(ask: Ask) -> Any:
        if not 0 <= ask["seconds"] <= KEEP_S_MAX:
            raise WakegateError("a keep lasts a year at most; use min = 1 in [service.NAME.scale] for ever")
        operations.keep(ask["service"], ask["seconds"], reason=ask["reason"])

    async def explain(ask: Ask) -> Any:
        return operations.explain(ask["service"])

    async def sessions(ask: Ask) -> Any:
        return operations.sessions(ask["service"], limit=_limit(ask))

    async def ledger(ask: Ask) -> Any:
        lines = operations.ledger(ask["service"], limit=_limit(ask))
        return [{**fields(line), "lost": line.lost} for line in lines]

    return {
        "status": status, "wake": wake, "sleep": sleep, "keep": keep, "explain": explain, "sessions": sessions,
        "ledger": ledger,
    }  # fmt: skip


def _limit(ask: Ask) -> int:
    return int(min(max(ask["limit"], 0), LIMIT_MAX))


async def _line(reader: asyncio.StreamReader) -> bytes:
    """Return the request, or what there is of it where it is longer than one can be."""
    try:
        return await reader.readline()
    except ValueError:
        return b""


async def _answer(verbs: dict[str, Verb], line: bytes) -> bytes:
    ask = _understood(line)
    if ask is None:
        return encode({"error": "BadRequest", "detail": "this is no request of the control socket"})
    try:
        answer = await verbs[ask["verb"]](ask)
        return await encode_rows(answer) if isinstance(answer, Iterator) else encode({"answer": answer})
    except WakegateError as error:
        return encode({"error": type(error).__name__, "detail": str(error)})


def _understood(line: bytes) -> Ask | None:
    """Return a request that has a known verb and all its words, each of its kind."""
    try:
        ask = decode(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(ask, dict) or not isinstance(ask.get("verb"), str) or ask["verb"] not in WORDS:
        return None
    is_whole = all(isinstance(ask.get(word), kind) for word, kind in WORDS[ask["verb"]].items())
    return ask if is_whole else None

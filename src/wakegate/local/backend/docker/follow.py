"""Copy what a container writes into the log file of its service, where `wakegate logs` and every failure read it."""

import os
import time
from asyncio import IncompleteReadError, to_thread
from collections.abc import AsyncIterator

from aiodocker import Docker
from aiohttp import ClientResponse, ClientTimeout

from wakegate.core.errors import WorkloadError
from wakegate.local.backend.docker.client import EngineError
from wakegate.local.backend.docker.engine import Engine
from wakegate.local.logs import ServiceLog

HEADER_BYTES = 8  # of a piece: which stream it is of, three zeros, its length
PIECE_BYTES = 64 * 1024


async def follow(engine: Engine, container: str, *, log: ServiceLog, since: float) -> None:
    """Copy what it writes from `since` (the daemon's wall clock, seconds; 0: all) until it ends or the daemon goes.

    A log driver that cannot be read leaves a line that says so in place of the log.
    """
    fd = log.open()
    try:
        docker = await engine.client()
        with engine.asking():
            async for piece in _pieces(docker, container, since=since):
                os.write(fd, piece)
                now_ns = time.time_ns()  # the kernel's own stamp is up to 4 ms late: what follows it is not told again
                os.utime(fd, ns=(now_ns, now_ns))
                if log.is_due():
                    await to_thread(log.rotate)
    except WorkloadError as error:
        if engine.is_up:
            os.write(fd, f"wakegate: the log of this container cannot be read: {error}\n".encode())
    finally:
        os.close(fd)


async def _pieces(docker: Docker, container: str, *, since: float) -> AsyncIterator[bytes]:
    """Yield what it writes. Not by the client's own call: that one leaves its connection open when we leave."""
    url = f"{docker.docker_host}/{docker.api_version}/containers/{container}/logs"
    asked = {"follow": "1", "stdout": "1", "stderr": "1", "since": f"{since:.9f}"}
    async with docker.session.get(url, params=asked, timeout=ClientTimeout()) as response:
        if response.status >= 400:
            raise EngineError((await response.text()).strip(), status=response.status)
        is_framed = "multiplexed" in response.headers.get("Content-Type", "")
        first = b"" if is_framed else await response.content.read(1)
        # Before API 1.42 the type does not say it; then no text begins as a frame does.
        if is_framed or first in (b"\x01", b"\x02"):
            async for piece in _frames(response, begun=first):
                yield piece
        else:
            yield first
            async for piece in response.content.iter_chunked(PIECE_BYTES):
                yield piece


async def _frames(response: ClientResponse, *, begun: bytes) -> AsyncIterator[bytes]:
    try:
        while True:
            header = begun + await response.content.readexactly(HEADER_BYTES - len(begun))
            begun = b""
            yield await response.content.readexactly(int.from_bytes(header[4:], "big"))
    except IncompleteReadError:
        return  # it has ended, or the daemon has

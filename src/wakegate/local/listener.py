"""The socket that requests come in by: bound before anything starts, with a sentence for why it cannot be."""

import asyncio
import errno
import os
import resource
import socket
from collections.abc import Callable
from contextlib import suppress

from wakegate.core.errors import StateError
from wakegate.local.request.presence import watch

KEEPALIVE_S, KEEPALIVE_PROBES = 30, 9  # a laptop shut in mid-WebSocket keeps nothing awake for longer than 5 minutes
BACKLOG = 4096  # a herd of first requests arrives at once; the kernel caps it at net.core.somaxconn


async def listen(host: str, port: int, *, protocol: Callable[[], asyncio.Protocol]) -> asyncio.Server:
    """Take the port and return a server that does not serve yet; raise `StateError` where that is not possible."""
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(protocol, host, port, backlog=BACKLOG, start_serving=False)
    except OSError as error:
        raise StateError(_why_not(error, host=host, port=port)) from error
    for listening in server.sockets:
        watch(listening, interval_s=KEEPALIVE_S, probes=KEEPALIVE_PROBES)
    return server


def own_sockets(server: asyncio.Server) -> tuple[socket.socket, ...]:
    """Return the sockets of a server that does not serve, for whoever accepts from them and closes them."""
    return tuple(socket.socket(fileno=os.dup(listening.fileno())) for listening in server.sockets)


def url_of(host: str, port: int, *, scheme: str = "http") -> str:
    """Return where a browser on this machine finds what listens there."""
    shown = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104  compared, not bound
    return f"{scheme}://[{shown}]:{port}" if ":" in shown else f"{scheme}://{shown}:{port}"


def allow_connections(count: int) -> None:
    """Raise the limit of open files as far as it goes: a held request is a socket, and one to the app."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * count + 256
    if soft < wanted:
        with suppress(ValueError, OSError):  # a container may forbid it: then the kernel's own limit holds
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard < 0 else min(wanted, hard), hard))


def _why_not(error: OSError, *, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{host}:{port} is taken by another program; choose another with --listen {host}:{port + 1}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{host}:{port} needs more rights (ports below 1024 are reserved); choose a higher one with --listen"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine; listen on 127.0.0.1 or 0.0.0.0"
    return f"{host}:{port} cannot be listened on: {error.strerror or error}"

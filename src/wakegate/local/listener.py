"""The sockets that requests come in by: bound before anything starts, with a sentence for why they cannot be."""

import asyncio
import errno
import os
import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wakegate.core.errors import StateError
from wakegate.core.spec import GatewaySpec
from wakegate.local.inherited import Inheritance
from wakegate.local.request.presence import watch
from wakegate.local.unix_socket import SocketFile, bind

KEEPALIVE_S, KEEPALIVE_PROBES = 30, 9  # a laptop shut in mid-WebSocket keeps nothing awake for longer than 5 minutes
BACKLOG = 4096  # a herd of first requests arrives at once; the kernel caps it at net.core.somaxconn


NOTHING = Inheritance()

Protocol = Callable[[], asyncio.Protocol]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """What was bound, and the servers that accept from it once `start` says so."""

    servers: tuple[asyncio.Server, ...]
    host: str = ""  # as it was configured; else that of the first socket is said
    file: SocketFile | None = None  # of a Unix socket that is ours
    are_ours: bool = False  # they are what the configuration says; else systemd chose them

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """Return sockets of the same descriptors, for as long as the servers are open."""
        return tuple(listening for server in self.servers for listening in server.sockets)

    def url(self, *, scheme: str) -> str:
        """Return where a client on this machine finds it."""
        first = self.sockets[0]
        name = first.getsockname()
        if first.family == socket.AF_UNIX:
            return f"unix:{name}"
        return url_of(self.host or name[0], name[1], scheme=scheme)

    def own_sockets(self) -> tuple[socket.socket, ...]:
        """Return sockets of its own, listening, for whoever accepts from them and closes them."""
        own = tuple(socket.socket(fileno=os.dup(listening.fileno())) for listening in self.sockets)
        for listening in own:
            listening.listen(BACKLOG)
        return own

    async def start(self) -> None:
        """Accept."""
        for server in self.servers:
            await server.start_serving()

    def close(self) -> None:
        """Accept nothing more here; who has the sockets as well goes on."""
        for server in self.servers:
            server.close()

    def remove(self) -> None:
        """Take the file away by which clients would look for it."""
        if self.file is not None:
            self.file.remove()


async def listen(spec: GatewaySpec, *, protocol: Protocol, inherited: Inheritance = NOTHING) -> Listener:
    """Take the sockets that are there, else the address that is configured; raise `StateError` where it cannot be."""
    if inherited.sockets:
        servers = tuple([await _server_of(one, protocol=protocol) for one in inherited.sockets])
        if not inherited.are_ours:
            return Listener(servers=servers)
        return Listener(servers=servers, host=spec.host, file=_file_of(spec), are_ours=True)
    if spec.unix_path:
        path = Path(spec.unix_path)
        server = await _server_of(bind(path), protocol=protocol)
        return Listener(servers=(server,), file=SocketFile(path), are_ours=True)
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(protocol, spec.host, spec.port, backlog=BACKLOG, start_serving=False)
    except OSError as error:
        raise StateError(_why_not(error, host=spec.host, port=spec.port)) from error
    for listening in server.sockets:
        watch(listening, interval_s=KEEPALIVE_S, probes=KEEPALIVE_PROBES)
    return Listener(servers=(server,), host=spec.host, are_ours=True)


def _file_of(spec: GatewaySpec) -> SocketFile | None:
    return SocketFile(Path(spec.unix_path)) if spec.unix_path else None


async def _server_of(listening: socket.socket, *, protocol: Protocol) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    if listening.family == socket.AF_UNIX:
        return await loop.create_unix_server(protocol, sock=listening, backlog=BACKLOG, start_serving=False)
    watch(listening, interval_s=KEEPALIVE_S, probes=KEEPALIVE_PROBES)
    return await loop.create_server(protocol, sock=listening, backlog=BACKLOG, start_serving=False)


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

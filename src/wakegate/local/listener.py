"""The sockets that requests come in by: bound before anything starts, with a sentence for why they cannot be."""

import asyncio
import errno
import os
import resource
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wakegate.core.errors import StateError
from wakegate.core.say import UNIX_PREFIX, say_address
from wakegate.core.spec import EVERY_ADDRESS, PORT_MAX, GatewaySpec
from wakegate.local.inherited import Inheritance
from wakegate.local.request.presence import watch
from wakegate.local.unix_socket import SocketFile, bind

KEEPALIVE_S, KEEPALIVE_PROBES = 30, 9  # a laptop shut in mid-WebSocket keeps nothing awake for longer than 5 minutes
BACKLOG = 4096  # a herd of first requests arrives at once; the kernel caps it at net.core.somaxconn


NOTHING = Inheritance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """What was bound; nobody accepts from it yet."""

    sockets: tuple[socket.socket, ...]
    host: str = ""  # as it was configured; else that of the first socket is said
    file: SocketFile | None = None  # of a Unix socket that is ours
    are_ours: bool = False  # they are what the configuration says; else systemd chose them

    def url(self, *, scheme: str) -> str:
        """Return where a client on this machine finds it."""
        first = self.sockets[0]
        name = first.getsockname()
        if first.family == socket.AF_UNIX:
            return f"{UNIX_PREFIX}{name}"
        return url_of(self.host or name[0], name[1], scheme=scheme)

    def own_sockets(self) -> tuple[socket.socket, ...]:
        """Return the same sockets once more, for whoever accepts from them and closes them."""
        return tuple(listening.dup() for listening in self.sockets)

    def close(self) -> None:
        """Let go of them; who has them as well goes on."""
        for listening in self.sockets:
            listening.close()

    def remove(self) -> None:
        """Take the file away by which clients would look for it."""
        if self.file is not None:
            self.file.remove()


async def listen(spec: GatewaySpec, *, inherited: Inheritance = NOTHING) -> Listener:
    """Take the sockets that are there, else the address that is configured; raise `StateError` where it cannot be."""
    if inherited.sockets:
        sockets = inherited.sockets
    elif spec.unix_path:
        sockets = (bind(Path(spec.unix_path)),)
    else:
        sockets = await _bind(spec.host, spec.port)
    for listening in sockets:
        watch(listening, interval_s=KEEPALIVE_S, probes=KEEPALIVE_PROBES)
    if inherited.sockets and not inherited.are_ours:
        return Listener(sockets=sockets)
    file = SocketFile(Path(spec.unix_path)) if spec.unix_path else None
    return Listener(sockets=sockets, host=spec.host, file=file, are_ours=True)


async def _bind(host: str, port: int) -> tuple[socket.socket, ...]:
    """Return a socket for each address of a name."""
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(asyncio.Protocol, host, port, start_serving=False)
    except OSError as error:
        raise StateError(_why_not(error, host=host, port=port)) from error
    own = tuple(socket.socket(fileno=os.dup(listening.fileno())) for listening in server.sockets)
    server.close()
    return own


def url_of(host: str, port: int, *, scheme: str = "http") -> str:
    """Return where a browser on this machine finds what listens there."""
    shown = "127.0.0.1" if host in ("", EVERY_ADDRESS, "::") else host
    return f"{scheme}://{say_address(shown, port)}"


def allow_connections(count: int) -> None:
    """Raise the limit of open files as far as it goes: a held request is a socket, and one to the app."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * count + 256
    if soft < wanted:
        with suppress(ValueError, OSError):  # a container may forbid it: then the kernel's own limit holds
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard < 0 else min(wanted, hard), hard))


def _why_not(error: OSError, *, host: str, port: int) -> str:
    shown = host.removeprefix(EVERY_ADDRESS)
    place = say_address(shown, port)
    if error.errno == errno.EADDRINUSE:
        other = say_address(shown, port + 1 if port < PORT_MAX else port - 1)
        return f"{place} is taken by another program; choose another with --listen {other}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{place} needs more rights (ports below 1024 are reserved); choose a higher one with --listen"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine; listen on 127.0.0.1 or {EVERY_ADDRESS}"
    return f"{place} cannot be listened on: {error.strerror or error}"

"""What a gateway begins with that was there before it: sockets that systemd has bound, or those of another gateway.

What systemd says of them is in the environment, and taken out of it: the apps would take it for theirs.
"""

import os
import socket
from collections.abc import MutableMapping
from dataclasses import dataclass

from wakegate.core.errors import StateError

FIRST = 3  # sd_listen_fds(3): behind stdin, stdout and stderr
VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inheritance:
    """Sockets that listen, and clients that are connected, each with its address where a proxy has told it."""

    sockets: tuple[socket.socket, ...] = ()
    are_ours: bool = False  # they are what the configuration says; else systemd chose them
    clients: tuple[tuple[socket.socket, str], ...] = ()


def take_sockets(environ: MutableMapping[str, str], *, first: int = FIRST) -> tuple[socket.socket, ...]:
    """Return the listening sockets, none where systemd gave none; raise `StateError` for what cannot be served."""
    pid, count, _ = (environ.pop(name, "") for name in VARIABLES)
    if pid != str(os.getpid()) or not count.isdecimal():
        return ()
    return tuple(_listening(number) for number in range(first, first + int(count)))


def _listening(number: int) -> socket.socket:
    try:
        found = socket.socket(fileno=number)
    except OSError as error:
        raise StateError(f"descriptor {number} of LISTEN_FDS is no socket ({error.strerror})") from error
    try:
        is_listening = found.type == socket.SOCK_STREAM and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError:
        is_listening = False
    if not is_listening:
        found.detach()
        raise StateError(
            f"descriptor {number} of LISTEN_FDS is no socket that listens; write ListenStream= and Accept=no in the "
            "socket unit"
        )
    found.set_inheritable(False)
    return found

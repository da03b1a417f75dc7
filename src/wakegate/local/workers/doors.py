"""The sockets of the workers: one set each at the same address, between which the kernel shares out connections.

The keeper keeps a copy of each: when a worker dies, those who wait to be accepted are not reset, but wait for the
next one, which gets the same socket.
"""

import os
import socket
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from wakegate.core.errors import StateError
from wakegate.core.spec import WORKERS_MAX
from wakegate.local.listener import BACKLOG, KEEPALIVE_PROBES, KEEPALIVE_S
from wakegate.local.request.presence import watch

Address = tuple[int, Any]  # the family, and what belongs to it


NEEDED = (
    # SO_REUSEPORT alone is not enough: where there is no Linux below, one socket gets all connections
    (socket, "SO_REUSEPORT"), (socket, "SO_PEERCRED"), (os, "memfd_create"), (os, "pidfd_open"),
)  # fmt: skip


def missing(needed: Iterable[tuple[ModuleType, str]] = NEEDED) -> str:
    """Name what this system lacks for workers; "" where nothing is missing."""
    return ", ".join(name for module, name in needed if not hasattr(module, name))


def count_of(workers: int) -> int:
    """Return how many there are to be; 0 stands for one a core that this process may use."""
    return workers or min(len(os.sched_getaffinity(0)), WORKERS_MAX)


def share(own: Iterable[socket.socket]) -> None:
    """Let others be bound where these are: they must be bound, and nobody may listen there yet."""
    for one in own:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def addresses_of(sockets: Iterable[socket.socket]) -> list[Address]:
    """Return where a set of sockets is bound."""
    return [(one.family, one.getsockname()) for one in sockets]


def bind(addresses: Sequence[Address]) -> list[socket.socket]:
    """Return a set of sockets at these addresses, which are shared."""
    bound: list[socket.socket] = []
    try:
        for family, address in addresses:
            one = socket.socket(family)
            bound.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            watch(one, interval_s=KEEPALIVE_S, probes=KEEPALIVE_PROBES)
            one.bind(address)
    except OSError as error:
        for one in bound:
            one.close()
        raise StateError(f"a worker cannot listen at {address}: {error.strerror or error}") from error
    return bound


def listen(sockets: Iterable[socket.socket]) -> None:
    """Let connections wait there to be accepted, whether or not anybody does so yet; harmless when they may already."""
    for one in sockets:
        one.listen(BACKLOG)


def close(sockets: Iterable[socket.socket]) -> None:
    """Let go of them."""
    for one in sockets:
        one.close()

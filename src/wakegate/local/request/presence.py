"""Whether a client is still there: to half-close and to go away look the same until something is sent.

Both are a FIN. A client that half-closes (`printf … | nc`) still waits for its answer; to one that is gone, any byte
brings a reset. So a client that has ended its side and gets nothing is sent an interim answer after a second, and the
kernel asks it by keep-alive from then on: its peer forgets a closed connection within about a minute.
"""

import select
import socket
import struct
from typing import Any

PROBE_AFTER_S = 1.0  # later than most answers: those who half-close by habit see no interim one
KEEPALIVE_S = 10
KEEPALIVE_PROBES = 3
ENDED = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


def watch(sock: Any, *, interval_s: int = KEEPALIVE_S, probes: int = KEEPALIVE_PROBES) -> None:
    """Let the kernel ask the other side, which may be gone without a word, whether it still knows the connection.

    Connections that a listening socket accepts inherit it. Both ends of a Unix socket are on this machine: there it is
    known at once.
    """
    if sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", interval_s),
        ("TCP_KEEPALIVE", interval_s),  # what macOS calls it
        ("TCP_KEEPINTVL", interval_s),
        ("TCP_KEEPCNT", probes),
    ):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def reset(sock: Any) -> None:
    """Let the close that follows be a reset, for a client that would take a clean end for the end of its answer."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def has_ended(sock: Any) -> bool:
    """Say whether the other side has sent its end, read or not: while reading is paused, the event loop cannot."""
    poll = select.poll()
    poll.register(sock.fileno(), ENDED)
    return bool(poll.poll(0))


def is_reset(sock: Any) -> bool:
    """Say whether the connection was reset, or the other side does not answer keep-alive any more."""
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

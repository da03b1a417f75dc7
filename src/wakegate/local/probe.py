"""Ask a replica whether it is ready: one attempt over TCP or HTTP, and the rhythm of attempts during a wake."""

import asyncio
import errno
import os
import socket

from wakegate.ports import Clock, Replica

PAUSE_MIN_S = 0.001
PAUSE_MAX_S = 0.050
PAUSE_SHARE = 0.003  # of the time waited: seen at most so much late; an attempt takes 30 µs, so 3 % of a core at most
SOON_SHARE = 0.9  # of the quickest start so far: until then the app is left alone, as attempts slow its start down
AHEAD_SHARE = 0.25  # of the time until then; an app that is quicker is seen late by less than that
_HEAD_BYTES_MAX = 65_536


async def until_ready(replica: Replica, *, timeout_s: float, clock: Clock, quickest_s: float = 0.0) -> None:
    """Return once the replica answers its probe; raise `TimeoutError` when it has not within the timeout.

    `quickest_s` is how soon others of its kind have answered, 0 where that is not known. It does not notice that the
    replica ends: the caller races it with `exited()`.
    """
    began_s = clock.now_s()
    async with asyncio.timeout(timeout_s):
        while not await replica.answers():  # noqa: ASYNC110  a port that opens sets no event
            await asyncio.sleep(pause_s(clock.now_s() - began_s, quickest_s=quickest_s))


def pause_s(elapsed_s: float, *, quickest_s: float = 0.0) -> float:
    """Return how long to wait before the next attempt."""
    ahead_s = quickest_s * SOON_SHARE - elapsed_s
    return min(max(elapsed_s * PAUSE_SHARE, ahead_s * AHEAD_SHARE, PAUSE_MIN_S), PAUSE_MAX_S)


async def tcp_answers(host: str, port: int, *, timeout_s: float) -> bool:
    """Say whether a connection can be made; it is closed at once."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        try:
            async with asyncio.timeout(timeout_s):
                await _connect(sock, host, port=port)
        except (OSError, TimeoutError):
            return False
        return True


async def http_answers(host: str, port: int, path: str, *, timeout_s: float) -> bool:
    """Say whether GET of this path (it may have a query) answers 200-399; the body is not waited for."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        try:
            async with asyncio.timeout(timeout_s):
                await _connect(sock, host, port=port)
                return 200 <= await _get_status(sock, path, host=f"{host}:{port}") < 400
        except (OSError, TimeoutError):
            return False


async def _connect(sock: socket.socket, host: str, *, port: int) -> None:
    # Bare sockets: a transport and its streams cost ten times as much, at up to a thousand attempts a second.
    sock.setblocking(False)
    sock.connect_ex((host, port))
    # Loopback has decided by now, and the second call says how: an attempt takes 30 µs, not a turn of the loop.
    status = sock.connect_ex((host, port))
    if status in (errno.EINPROGRESS, errno.EALREADY):  # the backlog is full
        await asyncio.get_running_loop().sock_connect(sock, (host, port))
    elif status not in (0, errno.EISCONN):
        raise OSError(status, os.strerror(status))
    if is_self_connected(sock):
        raise ConnectionRefusedError


def is_self_connected(sock: socket.socket) -> bool:
    """Say whether the socket is connected to itself.

    The kernel may pick the very port we ask for as the source port when nobody listens on it (TCP's simultaneous
    open); tried, 1 of 60,000 attempts on port 50002 found an app that was not there.
    """
    return bool(sock.getsockname() == sock.getpeername())


async def _get_status(sock: socket.socket, path: str, *, host: str) -> int:
    """Send the request and return the final status, 0 for something that is not HTTP."""
    loop = asyncio.get_running_loop()
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: wakegate-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )
    await loop.sock_sendall(sock, request.encode())
    head = b""
    while len(head) < _HEAD_BYTES_MAX:
        piece = await loop.sock_recv(sock, _HEAD_BYTES_MAX)
        if not piece:
            break
        head += piece
        while head.startswith(b"HTTP/1.1 1") and b"\r\n\r\n" in head:
            head = head.partition(b"\r\n\r\n")[2]  # an interim response; the final one follows
        line, ended, _ = head.partition(b"\r\n")
        if ended and not line.startswith(b"HTTP/1.1 1"):
            return _status(line)
    return 0


def _status(line: bytes) -> int:
    version, _, rest = line.partition(b" ")
    return int(rest[:3]) if version.startswith(b"HTTP/1.") and rest[:3].isdigit() else 0

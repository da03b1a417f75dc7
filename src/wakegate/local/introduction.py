"""Who a connection is from, as the proxy says through which it comes: its PROXY header is read, nothing behind it."""

import socket
from collections.abc import Callable
from contextlib import suppress

from wakegate.core.errors import ProxyHeaderError
from wakegate.core.say import say_count
from wakegate.core.spec import UNIX_PEER
from wakegate.local.http.peer import is_proxy
from wakegate.local.proxy_header import HEADER_BYTES_MAX, read_proxy_header
from wakegate.local.ready import readable
from wakegate.ports import Clock

WARNING_INTERVAL_S = 60.0  # a scanner must not fill the timeline


class Introduction:
    """Reads the header of those that may introduce others, refuses everybody else, and says so once in a while."""

    def __init__(self, *, trusted: Callable[[], tuple[str, ...]], clock: Clock, warn: Callable[[str], None]) -> None:
        self._trusted = trusted
        self._clock = clock
        self._warn = warn
        self._warned_s: float | None = None
        self._untold = 0

    async def client_of(self, connection: socket.socket) -> str:
        """Return the client's address, "" where it is the connection's own; raise `ProxyHeaderError` for a stranger.

        Raise `OSError` where it ends without a word. What stands behind the header stays in the socket.
        """
        proxy = _address_of(connection)
        try:
            self._check(proxy)
            return await _read(connection)
        except ProxyHeaderError as error:
            self._refuse(connection, f"a connection from {proxy} was closed: {error} (gateway.proxy_protocol is on)")
            raise

    def _check(self, proxy: str) -> None:
        if not is_proxy(proxy, self._trusted()):
            raise ProxyHeaderError("it is not among trusted_proxies")

    def _refuse(self, connection: socket.socket, text: str) -> None:
        with suppress(OSError):
            connection.recv(HEADER_BYTES_MAX)  # something unread would turn the close into a reset
        now_s = self._clock.now_s()
        if self._warned_s is not None and now_s - self._warned_s < WARNING_INTERVAL_S:
            self._untold += 1
            return
        more = f"; so were {say_count(self._untold, 'other')} since the last warning" if self._untold else ""
        self._warned_s, self._untold = now_s, 0
        self._warn(text + more)


def _address_of(connection: socket.socket) -> str:
    if connection.family == socket.AF_UNIX:
        return UNIX_PEER
    try:
        return str(connection.getpeername()[0])
    except OSError:  # it has gone already
        return ""


async def _read(connection: socket.socket) -> str:
    head = b""
    while True:
        await readable(connection)
        piece = connection.recv(HEADER_BYTES_MAX - len(head), socket.MSG_PEEK)
        if not piece and not head:
            raise ConnectionAbortedError  # a port that is only tried, as health checks do: nothing to tell
        if not piece:
            raise ProxyHeaderError("it ended within its PROXY header")
        header = read_proxy_header(head + piece)
        connection.recv(len(piece) if header is None else header.size - len(head))
        if header is not None:
            return header.client
        head += piece

"""What happens before a connection speaks HTTP where it does not begin with that: its PROXY header is read, then its
first byte is looked at, then the TLS handshake made.

Whoever speaks plain HTTP to a TLS port gets the HTTP side without TLS, which tells it so: a handshake that fails
would leave nothing but a connection that ended.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from wakegate.core.errors import ProxyHeaderError
from wakegate.local.certificate import Certificate
from wakegate.local.introduction import Introduction
from wakegate.local.ready import readable

HANDSHAKE = 0x16  # the first byte of TLS, of no HTTP request
SHUTDOWN_TIMEOUT_S = 5.0  # for the client to say that it has seen the end
SHORT_OF_FILES_S = 0.1  # until accepting is tried again when no more files can be opened

Guard = Callable[[Coroutine[Any, Any, None]], Coroutine[Any, Any, None]]


class Doorstep:
    """Accepts from listening sockets, and hands on what is welcome."""

    def __init__(
        self,
        certificate: Certificate | None = None,
        *,
        introduction: Introduction | None = None,
        protocol: Callable[[str], asyncio.Protocol],
        guard: Guard,
        timeout_s: Callable[[], float],
        has_room: Callable[[int], bool],
    ) -> None:
        """`protocol` gets the client's address where that is not the connection's own, else "".

        `guard` keeps a bug to its connection; `timeout_s` is for the whole handshake; `has_room` is asked with how
        many are at it.
        """
        self._certificate = certificate
        self._introduction = introduction
        self._protocol = protocol
        self._guard = guard
        self._timeout_s = timeout_s
        self._has_room = has_room
        self._at_door: dict[socket.socket, float] = {}  # and since when

    def came_since(self, when_s: float) -> bool:
        """Say whether somebody is at it who has come after that."""
        return any(came_s > when_s for came_s in self._at_door.values())

    async def accept(self, listening: socket.socket) -> None:
        """Accept until it is cancelled; then close the socket, and cut those in their handshake: they asked nothing."""
        listening.setblocking(False)
        with listening:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    await self._accept_one(listening, tasks)

    async def _accept_one(self, listening: socket.socket, tasks: asyncio.TaskGroup) -> None:
        try:
            client, _ = await asyncio.get_running_loop().sock_accept(listening)
        except ConnectionError:  # it was gone before it was accepted
            return
        except OSError:  # no more files: those that are open end some time, and the rest waits in the backlog
            await asyncio.sleep(SHORT_OF_FILES_S)
            return
        if self._has_room(len(self._at_door)):
            self._at_door[client] = time.monotonic()
            tasks.create_task(self._guard(self._welcome(client)), name="handshake")
        else:
            client.close()

    async def _welcome(self, client: socket.socket) -> None:
        """Make one connection what it is to be; one that takes too long, or goes, ends without a word."""
        is_in = False
        try:
            client.setblocking(False)
            with suppress(OSError, TimeoutError, ProxyHeaderError):  # ssl.SSLError is an OSError
                async with asyncio.timeout(self._timeout_s()):
                    told = await self._introduction.client_of(client) if self._introduction else ""
                    await self._hand_on(client, protocol=partial(self._protocol, told))
                is_in = True
        finally:
            del self._at_door[client]
            if not is_in:
                client.close()

    async def _hand_on(self, client: socket.socket, *, protocol: Callable[[], asyncio.Protocol]) -> None:
        loop = asyncio.get_running_loop()
        if self._certificate is None:
            await loop.connect_accepted_socket(protocol, client)
            return
        first = await _first_byte(client)
        if not first:
            client.close()
        elif first[0] == HANDSHAKE:
            await loop.connect_accepted_socket(
                protocol,
                client,
                ssl=self._certificate.context,
                ssl_handshake_timeout=self._timeout_s(),
                ssl_shutdown_timeout=SHUTDOWN_TIMEOUT_S,
            )
        else:
            await loop.connect_accepted_socket(protocol, client)


async def _first_byte(client: socket.socket) -> bytes:
    """Return the first byte, which stays where it is; nothing where the connection ends before it."""
    await readable(client)
    try:
        return client.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return b""

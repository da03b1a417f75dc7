"""The client side of one process: its connections, what runs beside them, their limits, and the doors they come by."""

import asyncio
import socket
import traceback
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol

from wakegate.core.spec import GatewaySpec
from wakegate.local.certificate import Certificate
from wakegate.local.clock import SystemClock
from wakegate.local.doorstep import Doorstep
from wakegate.local.introduction import Introduction
from wakegate.local.lane import Lane
from wakegate.local.listener import BACKLOG
from wakegate.local.request.accept import TURNED_AWAY_MAX, ClientConnection, Heir

SWEEP_INTERVAL_S = 0.25  # how late a limit of a connection may be noticed


class Table(Protocol):
    """Which service a request is for: `Routes`, or one that asks."""

    def find(self, host: str, path: str) -> Lane | None:
        """Return the lane of a host and a path."""
        ...


class Reception:
    """Implements `Front`. `tell` takes a kind, a text, and what else a notice has."""

    def __init__(self, spec: GatewaySpec, *, routes: Table, tell: Callable[..., None]) -> None:
        self.spec = spec
        self.routes = routes
        self.stopping = False
        self.heir: Heir | None = None
        self.connections: set[ClientConnection] = set()
        self._tell = tell
        self._clock = SystemClock()
        self._doors: list[asyncio.Task[None]] = []
        self._servers: list[asyncio.Server] = []
        self._doorstep: Doorstep | None = None  # where connections do not begin with HTTP

    def begin(self, tasks: asyncio.TaskGroup) -> None:
        """Use this task group from now on, and enforce the limits until `close`."""
        self._tasks = tasks
        self._sweeping = tasks.create_task(self._sweep(), name="sweep")

    # -- Front

    def route(self, host: str, path: str) -> Lane | None:
        """See `Front.route`."""
        return self.routes.find(host, path)

    def spawn(self, work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """See `Front.spawn`."""
        return self._tasks.create_task(self.guarded(work), name=name)

    def warn(self, lane: Lane, text: str) -> None:
        """See `Front.warn`."""
        self._tell("warning", text, service=lane.spec.name)

    # -- its doors

    async def open(self, listening: Sequence[socket.socket], certificate: Certificate | None) -> None:
        """Accept from these sockets, which are this reception's own now; by TLS where there is a certificate."""
        if certificate is None and not self.spec.proxy_protocol:
            for one in listening:
                self._servers.append(await self._server_of(one))
            return
        introduction = Introduction(
            trusted=lambda: self.spec.trusted_proxies, clock=self._clock, warn=partial(self._tell, "warning")
        )
        doorstep = self._doorstep = Doorstep(
            certificate,
            introduction=introduction if self.spec.proxy_protocol else None,
            protocol=partial(ClientConnection, self, must_be_tls=certificate is not None),
            guard=self.guarded,
            timeout_s=lambda: self.spec.head_timeout_s,
            has_room=lambda waiting: len(self.connections) + waiting < self.spec.connections_max + TURNED_AWAY_MAX,
        )
        for one in listening:
            one.listen(BACKLOG)
            self._doors.append(self._tasks.create_task(doorstep.accept(one), name="accept"))

    async def _server_of(self, listening: socket.socket) -> asyncio.Server:
        loop, protocol = asyncio.get_running_loop(), partial(ClientConnection, self)
        if listening.family == socket.AF_UNIX:
            return await loop.create_unix_server(protocol, sock=listening, backlog=BACKLOG)
        return await loop.create_server(protocol, sock=listening, backlog=BACKLOG)

    async def welcome(self, client: socket.socket, told: str) -> None:
        """Go on with a connection that another gateway had; `told` is its address, where a proxy has told it."""
        client.setblocking(False)
        protocol = partial(ClientConnection, self, told)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(protocol, client)
        except OSError:  # it has gone
            client.close()

    def is_expecting(self, *, since_s: float) -> bool:
        """Say whether somebody has come, or has begun a request, after that, and is not being served yet."""
        if self._doorstep is not None and self._doorstep.came_since(since_s):
            return True
        return any(one.last_s > since_s and (one.is_between or one.is_new) for one in self.connections)

    def shut_doors(self) -> None:
        """Accept nobody any more."""
        for server in self._servers:
            server.close()
        for door in self._doors:
            door.cancel()

    def shut(self) -> None:
        """Accept nobody any more, and finish what is being served."""
        self.shut_doors()
        self.stopping = True
        self.drain()

    def drain(self) -> None:
        """Close the connections that are idle; one whose answer was on its way at the end becomes so later."""
        for connection in tuple(self.connections):
            connection.drain()

    def close(self) -> None:
        """Let go of every connection, whatever it does."""
        for connection in tuple(self.connections):
            connection.abort()
        self._sweeping.cancel()

    # -- what runs beside the requests

    async def guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something for one connection: a bug on its way must not end all the others."""
        try:
            await work
        except Exception as error:  # noqa: BLE001  see above
            self._tell_bug(error)

    def _tell_bug(self, error: Exception) -> None:
        detail = tuple("".join(traceback.format_exception(error)).splitlines())
        self._tell("bug", "a connection was cut by a part of the gateway that broke", detail=detail)

    async def _sweep(self) -> None:
        """Enforce the limits of all connections: one loop instead of a timer for each request."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL_S)
            now_s = self._clock.now_s()
            for connection in tuple(self.connections):
                try:
                    connection.sweep(now_s)
                except Exception as error:  # noqa: BLE001  as for `guarded`
                    connection.abort()
                    self._tell_bug(error)

"""A gateway's HTTP side between raw sockets: a client that sends given bytes, an app that answers given bytes."""

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, Self

from tests.local.request.peer import BIG, GET, OK, PATIENCE_S, Answer, Client, Peer, eventually

from wakegate.core.errors import HoldTimeoutError, RequestError
from wakegate.core.phase import Phase
from wakegate.core.progress import Progress
from wakegate.core.spec import ForwardSpec, GatewaySpec, ProcessSpec, ServiceSpec
from wakegate.local.lane import Target, Waiter
from wakegate.local.request.accept import ClientConnection, Heir
from wakegate.local.visit import CookieVisit, Entry

__all__ = ["BIG", "GET", "OK", "PATIENCE_S", "Answer", "Book", "Client", "Counter", "Peer", "Stage", "eventually"]


class Book:
    """Sessions that are given, not kept: each request gets the visit that the test has laid out for it."""

    def __init__(self) -> None:
        self.visits: list[CookieVisit | Entry] = []
        self.sent: list[Any] = []
        self.data: list[bytes] = []

    def visit(self, cookie: str | None) -> CookieVisit | Entry:
        """See `Sessions.visit`."""
        return self.visits.pop(0)

    def cookie_sent(self, visit: Any) -> None:
        """See `Sessions.cookie_sent`."""
        self.sent.append(visit)

    def store_data(self, visit: Any, data: bytes) -> None:
        """See `Sessions.store_data`."""
        self.data.append(data)


class Counter:
    """A lane that is awake or asleep as the test says, and counts: whatever is let in must come out exactly once."""

    def __init__(self, target: Target) -> None:
        self.spec = ServiceSpec(name="shop", run=ProcessSpec(command=("app",)))
        self.sessions: Book | None = None
        self.target = target
        self.is_awake = True
        self.refusal: RequestError | None = None
        self.held: list[Waiter] = []
        self.left: list[Waiter] = []
        self.unreached: list[str] = []
        self.keeps: list[float] = []
        self.admissions = 0

    def admit(self, waiter: Waiter) -> Target | None:
        """See `Lane.admit`."""
        if self.refusal is not None:
            raise self.refusal
        self.admissions += 1
        if self.is_awake:
            return self._give()
        self.held.append(waiter)
        return None

    def wake(self) -> None:
        """Be awake, and let in whoever waits."""
        self.is_awake = True
        held, self.held = self.held, []
        for waiter in held:
            waiter.release(self._give())

    def refuse_all(self) -> None:
        """Let nobody in who waits."""
        held, self.held = self.held, []
        for waiter in held:
            waiter.refuse(HoldTimeoutError("shop", "waited 1 s", retry_after_s=1.0))

    def leave(self, waiter: Waiter) -> None:
        """See `Lane.leave`."""
        self.held.remove(waiter)
        self.left.append(waiter)

    def answered(self, target: Target, waiter: Waiter) -> None:
        """See `Lane.answered`."""
        target.unanswered -= 1
        assert target.unanswered >= 0, "answered twice"

    def finished(self, target: Target, waiter: Waiter) -> None:
        """See `Lane.finished`."""
        target.in_flight -= 1
        assert target.in_flight >= target.unanswered, "finished before it was answered, or twice"

    def unreachable(self, target: Target, waiter: Waiter, reason: str) -> None:
        """See `Lane.unreachable`."""
        target.unanswered -= 1
        target.in_flight -= 1
        self.unreached.append(reason)
        self.held.append(waiter)

    def keep_awake(self, seconds: float, *, reason: str) -> None:
        """See `Lane.keep_awake`."""
        self.keeps.append(seconds)

    def progress(self) -> Progress:
        """See `Lane.progress`."""
        return Progress(service="shop", phase=Phase.WAKING, elapsed_s=1.0, usual_s=None, retry_after_s=1.0)

    def retry(self) -> bool:
        """See `Lane.retry`."""
        return False

    def limit(self, **changes: Any) -> None:
        """Change the limits of the forward."""
        self.spec = replace(self.spec, forward=replace(ForwardSpec(), **changes))

    def _give(self) -> Target:
        self.target.in_flight += 1
        self.target.unanswered += 1
        return self.target


class Stage:
    """The `Front`, one service behind it, and the app's side of every connection."""

    def __init__(self) -> None:
        self.spec = GatewaySpec()
        self.connections: set[ClientConnection] = set()
        self.stopping = False
        self.heir: Heir | None = None
        self.warnings: list[str] = []
        self._arrivals: asyncio.Queue[Peer] = asyncio.Queue()
        self._peers: list[Peer] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._app = await asyncio.start_server(self._arrive, "127.0.0.1", 0)
        target = Target(number=1, host="127.0.0.1", port=self._app.sockets[0].getsockname()[1])
        self.lane = Counter(target)
        self._server = await loop.create_server(lambda: ClientConnection(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._tasks = await asyncio.TaskGroup().__aenter__()
        return self

    async def __aexit__(self, *how: object) -> None:
        for peer in self._peers:
            peer.writer.transport.abort()
        for connection in tuple(self.connections):
            connection.abort()
        self._server.close()
        self._app.close()
        await self._tasks.__aexit__(None, None, None)
        if how[0] is None:
            await eventually(lambda: not self.connections, "every connection is let go of")
            target = self.lane.target
            assert (target.in_flight, target.unanswered, self.lane.held) == (0, 0, [])

    # -- Front

    def route(self, host: str, path: str) -> Counter | None:
        """See `Front.route`."""
        return self.lane if host.startswith("shop") else None

    def spawn(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """See `Front.spawn`."""
        self._tasks.create_task(work, name=name)

    def warn(self, lane: object, text: str) -> None:
        """See `Front.warn`."""
        self.warnings.append(text)

    # -- what a test does

    async def client(self) -> Client:
        """Connect to the gateway."""
        before = len(self.connections)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        client = Client(reader, writer)
        self._peers.append(client)
        if len(self.connections) == before and not self.stopping:
            await eventually(lambda: len(self.connections) > before, "it is accepted")
        return client

    async def app(self) -> Peer:
        """Return the next connection that the gateway makes to the app."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._arrivals.get()

    async def asked(self, data: bytes = GET) -> tuple[Client, Peer]:
        """Send a request; return its client and the app that has read its head."""
        client = await self.client()
        client.send(data)
        app = await self.app()
        await app.head()
        return client, app

    async def warm(self, client: Client) -> Peer:
        """Make one request; return the connection to the app, which is idle now."""
        client.send(GET)
        app = await self.app()
        await app.head()
        app.send(OK)
        assert (await client.answer()).body == b"ok"
        await self.idle()
        return app

    def limit(self, **changes: Any) -> None:
        """Change the gateway's own limits."""
        self.spec = replace(self.spec, **changes)

    def sweep(self, *, later_s: float = 0.0) -> None:
        """Enforce the limits as if so much time had passed."""
        for connection in tuple(self.connections):
            connection.sweep(time.monotonic() + later_s)

    def shut_app(self) -> None:
        """Listen no more: the next connection is refused."""
        self._app.close()

    @property
    def app_connections(self) -> int:
        """Count the connections to the app that no test has looked at."""
        return self._arrivals.qsize()

    @property
    def in_flight(self) -> int:
        """Count what is in flight."""
        return self.lane.target.in_flight

    async def idle(self, count: int = 1) -> None:
        """Wait until so many connections to the app are there to be used again."""
        await eventually(lambda: len(self.lane.target.idle) == count, f"{count} idle connections")

    async def _arrive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        self._peers.append(peer)
        self._arrivals.put_nowait(peer)

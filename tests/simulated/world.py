"""One service in the fake world, clients that visit it, and faults that befall both.

Over 300 lines because world and client know each other: a crash cuts the one off from the other.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

from wakegate.core.errors import RequestError
from wakegate.core.notice import Notice
from wakegate.core.spec import HoldSpec, ProcessSpec, ScaleSpec, ServiceSpec, SleepSpec
from wakegate.local.elsewhere import NOWHERE, Elsewhere
from wakegate.local.lane import Sessions, Target
from wakegate.local.lane import Visit as SessionVisit
from wakegate.local.needs import link
from wakegate.local.service import Service
from wakegate.local.sessions import SessionBook
from wakegate.local.turns import Turns
from wakegate.sim.clock import SimClock
from wakegate.sim.invariants import Visit
from wakegate.sim.meter import SimMeter, steady
from wakegate.sim.store import SimStore
from wakegate.sim.workload import Behaviour, SimWorkload

T = TypeVar("T")

SPEC = ServiceSpec(
    name="web",
    run=ProcessSpec(command=("app",)),
    sleep=SleepSpec(idle_timeout_s=300, grace_s=1, stop_grace_s=10, drain_timeout_s=30),
    hold=HoldSpec(timeout_s=60),
    scale=ScaleSpec(replicas_max=1),
)
PAUSED = replace(SPEC, sleep=replace(SPEC.sleep, mode="pause", then_stop_after_s=900))


class Clients:
    """Collects what happened to every visit, and the timeline of the service."""

    def __init__(self) -> None:
        self.visits: list[Visit] = []
        self.notices: list[Notice] = []
        self.clock = SimClock()

    def tell(self, notice: Notice) -> None:
        """Take a notice of the service."""
        self.notices.append(notice)

    def texts(self, kind: str) -> list[str]:
        """Return what was told of one kind."""
        return [notice.text for notice in self.notices if notice.kind == kind]


class World(Clients):
    """A service of the real code on a workload that behaves as told."""

    def __init__(
        self,
        *behaviours: Behaviour,
        spec: ServiceSpec = SPEC,
        store: SimStore | None = None,
        cpu_percent: float = 0.0,
        elsewhere: Elsewhere = NOWHERE,
    ) -> None:
        super().__init__()
        self.store = store or SimStore()
        self.workload = SimWorkload(*behaviours)
        self.meter = SimMeter(steady(cpu_percent=cpu_percent))
        self.spec = spec
        self.elsewhere = elsewhere
        self.open: dict[Client, None] = {}  # whose request has reached the gateway and has not ended
        self.is_up = False
        self.up_since_s = 0.0
        self.keeps: list[tuple[float, float]] = []  # from when until when somebody wanted it kept awake
        self.service = self._make()

    def _make(self) -> Service:
        """Make the service anew, with the state directory and the replicas that there are."""
        spec = self.spec
        return Service(
            spec,
            workload=self.workload,
            meter=self.meter,
            store=self.store,
            book=SessionBook(spec.session, service=spec.name, path="/", store=self.store, clock=self.clock),
            clock=self.clock,
            turns=Turns(),
            timeline=self,
            shut=lambda _: None,
            elsewhere=self.elsewhere,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the service until the block ends; then it is cut off, as by kill -9."""
        async with asyncio.TaskGroup() as self._tasks:
            await self._up()
            yield
            self._run.cancel()

    async def crash(self, *, down_s: float) -> None:
        """Kill the gateway with all its connections, and start another after a while."""
        await fall((self,))
        await asyncio.sleep(down_s)
        self.service = self._make()
        await self._up()

    def reached(self) -> None:
        """A request has reached a replica that takes it."""

    @property
    def kept_until_s(self) -> float:
        """When the last keep ends."""
        return max((until_s for _, until_s in self.keeps), default=0.0)

    def keep(self, seconds: float) -> None:
        """Keep it awake for this long."""
        now_s = self.clock.now_s()
        self.keeps.append((now_s, now_s + seconds))
        self.service.keep_awake(seconds, reason="wakegate keep")

    def beside(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do something beside the test, for as long as the world runs."""
        return self._tasks.create_task(work)

    def breaks(self) -> None:
        """Let a task of the service end with a bug."""
        self.service._spawn(_bug(), name="bug")

    def _cut(self) -> None:
        self.is_up = False
        for client in tuple(self.open):
            client.cut()
        self.open.clear()
        self.workload.is_cut_off = True  # what a cancelled task does on its way out, a killed process does not
        self._run.cancel()

    async def _up(self) -> None:
        self._begin()
        await self._begun()

    def _begin(self) -> None:
        self._run = self._tasks.create_task(self.service.run())

    async def _begun(self) -> None:
        await self.service.begun.wait()
        self.is_up, self.up_since_s = True, self.clock.now_s()

    async def visit(self, **how: Any) -> Visit:
        """Make one request and return when it has ended."""
        client = Client(self, **how)
        await client.run()
        return client.visit


async def fall(worlds: Sequence[World]) -> None:
    """Kill the gateway of these services with all its connections, and return once it is gone."""
    for world in worlds:
        world._cut()
    await asyncio.wait({world._run for world in worlds})
    for world in worlds:
        world.workload.is_cut_off = False


async def rise(worlds: Sequence[World]) -> None:
    """Start another gateway for these services; requests come in once each has taken over what there is of it."""
    for world in worlds:
        world.service = world._make()
    link([world.service for world in worlds])
    for world in worlds:
        world._begin()
    for world in worlds:
        await world.service.begun.wait()
    for world in worlds:
        await world._begun()


async def _bug() -> NoReturn:
    raise RuntimeError("a bug")


class Client:
    """A `Waiter` with a client behind it: patient, or one that hangs up."""

    def __init__(
        self,
        world: World,
        *,
        took_s: float = 0.01,
        patience_s: float = 1e9,
        is_navigation: bool = False,
        agent: str = "test",
        session_id: str | None = None,
        method: str = "GET",
        path: str = "/",
        browser: "Browser | None" = None,
    ) -> None:
        self.arrived_s = world.clock.now_s()
        self.is_navigation = is_navigation
        self.counts = True
        self.session_id = session_id
        self.method, self.path, self.agent = method, path, agent
        self.visit = Visit(arrived_s=self.arrived_s, took_s=took_s)
        self.interims = 0
        self._is_cut = False
        self._browser = browser
        self._world = world
        self._patience_s = patience_s
        self._target: asyncio.Future[Target | None] = asyncio.get_running_loop().create_future()
        world.visits.append(self.visit)

    async def run(self) -> None:
        """Ask, wait, be served or refused, or hang up."""
        if not self._world.is_up:
            self.visit.end("refused", now_s=self._world.clock.now_s())
            return
        self._world.open[self] = None
        await self._ask()
        self._world.open.pop(self, None)

    async def target(self) -> Target | None:
        """Return what the wait of one that was not let in at once ends with; None: it was refused."""
        return await self._target

    def cut(self) -> None:
        """The gateway is gone, and the connection with it."""
        self._is_cut = True
        self.visit.end("cut off", now_s=self._world.clock.now_s())
        if not self._target.done():
            self._target.set_result(None)

    async def _ask(self) -> None:
        service, now_s = self._world.service, self._world.clock.now_s
        page = None if self._browser is None else self._browser.asks(service)
        try:
            target = service.admit(self)
        except RequestError as error:
            self.visit.end(type(error).__name__, now_s=now_s())
            return
        while True:
            if target is None:
                target = await self._wait()
            if target is None:
                return
            replica = self._world.workload.at(target.key)
            assert not replica.is_paused, "a request was sent to a replica that is frozen"
            if replica.accepts:
                self._world.reached()
                break
            self._target = asyncio.get_running_loop().create_future()
            refused, target = target, None
            service.unreachable(refused, self, "connection refused")
        await asyncio.sleep(self.visit.took_s)
        if self._is_cut:
            return
        assert not replica.is_paused, "a replica was frozen with a request in flight"
        if page is not None and replica.is_alive:
            page.answered()
        service.answered(target, self)
        self.visit.replica = replica.pid
        self.visit.end("served" if replica.is_alive else "cut", now_s=now_s())
        service.finished(target, self)

    async def _wait(self) -> Target | None:
        """Return the target, None where the wait has ended otherwise."""
        left_s = self.arrived_s + self._patience_s - self._world.clock.now_s()
        done, _ = await asyncio.wait({self._target}, timeout=max(0.0, left_s))
        if done:
            return self._target.result()
        self._world.service.leave(self)
        self.visit.end("gone", now_s=self._world.clock.now_s())
        return None

    def release(self, target: Target, *, was_held: bool = True) -> None:
        """See `Waiter.release`."""
        if not self._is_cut:
            self._target.set_result(target)

    def refuse(self, error: RequestError) -> None:
        """See `Waiter.refuse`."""
        if self._is_cut:
            return
        self.visit.end(type(error).__name__, now_s=self._world.clock.now_s())
        self._target.set_result(None)

    def interim(self) -> None:
        """See `Waiter.interim`."""
        self.interims += 1

    def comment(self) -> None:
        """See `Waiter.comment`."""
        self.interims += 1


class Browser:
    """A visitor with a cookie, and an app that keeps a counter in the session."""

    def __init__(self) -> None:
        self.cookie: str | None = None
        self.ids: list[str] = []  # of the sessions that answers have named
        self.count = 0  # what the app last told, and the gateway acknowledged
        self.wrong: list[str] = []  # what it found other than it had been

    def asks(self, service: Service) -> "Page":
        """Begin a visit."""
        assert service.sessions is not None
        return Page(self, sessions=service.sessions, visit=service.sessions.visit(self.cookie))


class Page:
    """One visit of a browser: the app adds one to its counter."""

    def __init__(self, browser: Browser, *, sessions: Sessions, visit: SessionVisit) -> None:
        self._browser = browser
        self._sessions = sessions
        self._visit = visit
        self._cookie = browser.cookie  # as it was sent

    def answered(self) -> None:
        """Store what the app gives, take the cookie, and compare."""
        browser, visit = self._browser, self._visit
        if browser.cookie is not None and self._cookie == browser.cookie:
            if visit.id != browser.ids[-1]:
                browser.wrong.append(f"{browser.ids[-1]} came back as {visit.id}")
            if int(visit.data or b"0") != browser.count:
                browser.wrong.append(f"{browser.count} came back as {visit.data!r}")
        browser.count = int(visit.data or b"0") + 1
        self._sessions.store_data(visit, str(browser.count).encode())
        if visit.set_cookie is not None:
            browser.cookie = visit.set_cookie.decode().partition("=")[2].partition(";")[0]
            self._sessions.cookie_sent(visit)
        browser.ids.append(visit.id)


async def traffic(world: World, *, rng: random.Random, bursts: int, gap_s: tuple[float, float]) -> None:
    """Send bursts of visits with pauses between them; some clients are slow, some hang up."""
    async with asyncio.TaskGroup() as tasks:
        for _ in range(bursts):
            await asyncio.sleep(rng.uniform(*gap_s))
            for _ in range(rng.choice((1, 1, 1, 3, 20))):
                patience_s = rng.choice((1e9, 1e9, 1e9, rng.uniform(0, 3)))
                took_s = rng.choice((0.01, 0.01, 0.5, rng.uniform(0, 40)))
                tasks.create_task(world.visit(took_s=took_s, patience_s=patience_s))
                await asyncio.sleep(rng.choice((0, 0, rng.uniform(0, 2))))


def with_scale(**changes: object) -> ServiceSpec:
    """Return the spec with another scale."""
    return replace(SPEC, scale=replace(SPEC.scale, **changes))  # type: ignore[arg-type]  # fields of ScaleSpec


def with_sleep(**changes: object) -> ServiceSpec:
    """Return the spec with another sleep."""
    return replace(SPEC, sleep=replace(SPEC.sleep, **changes))  # type: ignore[arg-type]  # fields of SleepSpec

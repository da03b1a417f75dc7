"""The gateway of one machine, put together: routes, services, the store, and the socket that requests come in by.

Over 300 lines because it is where everything meets: its life, its reload and what operators ask act on the same parts.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from wakegate.core.errors import ConfigError, ServiceUnknownError, StateError, WakegateError
from wakegate.core.ledger import WakeLine
from wakegate.core.notice import Notice
from wakegate.core.phase import Phase
from wakegate.core.session import Session
from wakegate.core.spec import ContainerSpec, ProcessSpec, ServiceSpec, Spec
from wakegate.core.status import ServiceStatus
from wakegate.local.backend.containers import Containers
from wakegate.local.backend.process import ProcessWorkload, stop_orphans
from wakegate.local.backend.registry import Registry
from wakegate.local.certificate import Certificate, renew
from wakegate.local.clock import SystemClock
from wakegate.local.elsewhere import NOWHERE
from wakegate.local.inherited import Inheritance
from wakegate.local.listener import NOTHING, Listener, allow_connections, listen
from wakegate.local.needs import link
from wakegate.local.predecessor import Predecessor
from wakegate.local.reception import Reception
from wakegate.local.report import explained, status, with_memory
from wakegate.local.request.pool import shut
from wakegate.local.routes import Routes
from wakegate.local.service import Service
from wakegate.local.sessions import SessionBook
from wakegate.local.store.sqlite import SqliteStore
from wakegate.local.store.state_dir import StateDir
from wakegate.local.successor import Successor
from wakegate.local.turns import Turns
from wakegate.local.workers import doors
from wakegate.local.workers.adopt import dismiss
from wakegate.local.workers.crew import Crew
from wakegate.ports import Timeline, Workload

PURGE_INTERVAL_S = 60.0  # how late an expired session leaves the file
GOING_DOWN = "the gateway is going down"
HEAD_PATIENCE_S = 1.0  # a client that has sent half a head or handshake, and nothing for so long, is not waited for
HANDED_OVER = "a new gateway takes over"
WITH_WORKERS = (
    "with workers an upgrade is a restart, so this one goes on; end it by SIGKILL and start the new one: "
    "the workers serve meanwhile, and are taken over"
)
REMOVED = "it was removed from the configuration"


Left = Callable[[int | Inheritance], None]


class Gateway:
    """Serves until `stop`, and carries out what operators ask. Requests come in by its reception, or by its crew."""

    def __init__(
        self,
        spec: Spec,
        *,
        timeline: Timeline,
        inherited: Inheritance = NOTHING,
        predecessor: Predecessor | None = None,
    ) -> None:
        self.spec = self._began_with = spec.gateway
        self.url = ""
        self.clock = SystemClock()
        self._turns = Turns()
        self._services_spec = spec.services
        self._services: dict[str, Service] = {}
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._leaving: dict[str, tuple[Service, asyncio.Task[None]]] = {}  # removed by a reload, and their closing
        self._timeline = timeline
        self._reception = Reception(spec.gateway, routes=Routes[Service](()), tell=self._tell)
        self._crew: Crew | None = None  # where there are workers
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._asked = asyncio.Event()  # to reload
        self._wanted = spec
        self._reloaded: Callable[[], None] = lambda: None
        self._inherited = inherited
        self._predecessor = predecessor
        self._heir: Successor | None = None
        self._is_upgrading = False

    # -- its life

    async def run(
        self, *, started: Callable[[str], None], beside: AbstractAsyncContextManager[None] | None = None
    ) -> None:
        """Listen, serve until `stop`, drain, stop everything; raise `StateError` where it cannot start.

        `beside` is entered while it serves, in a state directory that is ready and this gateway's own.
        """
        allow_connections(self.spec.connections_max)
        self._state_dir = Path(self.spec.state_dir)
        certificate = Certificate(self.spec.tls_certificate, self.spec.tls_key) if self.spec.tls_key else None
        if self._predecessor is not None:
            self._inherited = await self._predecessor.left(self.spec)
        with StateDir(self._state_dir) as self._lock, SqliteStore(self._state_dir / "state.sqlite") as self._store:
            self._registry = Registry(self._state_dir)
            known = {spec.name for spec in self._services_spec}
            for orphan in await stop_orphans(self._state_dir, known):
                self._tell("stopped-orphan", orphan)
            self._containers = Containers(
                state_dir=self._state_dir,
                clock=self.clock,
                spawn=lambda work, name: self._reception.spawn(work, name=name),
                warn=partial(self._tell, "warning"),
            )
            listener = self._listener = await self._take_place()
            self.url = listener.url(scheme="http" if certificate is None else "https")
            with self._crew or nullcontext():
                async with asyncio.TaskGroup() as self._tasks:
                    await self._serve(listener, certificate, started=started, beside=beside or nullcontext())
                    await self._containers.close()

    def stop(self) -> None:
        """Drain and stop; called again: do not wait for requests in flight."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def upgrade(self, command: Sequence[str], *, environ: Mapping[str, str], left: Left) -> None:
        """Let a new program take this one's place, without refusing a connection; this one goes on where it cannot.

        `left` is called when it is known who serves: with the new program's id, or with what to go on with.
        """
        if self._is_upgrading or self._stop.is_set():
            self._tell("warning", "an upgrade or the end is under way already")
            return
        if self._crew is not None:
            self._tell("warning", WITH_WORKERS)
            return
        self._is_upgrading, self._left = True, left
        self._reception.spawn(self._upgrade(command, environ), name="upgrade")

    def reload(self, spec: Spec, *, done: Callable[[], None] = lambda: None) -> None:
        """Go on under another configuration without dropping a request; what needs a restart stays as it was.

        One at a time; of several that are asked for meanwhile, the newest counts. `done` is called once it is.
        """
        self._reloaded = done
        self._wanted = spec
        self._asked.set()

    # -- Operations: what an operator asks

    def phases(self) -> tuple[Phase, ...]:
        """Return the phase of every service."""
        return tuple(service.phase for service in self._services.values())

    def statuses(self) -> Iterator[ServiceStatus]:
        """Say how every service is, each when it is asked for."""
        counts = self._store.counts(now=self.clock.utc())
        for service in tuple(self._services.values()):
            sessions = 0 if service.sessions is None else counts.get(service.spec.name, 0)
            yield with_memory(status(service, url=self.url, sessions=sessions))

    def glance(self, names: Iterable[str]) -> tuple[ServiceStatus, ...]:
        """Say how these services are, without their memory: what a terminal shows of those that are up."""
        known = [self._services[name] for name in names if name in self._services]
        return tuple(status(service, url=self.url, sessions=_sessions(service)) for service in known)

    async def wake(self, name: str, *, cause: str) -> None:
        """Return when the service is awake; raise the `HeldError` of a wake that failed."""
        await self._service(name).rouse(cause=cause)

    async def sleep(self, name: str, *, force: bool = False, stop: bool = False) -> None:
        """Put a service to sleep now, paused if that is its mode unless it is to `stop`.

        Raise `WakegateError` while requests are in flight, unless forced.
        """
        service = self._service(name)
        if service.spec.scale.replicas_min:
            minimum = service.spec.scale.replicas_min
            raise WakegateError(f"{name}: always awake (scale.min = {minimum}); it would be woken again at once")
        if not force and (due := service.due()):
            raise WakegateError(f"{name}: {due}; to let it sleep until it is asked for again, use --force")
        async with nullcontext() if force else service.hushed():
            busy = service.touch.all_in_flight + len(service.hold)
            if busy and not force:
                are = "request is" if busy == 1 else "requests are"
                raise WakegateError(f"{name}: {busy} {are} in flight; wait for them, or use --force")
            service.put_to_sleep("asked to sleep", may_pause=not stop)

    def keep(self, name: str, seconds: float, *, reason: str) -> None:
        """Keep a service awake for this long from now; 0 ends the keep."""
        self._service(name).keep_awake(seconds, reason=reason if seconds else "")

    def explain(self, name: str) -> tuple[str, ...]:
        """Say why it is awake or asleep, what woke it, who keeps it awake, and when it will sleep."""
        return explained(self._service(name), wakes=self._store.wakes(name, limit=200))

    def sessions(self, name: str, *, limit: int) -> tuple[Session, ...]:
        """Return the live sessions, the most recently seen first."""
        book = self._service(name).sessions
        if book is not None:
            book.flush()
        return tuple(self._store.sessions(name, now=self.clock.utc(), limit=limit))

    def ledger(self, name: str, *, limit: int) -> tuple[WakeLine, ...]:
        """Return the newest wakes, newest first."""
        self._service(name)
        return tuple(self._store.wakes(name, limit=limit))

    def _service(self, name: str) -> Service:
        service = self._services.get(name)
        if service is None:
            close = get_close_matches(name, self._services, n=1)
            hint = f'did you mean "{close[0]}"?' if close else f"there is {', '.join(sorted(self._services))}"
            raise ServiceUnknownError(f'no service is called "{name}"; {hint}')
        return service

    # -- the steps of run

    async def _serve(
        self,
        listener: Listener,
        certificate: Certificate | None,
        *,
        started: Callable[[str], None],
        beside: AbstractAsyncContextManager[None],
    ) -> None:
        self._reception.begin(self._tasks)
        for orphan in await self._containers.end_leftovers(self._services_spec):
            self._tell("stopped-orphan", orphan)
        await self._begin(self._services_spec)
        self._route_all()
        self._loops = [
            self._tasks.create_task(self._purge(), name="purge"),
            self._tasks.create_task(self._reload_when_asked(), name="reload"),
        ]
        if self._crew is not None:
            await self._crew.open(listener.sockets, self._tasks)
        else:
            await self._reception.open(listener.own_sockets(), certificate)
        if certificate is not None:
            self._loops.append(self._tasks.create_task(renew(certificate, tell=self._tell), name="certificate"))
        async with beside:
            started(self.url)
            await self._take_over()
            await self._stop.wait()
            if self._heir is None:
                self._end_loops()
                listener.close()
                listener.remove()
                await self._drain()
        if self._heir is not None:
            await self._leave_to(self._heir)

    def _end_loops(self) -> None:
        for loop in self._loops:
            loop.cancel()

    async def _take_place(self) -> Listener:
        """Return what to listen by, of workers that an earlier gateway left, where there are any."""
        if self.spec.workers != 1 and (missing := doors.missing()):
            raise ConfigError((f"gateway.workers: more than 1 needs Linux, for its {missing}; set workers = 1",))
        count = doors.count_of(self.spec.workers)
        if count == 1:
            await dismiss(self._state_dir, drain_timeout_s=self.spec.drain_timeout_s, tell=self._tell)
        else:
            given = self._inherited.sockets
            self._crew = Crew(self.spec, count=count, given=given, home=self._home, tell=self._tell, clock=self.clock)
            adopted = await self._crew.adopt()
            if adopted and not given:
                return await listen(self.spec, inherited=Inheritance(sockets=tuple(adopted), are_ours=True))
        return await listen(self.spec, inherited=self._inherited)

    def _home(self, name: str) -> Service | None:
        """Return a service by its name, also one that leaves."""
        return self._services.get(name) or (self._leaving[name][0] if name in self._leaving else None)

    async def _begin(self, specs: Iterable[ServiceSpec]) -> None:
        """Let these services live, and return when each has taken over what an earlier gateway left of it."""
        begun = [self._service_of(spec) for spec in specs]
        self._services |= {service.spec.name: service for service in begun}
        if self._predecessor is not None:
            self._predecessor.come({service.spec.name: service for service in begun})
        self._link()
        for service in begun:
            name = service.spec.name
            self._runs[name] = self._tasks.create_task(service.run(), name=f"service:{name}")
        for service in begun:
            await service.begun.wait()

    def _service_of(self, spec: ServiceSpec) -> Service:
        book = SessionBook(
            spec.session,
            service=spec.name,
            path=spec.path,
            store=self._store,
            clock=self.clock,
            warn=partial(self._tell, "warning", service=spec.name),
        )
        return Service(
            spec,
            workload=self._workload(spec),
            meter=self._containers,
            store=self._store,
            book=book,
            clock=self.clock,
            turns=self._turns,
            timeline=self._timeline,
            shut=shut,
            elsewhere=NOWHERE if self._crew is None else self._crew.beside(spec.name),
        )

    def _workload(self, spec: ServiceSpec) -> Workload:
        match spec.run:
            case ProcessSpec() as run:
                return ProcessWorkload(spec.name, run, probe=spec.wake, registry=self._registry, clock=self.clock)
            case ContainerSpec() as run:
                tell = partial(self._tell, service=spec.name)
                return self._containers.workload(spec, run, tell=tell)

    def _link(self) -> None:
        """Connect services and what they need; one that leaves is used by those that leave with it."""
        link([*self._services.values(), *(service for service, _ in self._leaving.values())])

    def _route_all(self) -> None:
        """Let requests find the services that there are now, in this process or in those of the crew."""
        if self._crew is None:
            self._reception.routes = Routes((service.spec, service) for service in self._services.values())
        else:
            self._crew.configure(self.spec, [service.spec for service in self._services.values()])

    async def _purge(self) -> None:
        """Delete the sessions that have expired, of every service."""
        while True:
            with suppress(StateError):  # whoever has something to write says so; this is tried again
                self._store.purge(now=self.clock.utc())
            await asyncio.sleep(PURGE_INTERVAL_S)

    async def _drain(self) -> None:
        """Finish what is in flight, then stop every replica and let go of every connection."""
        front: Reception | Crew = self._crew or self._reception
        self._containers.closing()
        in_flight = self._in_flight()
        text = f"stopping · {in_flight} in flight" if in_flight else "stopping"
        self._tell("closing", text)
        front.shut()
        hurry = self._tasks.create_task(self._hurry_up(), name="hurry")
        async with asyncio.TaskGroup() as closing:
            for service in self._services.values():
                closing.create_task(self._close(service, reason=GOING_DOWN))
            for _, leaves in self._leaving.values():
                closing.create_task(_ended(leaves))
        hurry.cancel()
        if self._crew is not None:
            await self._crew.close()
        self._reception.close()
        self._tell("stopped", "stopped · every replica has ended")

    def _in_flight(self) -> int:
        return sum(service.touch.all_in_flight for service in self._services.values())

    async def _hurry_up(self) -> None:
        await self._hurry.wait()
        for service in (*self._services.values(), *(service for service, _ in self._leaving.values())):
            service.hurry()

    async def _close(self, service: Service, *, reason: str) -> None:
        """Close a service, after those that use it: what they have in flight may need it, and how they end."""
        for user in service.links.users:
            await user.closed.wait()
        await service.close(reason=reason, drain_timeout_s=self.spec.drain_timeout_s)
        self._runs.pop(service.spec.name).cancel()

    # -- another gateway takes over

    async def _upgrade(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        successor: Successor | None = None
        try:
            successor = Successor.start(command, sockets=self._listener.sockets, environ=environ)
            self._tell("upgrading", f"a new program starts (pid {successor.pid})")
            await successor.prepared(self._began_with)
            await successor.turn(self._is_calm)
        except StateError as error:
            if successor is not None:
                await successor.end()
            self._tell("warning", f"no upgrade, this one goes on: {error}")
        else:
            self._let_go(successor)
        finally:
            self._is_upgrading = False

    def _is_calm(self) -> bool:
        return (
            not self._leaving
            and not self._stop.is_set()
            and all(service.is_settled for service in self._services.values())
            and not self._reception.is_expecting(since_s=self.clock.now_s() - HEAD_PATIENCE_S)
        )

    def _let_go(self, successor: Successor) -> None:
        """Leave state, services and sockets, without a pause in which a request could come; in flight it goes on."""
        self._end_loops()
        self._reception.shut_doors()
        for service in self._services.values():
            service.let_go(reason=HANDED_OVER, write_wake=successor.write_wake)
        for run in self._runs.values():
            run.cancel()
        self._containers.closing()
        self._lock.release()
        self._heir = self._reception.heir = successor
        for connection in tuple(self._reception.connections):
            successor.take(connection)
        self._stop.set()

    async def _leave_to(self, successor: Successor) -> None:
        """See the successor serve, finish what is in flight, and give it what is free."""
        await successor.leave_to(are_ours=self._listener.are_ours, busy=self._busy())
        if await successor.serves():
            self._tell("upgraded", f"the new program serves (pid {successor.pid}) · {self._in_flight()} in flight here")
            self._listener.close()
            self._left(successor.pid)
        else:
            self._tell("warning", "the new program has failed, this one takes everything back")
            clients = tuple(successor.take_back())
            self._left(Inheritance(sockets=self._listener.sockets, are_ours=self._listener.are_ours, clients=clients))
        await successor.finish(
            self._reception.connections,
            busy=self._busy,
            is_hurried=self._hurry.is_set,
            timeout_s=self.spec.drain_timeout_s,
        )
        self._reception.close()
        await successor.part()

    def _busy(self) -> list[str]:
        return [name for name, service in self._services.items() if service.touch.in_flight]

    async def _take_over(self) -> None:
        """Go on with the clients that another gateway had."""
        for client, told in self._inherited.clients:
            await self._reception.welcome(client, told)
        if self._predecessor is not None:
            follow = self._predecessor.follow(
                self._services, welcome=self._reception.welcome, write_wake=self._write_wake
            )
            self._reception.spawn(follow, name="predecessor")

    def _write_wake(self, line: WakeLine) -> None:
        """Store how a wake of another gateway has ended."""
        if line.service in self._services:
            self._services[line.service].keeper.write_wake(line)

    # -- a reload

    async def _reload_when_asked(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                await self._reload(self._wanted)
            except (StateError, OSError) as error:
                self._tell("warning", f"the reload was carried out in part: {error}")
            self._reloaded()

    async def _reload(self, spec: Spec) -> None:
        self.spec = self._reception.spec = spec.gateway
        wanted = {service.name: service for service in spec.services}
        for name in [name for name in self._services if name not in wanted]:
            self._leave(self._services.pop(name))
        for name, service in self._services.items():
            self._change(service, wanted[name])
        self._link()
        self._route_all()
        new = [service for name, service in wanted.items() if name not in self._services]
        for name in {service.name for service in new} & self._leaving.keys():
            await _ended(self._leaving[name][1])  # two writers of one record would undo each other
        await self._begin(new)
        self._route_all()

    def _change(self, service: Service, new: ServiceSpec) -> None:
        is_other = _runs(service.spec) != _runs(new)
        service.configure(new)
        if is_other:
            service.replace_workload(self._workload(new))

    def _leave(self, service: Service) -> None:
        """Close a service that was removed, beside everything else: what it has in flight may take its time."""
        name = service.spec.name
        leaves = self._tasks.create_task(self._close(service, reason=REMOVED), name=f"leave:{name}")
        self._leaving[name] = (service, leaves)
        leaves.add_done_callback(lambda _: self._leaving.pop(name))

    def _tell(self, kind: str, text: str, *, service: str = "", detail: tuple[str, ...] = ()) -> None:
        at, subject = self.clock.utc(), service or "wakegate"
        self._timeline.tell(Notice(at=at, kind=kind, service=service, subject=subject, text=text, detail=detail))


async def _ended(task: asyncio.Task[None]) -> None:
    await asyncio.wait({task})


def _sessions(service: Service) -> int:
    return 0 if service.sessions is None else service.sessions.live_count()


def _runs(spec: ServiceSpec) -> tuple[object, ...]:
    """Return what a workload is made of: where it differs, the replicas are replaced."""
    return spec.run, spec.wake.probe, spec.wake.probe_timeout_s

"""The gateway of one machine, put together: routes, services, the store, and the socket that requests come in by.

Over 300 lines because it is where everything meets: its life, its reload and what operators ask act on the same parts.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from wakegate.core.errors import ConfigError, ServiceUnknownError, StateError, WakegateError
from wakegate.core.ledger import WakeLine
from wakegate.core.notice import Notice
from wakegate.core.session import Session
from wakegate.core.spec import ContainerSpec, ProcessSpec, ServiceSpec, Spec
from wakegate.core.status import ServiceStatus
from wakegate.local.backend.containers import Containers
from wakegate.local.backend.process import ProcessWorkload, stop_orphans
from wakegate.local.certificate import Certificate, renew
from wakegate.local.clock import SystemClock
from wakegate.local.elsewhere import NOWHERE
from wakegate.local.listener import allow_connections, listen, own_sockets, url_of
from wakegate.local.needs import link
from wakegate.local.reception import Reception
from wakegate.local.report import explained, status, with_memory
from wakegate.local.request.pool import shut
from wakegate.local.routes import Routes
from wakegate.local.service import Service
from wakegate.local.sessions import SessionBook
from wakegate.local.store.sqlite import SqliteStore
from wakegate.local.store.state_dir import StateDir
from wakegate.local.workers import doors
from wakegate.local.workers.adopt import dismiss
from wakegate.local.workers.crew import Crew
from wakegate.ports import Timeline, Workload

PURGE_INTERVAL_S = 60.0  # how late an expired session leaves the file
GOING_DOWN = "the gateway is going down"
REMOVED = "it was removed from the configuration"


class Gateway:
    """Serves until `stop`, and carries out what operators ask. Requests come in by its reception, or by its crew."""

    def __init__(self, spec: Spec, *, timeline: Timeline) -> None:
        self.spec = spec.gateway
        self.url = ""
        self.clock = SystemClock()
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

    # -- its life

    async def run(
        self, *, started: Callable[[str], None], beside: AbstractAsyncContextManager[None] | None = None
    ) -> None:
        """Listen, serve until `stop`, drain, stop everything; raise `StateError` where it cannot start.

        `beside` is entered while it serves, in a state directory that is ready and this gateway's own.
        """
        allow_connections(self.spec.connections_max)
        self._state_dir = Path(self.spec.state_dir)
        with StateDir(self._state_dir), SqliteStore(self._state_dir / "state.sqlite") as self._store:
            known = {spec.name for spec in self._services_spec}
            for orphan in await stop_orphans(self._state_dir, known):
                self._tell("stopped-orphan", orphan)
            self._containers = Containers(
                state_dir=self._state_dir,
                clock=self.clock,
                spawn=lambda work, name: self._reception.spawn(work, name=name),
                warn=partial(self._tell, "warning"),
            )
            certificate = Certificate(self.spec.tls_certificate, self.spec.tls_key) if self.spec.tls_key else None
            listening = await self._take_port()
            scheme = "http" if certificate is None else "https"
            self.url = url_of(self.spec.host, listening[0].getsockname()[1], scheme=scheme)
            with self._crew or nullcontext():
                async with asyncio.TaskGroup() as self._tasks:
                    await self._serve(listening, certificate, started=started, beside=beside or nullcontext())
                    await self._containers.close()

    def stop(self) -> None:
        """Drain and stop; called again: do not wait for requests in flight."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def reload(self, spec: Spec) -> None:
        """Go on under another configuration without dropping a request; what needs a restart stays as it was.

        One at a time; of several that are asked for meanwhile, the newest counts.
        """
        self._wanted = spec
        self._asked.set()

    # -- Operations: what an operator asks

    def statuses(self) -> tuple[ServiceStatus, ...]:
        """Say how every service is."""
        return tuple(with_memory(status(service, url=self.url)) for service in self._services.values())

    def glance(self, names: Iterable[str]) -> tuple[ServiceStatus, ...]:
        """Say how these services are, without their memory: what a terminal shows of those that are up."""
        return tuple(status(self._services[name], url=self.url) for name in names if name in self._services)

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
        listening: Sequence[socket.socket],
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
        loops = [
            self._tasks.create_task(self._purge(), name="purge"),
            self._tasks.create_task(self._reload_when_asked(), name="reload"),
        ]
        if self._crew is not None:
            await self._crew.open(listening, self._tasks)
        else:
            await self._reception.open(listening, certificate)
        if certificate is not None:
            loops.append(self._tasks.create_task(renew(certificate, tell=self._tell), name="certificate"))
        async with beside:
            started(self.url)
            await self._stop.wait()
            for loop in loops:
                loop.cancel()
            await self._drain()

    async def _take_port(self) -> Sequence[socket.socket]:
        """Return the sockets to listen by, of workers that an earlier gateway left, where there are any."""
        if self.spec.workers != 1 and (missing := doors.missing()):
            raise ConfigError((f"gateway.workers: more than 1 needs Linux, for its {missing}; set workers = 1",))
        count = doors.count_of(self.spec.workers)
        if count == 1:
            await dismiss(self._state_dir, drain_timeout_s=self.spec.drain_timeout_s, tell=self._tell)
        else:
            self._crew = Crew(self.spec, count=count, home=self._home, tell=self._tell, clock=self.clock)
            if adopted := await self._crew.adopt():
                return adopted
        server = await listen(self.spec.host, self.spec.port, protocol=asyncio.Protocol)
        own = own_sockets(server)
        server.close()
        return own

    def _home(self, name: str) -> Service | None:
        """Return a service by its name, also one that leaves."""
        return self._services.get(name) or (self._leaving[name][0] if name in self._leaving else None)

    async def _begin(self, specs: Iterable[ServiceSpec]) -> None:
        """Let these services live, and return when each has taken over what an earlier gateway left of it."""
        begun = [self._service_of(spec) for spec in specs]
        self._services |= {service.spec.name: service for service in begun}
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
            timeline=self._timeline,
            shut=shut,
            elsewhere=NOWHERE if self._crew is None else self._crew.beside(spec.name),
        )

    def _workload(self, spec: ServiceSpec) -> Workload:
        match spec.run:
            case ProcessSpec() as run:
                return ProcessWorkload(spec.name, run, probe=spec.wake, state_dir=self._state_dir, clock=self.clock)
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
        in_flight = sum(service.touch.all_in_flight for service in self._services.values())
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

    # -- a reload

    async def _reload_when_asked(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                await self._reload(self._wanted)
            except (StateError, OSError) as error:
                self._tell("warning", f"the reload was carried out in part: {error}")

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


def _runs(spec: ServiceSpec) -> tuple[object, ...]:
    """Return what a workload is made of: where it differs, the replicas are replaced."""
    return spec.run, spec.wake.probe, spec.wake.probe_timeout_s

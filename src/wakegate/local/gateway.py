"""The gateway of one machine, put together: routes, services, the store, and the socket that requests come in by.

Over 300 lines because it is where everything meets: its life, its reload and what operators ask act on the same parts.
"""

import asyncio
import traceback
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from wakegate.core.errors import ServiceUnknownError, StateError, WakegateError
from wakegate.core.ledger import WakeLine
from wakegate.core.notice import Notice
from wakegate.core.session import Session
from wakegate.core.spec import ContainerSpec, ProcessSpec, ServiceSpec, Spec
from wakegate.core.status import ServiceStatus
from wakegate.local.backend.containers import Containers
from wakegate.local.backend.process import ProcessWorkload, stop_orphans
from wakegate.local.certificate import Certificate
from wakegate.local.clock import SystemClock
from wakegate.local.doorstep import Doorstep
from wakegate.local.lane import Lane
from wakegate.local.listener import allow_connections, listen, own_sockets, url_of
from wakegate.local.needs import link
from wakegate.local.report import explained, status, with_memory
from wakegate.local.request.accept import TURNED_AWAY_MAX, ClientConnection
from wakegate.local.request.pool import shut
from wakegate.local.routes import Routes
from wakegate.local.service import Service
from wakegate.local.sessions import SessionBook
from wakegate.local.store.sqlite import SqliteStore
from wakegate.local.store.state_dir import StateDir
from wakegate.local.turns import Turns
from wakegate.ports import Timeline, Workload

SWEEP_INTERVAL_S = 0.25  # how late a limit of a connection may be noticed
CERTIFICATE_INTERVAL_S = 1.0  # how late a new certificate is seen
PURGE_INTERVAL_S = 60.0  # how late an expired session leaves the file
GOING_DOWN = "the gateway is going down"
REMOVED = "it was removed from the configuration"


class Gateway:
    """Serves until `stop`. It is the `Front` of the HTTP side and carries out what operators ask."""

    def __init__(self, spec: Spec, *, timeline: Timeline) -> None:
        self.spec = spec.gateway
        self.url = ""
        self.stopping = False
        self.connections: set[ClientConnection] = set()
        self.clock = SystemClock()
        self._turns = Turns()
        self._services_spec = spec.services
        self._services: dict[str, Service] = {}
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._leaving: dict[str, tuple[Service, asyncio.Task[None]]] = {}  # removed by a reload, and their closing
        self._routes: Routes[Service] = Routes(())
        self._timeline = timeline
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._asked = asyncio.Event()  # to reload
        self._wanted = spec

    # -- Front: what the HTTP side asks

    def route(self, host: str, path: str) -> Lane | None:
        """Return the lane of a host and a path."""
        return self._routes.find(host, path)

    def spawn(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Run something beside the requests, for as long as the gateway runs."""
        self._tasks.create_task(self._guarded(work), name=name)

    def warn(self, lane: Lane, text: str) -> None:
        """Tell the timeline what a request has shown to be wrong with a service."""
        self._tell("warning", text, service=lane.spec.name)

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
                spawn=lambda work, name: self._tasks.create_task(self._guarded(work), name=name),
                warn=partial(self._tell, "warning"),
            )
            certificate = Certificate(self.spec.tls_certificate, self.spec.tls_key) if self.spec.tls_key else None
            server = await listen(self.spec.host, self.spec.port, protocol=partial(ClientConnection, self))
            scheme = "http" if certificate is None else "https"
            self.url = url_of(self.spec.host, server.sockets[0].getsockname()[1], scheme=scheme)
            async with asyncio.TaskGroup() as self._tasks:
                for orphan in await self._containers.end_leftovers(self._services_spec):
                    self._tell("stopped-orphan", orphan)
                await self._begin(self._services_spec)
                self._route_all()
                loops = [
                    self._tasks.create_task(self._sweep(), name="sweep"),
                    self._tasks.create_task(self._purge(), name="purge"),
                ]
                reloads = self._tasks.create_task(self._reload_when_asked(), name="reload")
                doors: list[asyncio.Task[None]] = []
                if certificate is None:
                    await server.start_serving()
                else:
                    doors = self._open(server, certificate)
                async with beside or nullcontext():
                    started(self.url)
                    await self._stop.wait()
                    server.close()
                    for door in doors:
                        door.cancel()
                    reloads.cancel()
                    await self._drain()
                await self._containers.close()
                for loop in loops:
                    loop.cancel()

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
        busy = service.touch.in_flight + len(service.hold)
        if not force and (due := service.due()):
            raise WakegateError(f"{name}: {due}; to let it sleep until it is asked for again, use --force")
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
            turns=self._turns,
            timeline=self._timeline,
            shut=shut,
        )

    def _workload(self, spec: ServiceSpec) -> Workload:
        match spec.run:
            case ProcessSpec() as run:
                return ProcessWorkload(spec.name, run, probe=spec.wake, state_dir=self._state_dir, clock=self.clock)
            case ContainerSpec() as run:
                tell = partial(self._tell, service=spec.name)
                return self._containers.workload(spec, run, tell=tell)

    def _open(self, server: asyncio.Server, certificate: Certificate) -> list[asyncio.Task[None]]:
        """Serve TLS, and look whether there is a new certificate; return what ends when no connection is accepted."""
        doorstep = Doorstep(
            certificate,
            protocol=partial(ClientConnection, self, must_be_tls=True),
            guard=self._guarded,
            timeout_s=lambda: self.spec.head_timeout_s,
            has_room=lambda waiting: len(self.connections) + waiting < self.spec.connections_max + TURNED_AWAY_MAX,
        )
        doors = [self._tasks.create_task(doorstep.accept(own), name="accept") for own in own_sockets(server)]
        return [*doors, self._tasks.create_task(self._renew(certificate), name="certificate")]

    async def _renew(self, certificate: Certificate) -> None:
        while True:
            await asyncio.sleep(CERTIFICATE_INTERVAL_S)
            try:
                if certificate.refresh():
                    self._tell("reloaded", "new connections get the new certificate")
            except StateError as error:
                self._tell("warning", f"the new certificate is not used, the old one goes on: {error}")

    def _link(self) -> None:
        """Connect services and what they need; one that leaves is used by those that leave with it."""
        link([*self._services.values(), *(service for service, _ in self._leaving.values())])

    def _route_all(self) -> None:
        self._routes = Routes((service.spec, service) for service in self._services.values())

    async def _sweep(self) -> None:
        """Enforce the limits of all connections: one loop instead of a timer for each request."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL_S)
            now_s = self.clock.now_s()
            for connection in tuple(self.connections):
                try:
                    connection.sweep(now_s)
                except Exception as error:  # noqa: BLE001  as for `spawn`
                    connection.abort()
                    self._tell_bug(error)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  a bug on the way of one request must not end all services
            self._tell_bug(error)

    def _tell_bug(self, error: Exception) -> None:
        detail = tuple("".join(traceback.format_exception(error)).splitlines())
        self._tell("bug", "a connection was cut by a part of the gateway that broke", detail=detail)

    async def _purge(self) -> None:
        """Delete the sessions that have expired, of every service."""
        while True:
            with suppress(StateError):  # whoever has something to write says so; this is tried again
                self._store.purge(now=self.clock.utc())
            await asyncio.sleep(PURGE_INTERVAL_S)

    async def _drain(self) -> None:
        """Finish what is in flight, then stop every replica and let go of every connection."""
        self.stopping = True
        self._containers.closing()
        in_flight = sum(service.touch.in_flight for service in self._services.values())
        text = f"stopping · {in_flight} in flight" if in_flight else "stopping"
        self._tell("closing", text)
        for connection in tuple(self.connections):
            connection.drain()
        hurry = self._tasks.create_task(self._hurry_up(), name="hurry")
        async with asyncio.TaskGroup() as closing:
            for service in self._services.values():
                closing.create_task(self._close(service, reason=GOING_DOWN))
            for _, leaves in self._leaving.values():
                closing.create_task(_ended(leaves))
        hurry.cancel()
        for connection in tuple(self.connections):
            connection.abort()
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
        self.spec = spec.gateway
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

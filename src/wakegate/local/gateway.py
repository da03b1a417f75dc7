"""The gateway of one machine, put together: routes, services, the store, and the socket that requests come in by.

Over 300 lines because it is where everything meets: its life, its reload and what operators ask act on the same parts.
"""

import asyncio
import socket
import traceback
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
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
from wakegate.local.inherited import Inheritance
from wakegate.local.introduction import Introduction
from wakegate.local.lane import Lane
from wakegate.local.listener import NOTHING, Listener, allow_connections, listen
from wakegate.local.needs import link
from wakegate.local.predecessor import Predecessor
from wakegate.local.report import explained, status, with_memory
from wakegate.local.request.accept import ClientConnection
from wakegate.local.request.pool import shut
from wakegate.local.routes import Routes
from wakegate.local.service import Service
from wakegate.local.sessions import SessionBook
from wakegate.local.store.sqlite import SqliteStore
from wakegate.local.store.state_dir import StateDir
from wakegate.local.successor import Successor
from wakegate.ports import Timeline, Workload

SWEEP_INTERVAL_S = 0.25  # how late a limit of a connection may be noticed
CERTIFICATE_INTERVAL_S = 1.0  # how late a new certificate is seen
PURGE_INTERVAL_S = 60.0  # how late an expired session leaves the file
GOING_DOWN = "the gateway is going down"
HEAD_PATIENCE_S = 1.0  # a client that has sent half a head, and nothing for so long, is not waited for
HANDED_OVER = "a new gateway takes over"
REMOVED = "it was removed from the configuration"


Left = Callable[[int | Inheritance], None]


class Gateway:
    """Serves until `stop`. It is the `Front` of the HTTP side and carries out what operators ask."""

    def __init__(
        self,
        spec: Spec,
        *,
        timeline: Timeline,
        inherited: Inheritance = NOTHING,
        predecessor: Predecessor | None = None,
    ) -> None:
        self.spec = spec.gateway
        self.url = ""
        self.stopping = False
        self.connections: set[ClientConnection] = set()
        self.clock = SystemClock()
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
        self._reloaded: Callable[[], None] = lambda: None
        self._inherited = inherited
        self._predecessor = predecessor
        self.heir: Successor | None = None
        self._is_upgrading = False

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
        certificate = Certificate(self.spec.tls_certificate, self.spec.tls_key) if self.spec.tls_key else None
        if self._predecessor is not None:
            self._inherited = await self._predecessor.left(self.spec)
        with StateDir(self._state_dir) as self._lock, SqliteStore(self._state_dir / "state.sqlite") as self._store:
            known = {spec.name for spec in self._services_spec}
            for orphan in await stop_orphans(self._state_dir, known):
                self._tell("stopped-orphan", orphan)
            self._containers = Containers(
                state_dir=self._state_dir,
                clock=self.clock,
                spawn=lambda work, name: self._tasks.create_task(self._guarded(work), name=name),
                warn=partial(self._tell, "warning"),
            )
            listener = self._listener = await listen(
                self.spec, protocol=partial(ClientConnection, self), inherited=self._inherited
            )
            self.url = listener.url(scheme="http" if certificate is None else "https")
            async with asyncio.TaskGroup() as self._tasks:
                for orphan in await self._containers.end_leftovers(self._services_spec):
                    self._tell("stopped-orphan", orphan)
                await self._begin(self._services_spec)
                self._route_all()
                loops = [
                    self._tasks.create_task(self._sweep(), name="sweep"),
                    self._tasks.create_task(self._purge(), name="purge"),
                ]
                self._doors = [self._tasks.create_task(self._reload_when_asked(), name="reload")]
                if certificate is None and not self.spec.proxy_protocol:
                    await listener.start()
                else:
                    self._doors += self._open(listener, certificate)
                async with beside or nullcontext():
                    started(self.url)
                    await self._take_over()
                    await self._stop.wait()
                    if self.heir is None:
                        self._close_doors()
                        listener.remove()
                        await self._drain()
                if self.heir is not None:
                    await self._leave_to(self.heir)
                await self._containers.close()
                for loop in loops:
                    loop.cancel()

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
        self._is_upgrading, self._left = True, left
        self.spawn(self._upgrade(command, environ), name="upgrade")

    def reload(self, spec: Spec, *, done: Callable[[], None] = lambda: None) -> None:
        """Go on under another configuration without dropping a request; what needs a restart stays as it was.

        One at a time; of several that are asked for meanwhile, the newest counts. `done` is called once it is.
        """
        self._reloaded = done
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

    def _open(self, listener: Listener, certificate: Certificate | None) -> list[asyncio.Task[None]]:
        """Serve what does not begin with HTTP: TLS, or a PROXY header; return what ends when nothing is accepted."""
        introduction = Introduction(
            trusted=lambda: self.spec.trusted_proxies, clock=self.clock, warn=partial(self._tell, "warning")
        )
        doorstep = Doorstep(
            certificate,
            introduction=introduction if self.spec.proxy_protocol else None,
            protocol=partial(ClientConnection, self, must_be_tls=certificate is not None),
            guard=self._guarded,
            timeout_s=lambda: self.spec.head_timeout_s,
            has_room=lambda waiting: len(self.connections) + waiting < self.spec.connections_max,
        )
        doors = [self._tasks.create_task(doorstep.accept(own), name="accept") for own in listener.own_sockets()]
        if certificate is not None:  # looked at every second: there may be a new one
            doors.append(self._tasks.create_task(self._renew(certificate), name="certificate"))
        return doors

    async def _renew(self, certificate: Certificate) -> None:
        while True:
            await asyncio.sleep(CERTIFICATE_INTERVAL_S)
            try:
                if certificate.refresh():
                    self._tell("reloaded", "new connections get the new certificate")
            except StateError as error:
                self._tell("warning", f"the new certificate is not used, the old one goes on: {error}")

    def _close_doors(self) -> None:
        self._listener.close()
        for door in self._doors:
            door.cancel()

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
        in_flight = self._in_flight()
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

    def _in_flight(self) -> int:
        return sum(service.touch.in_flight for service in self._services.values())

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
            await successor.prepared(self.spec)
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
        slow_s = self.clock.now_s() - HEAD_PATIENCE_S
        return (
            not self._leaving
            and not self._stop.is_set()
            and all(service.is_settled for service in self._services.values())
            and not any(connection.is_between and connection.last_s > slow_s for connection in self.connections)
        )

    def _let_go(self, successor: Successor) -> None:
        """Leave state, services and sockets, without a pause in which a request could come; in flight it goes on."""
        self._kept = self._listener.own_sockets()  # in case that it has to go on after all
        self._close_doors()
        for service in self._services.values():
            service.let_go(reason=HANDED_OVER)
        for run in self._runs.values():
            run.cancel()
        self._containers.closing()
        self._lock.release()
        self.heir = successor
        for connection in tuple(self.connections):
            successor.take(connection)
        self._stop.set()

    async def _leave_to(self, successor: Successor) -> None:
        """See the successor serve, finish what is in flight, and give it what is free."""
        await successor.leave_to(are_ours=self._listener.are_ours)
        if await successor.serves():
            self._tell("upgraded", f"the new program serves (pid {successor.pid}) · {self._in_flight()} in flight here")
            for kept in self._kept:
                kept.close()
            self._left(successor.pid)
        else:
            self._tell("warning", "the new program has failed, this one takes everything back")
            clients = tuple(successor.take_back())
            self._left(Inheritance(sockets=self._kept, are_ours=self._listener.are_ours, clients=clients))
        await successor.finish(
            self.connections,
            busy=lambda: [name for name, service in self._services.items() if service.touch.in_flight],
            is_hurried=self._hurry.is_set,
            timeout_s=self.spec.drain_timeout_s,
        )
        for connection in tuple(self.connections):
            connection.abort()

    async def _take_over(self) -> None:
        """Go on with the clients that another gateway had."""
        for client, told in self._inherited.clients:
            await self._welcome(client, told)
        if self._predecessor is not None:
            self.spawn(self._predecessor.follow(self._services, welcome=self._welcome), name="predecessor")

    async def _welcome(self, client: socket.socket, told: str) -> None:
        client.setblocking(False)
        protocol = partial(ClientConnection, self, told)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(protocol, client)
        except OSError:  # it has gone
            client.close()

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

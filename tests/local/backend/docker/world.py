"""Real containers in a line or two, the engine that watches them, and a daemon that can be cut off."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from tests.local.backend.world import WallClock

from wakegate.core.spec import ContainerSpec, ServiceSpec, WakeSpec
from wakegate.local.backend.containers import Containers
from wakegate.local.backend.docker.engine import Engine
from wakegate.local.backend.docker.facts import Facts
from wakegate.local.backend.docker.owner import owner_of
from wakegate.local.backend.docker.replica import ContainerReplica
from wakegate.local.backend.docker.roster import Roster
from wakegate.local.backend.docker.workload import ContainerWorkload
from wakegate.local.probe import until_ready

SOCKET = "/var/run/docker.sock"
HTTP = ("httpd", "-f", "-p", "{port}")
# The first process of a container is deaf to signals that it has no handler for: this one handles its own.
POLITE = ("sh", "-c", "trap 'echo got SIGTERM; exit 0' TERM; busybox httpd -f -p {port} & wait")
SLEEPS = ("sh", "-c", "trap 'exit 0' TERM; busybox sleep 1000 & wait")


def docker(*arguments: str) -> str:
    """Run the docker command and return what it says; fail with its words."""
    ran = _docker(*arguments)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def remove_containers(which: str) -> None:
    """Remove what a filter of `docker ps` finds; a gateway that has just ended may be removing it, too."""
    for container in docker("ps", "--all", "--quiet", "--filter", which).split():
        _docker("rm", "--force", "--volumes", container)


def exists(container: str) -> bool:
    """Say whether there is such a container."""
    return _docker("inspect", container).returncode == 0


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Straight to the daemon: a forwarder runs in our own event loop, which waits for the command here.
    command = ("docker", "--host", f"unix://{SOCKET}", *arguments)
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def owned(state_dir: Path, *, running: bool = False) -> list[str]:
    """Return the names of all containers of the gateways of a state directory, or of those that run or are paused."""
    label = f"label=wakegate.owner={owner_of(state_dir)}"
    which = () if running else ("--all",)
    return docker("ps", *which, "--filter", label, "--format", "{{.Names}}").split()


class Told(list[tuple[str, str]]):
    """Notices: their kind and their text."""

    def __call__(self, kind: str, text: str) -> None:
        """Take one."""
        self.append((kind, text))

    def of(self, kind: str) -> list[str]:
        """Return the texts of one kind."""
        return [text for each, text in self if each == kind]


class World:
    """One gateway's view of Docker."""

    def __init__(self, engine: Engine, state_dir: Path, warnings: list[str]) -> None:
        self.engine = engine
        self.state_dir = state_dir
        self.warnings = warnings
        self.told = Told()

    def roster(self, spec: ContainerSpec, *, service: str = "web", wake: WakeSpec | None = None) -> Roster:
        """Make a roster."""
        return Roster(
            service,
            spec,
            engine=self.engine,
            probe=wake or WakeSpec(timeout_s=30),
            state_dir=self.state_dir,
            clock=WallClock(),
        )

    def workload(
        self, image: str = "", *, service: str = "web", wake: WakeSpec | None = None, **settings: Any
    ) -> ContainerWorkload:
        """Make the workload of a service of ours; `settings` are those of `ContainerSpec`."""
        given: dict[str, Any] = {"command": POLITE, "port": 8000} | settings
        spec = ContainerSpec(image=image, **given)
        return ContainerWorkload(
            service,
            spec,
            engine=self.engine,
            roster=self.roster(spec, service=service, wake=wake),
            owner=owner_of(self.state_dir),
            wake=wake or WakeSpec(timeout_s=30),
            tell=self.told,
        )

    async def inspect(self, name: str) -> Facts:
        """Return the facts of a container that is there."""
        facts = await self.engine.inspect(name)
        assert facts is not None
        return facts


@asynccontextmanager
async def world(state_dir: Path) -> AsyncIterator[World]:
    """A gateway's view of Docker, for as long as the block lasts; what it started is left as it is."""
    warnings: list[str] = []
    async with asyncio.TaskGroup() as tasks:
        engine = Engine(spawn=lambda work, name: tasks.create_task(work, name=name), warn=warnings.append)
        try:
            yield World(engine, state_dir, warnings)
        finally:
            await engine.close()


@asynccontextmanager
async def containers(state_dir: Path) -> AsyncIterator[Containers]:
    """What a gateway has of this package."""

    def spawn(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        return tasks.create_task(work, name=name)

    async with asyncio.TaskGroup() as tasks:
        made = Containers(state_dir=state_dir, clock=WallClock(), spawn=spawn, warn=lambda _: None)
        try:
            yield made
        finally:
            await made.close()


def service(run: ContainerSpec, *, name: str = "web", **settings: Any) -> ServiceSpec:
    """Return the specification of a service that is a container."""
    return ServiceSpec(name=name, run=run, wake=WakeSpec(timeout_s=30), **settings)


async def ready(replica: ContainerReplica) -> ContainerReplica:
    """Wait for its probe."""
    await until_ready(replica, timeout_s=30, clock=WallClock())
    return replica


async def stopped(replica: ContainerReplica) -> str:
    """Stop it and return how it ended."""
    replica.terminate()
    return str(await replica.exited())


class Forwarder:
    """Stands between a gateway and the daemon, and can be away as a daemon can: refused, and every stream cut."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def begin(self) -> None:
        """Let the daemon be there."""
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def end(self) -> None:
        """Let it be away."""
        assert self._server is not None
        self._server.close()
        self.path.unlink(missing_ok=True)
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_daemon = await asyncio.open_unix_connection(SOCKET)
        self._open |= {writer, to_daemon}
        async with asyncio.TaskGroup() as both:
            both.create_task(self._copy(reader, to_daemon))
            both.create_task(self._copy(there, writer))
        self._open -= {writer, to_daemon}

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(65_536):
                sink.write(piece)
                await sink.drain()
        sink.close()

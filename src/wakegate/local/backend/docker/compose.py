"""A service of a Compose project whose containers exist: what it depends on is started before it, stopped after it.

What may be stopped is read from the world each time, not counted: so it stays right across restarts of the gateway,
and when somebody starts a service by hand.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from wakegate.core.errors import WorkloadError
from wakegate.core.spec import ComposeStep, ContainerSpec
from wakegate.local.backend.docker.client import EngineError
from wakegate.local.backend.docker.engine import Engine
from wakegate.local.backend.docker.existing import run
from wakegate.local.backend.docker.facts import Facts

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
NUMBER = "com.docker.compose.container-number"
ONE_OFF = "com.docker.compose.oneoff"
CHANGE_S = 1.0  # how long to wait for news before a look: an event may have come before we listened
UNTIL = {"started": "", "healthy": ", until it is healthy", "completed": ", until it is done"}
GRACE_S = 10  # as `docker compose stop`


class Project:
    """What the services of one project share: one of them starts or stops dependencies at a time."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waking: set[str] = set()  # Compose services that are about to run, and need what they need
        self.awake: set[str] = set()  # Compose services that are services of this gateway, and run


class ComposedContainer:
    """See `Found`."""

    def __init__(
        self, spec: ContainerSpec, *, project: Project, engine: Engine, tell: Callable[[str, str], None]
    ) -> None:
        self._spec = spec
        self._project = project
        self._engine = engine
        self._tell = tell
        *self._needs, self._own = spec.compose_steps

    async def find(self) -> Facts:
        """See `Found.find`: of several, the one with the lowest number."""
        return (await self._containers(self._own.service))[0]

    async def before(self) -> None:
        """See `Found.before`."""
        self._project.waking.add(self._own.service)
        async with self._project.lock:
            for step in self._needs:
                await self._start(step)
        self._project.awake.add(self._own.service)
        self._project.waking.discard(self._own.service)

    async def after(self) -> None:
        """See `Found.after`."""
        self._project.awake.discard(self._own.service)
        self._project.waking.discard(self._own.service)
        async with self._project.lock:
            for step in reversed(self._needs):
                if step.service not in self._project.awake and not await self._has_users(step):
                    await self._stop(step)

    async def is_needed(self) -> bool:
        """See `Found.is_needed`."""
        return await self._has_users(self._own)

    # -- what it needs

    async def _start(self, step: ComposeStep) -> None:
        try:
            found = await self._containers(step.service)
        except WorkloadError:
            if step.is_required:
                raise
            return
        if any(not facts.is_running for facts in found):
            self._tell("starting-needed", f"starting {step.service}{UNTIL[step.until]}")
        for facts in found:
            if not facts.is_running or facts.is_paused:
                await run(self._engine, facts)
        for facts in found:
            await self._until(step, facts)

    async def _until(self, step: ComposeStep, started: Facts) -> None:
        """Return once a container is as far as the next step needs it; raise `WorkloadError` where it will not be."""
        news = _News(self._engine, started.id)
        with news:
            while True:
                facts = await self._engine.inspect(started.id)
                if facts is None:
                    raise WorkloadError(f"{step.service} was removed while it started")
                if _is_reached(step, facts):
                    return
                await news.wait()

    async def _stop(self, step: ComposeStep) -> None:
        docker = await self._engine.client()
        with suppress(WorkloadError):  # its containers were removed meanwhile
            for facts in await self._containers(step.service):
                if facts.is_running:
                    container = docker.containers.container(facts.id)
                    with suppress(EngineError), self._engine.asking():
                        if facts.is_paused:
                            await container.unpause()
                        await container.stop(t=GRACE_S)

    async def _has_users(self, step: ComposeStep) -> bool:
        if self._project.waking & set(step.users):
            return True
        for user in step.users:
            if any(one.is_running for one in await self._all(user)):
                return True
        return False

    # -- its containers

    async def _containers(self, service: str) -> Sequence[Facts]:
        found = await self._all(service)
        if not found:
            project, file = self._spec.compose_project, self._spec.compose
            raise WorkloadError(
                f'compose: service "{service}" of project "{project}" has no container; '
                f"run: docker compose -f {file} create"
            )
        return found

    async def _all(self, service: str) -> list[Facts]:
        ids = await self._engine.find(f"{PROJECT}={self._spec.compose_project}", f"{SERVICE}={service}")
        found = [await self._engine.inspect(container) for container, _ in ids]
        mine = [facts for facts in found if facts is not None and facts.labels.get(ONE_OFF) != "True"]
        return sorted(mine, key=_number)


class _News:
    """Waits for news of one container that is nobody's replica."""

    def __init__(self, engine: Engine, container: str) -> None:
        self._engine = engine
        self._container = container
        self._news = asyncio.Event()

    def __enter__(self) -> None:
        self._engine.watch(self._container, self)

    def __exit__(self, *_: object) -> None:
        self._engine.unwatch(self._container, self)

    async def look(self) -> None:
        self._news.set()

    def engine_lost(self, _why: str, /) -> None:
        self._news.set()

    async def wait(self) -> None:
        self._news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(CHANGE_S):
                await self._news.wait()


def _is_reached(step: ComposeStep, facts: Facts) -> bool:
    """Say whether a container is far enough; raise `WorkloadError` where it never will be."""
    if step.until == "completed":
        if not facts.is_running and facts.exit_code:
            raise WorkloadError(f"{step.service}, which must complete first, exited with status {facts.exit_code}")
        return not facts.is_running
    if not facts.is_running:
        raise WorkloadError(f"{step.service}, which it depends on, exited with status {facts.exit_code}")
    if step.until == "healthy":
        if not facts.check:
            raise WorkloadError(
                f"{step.service} must be healthy first and has no health check: "
                "give it one, or depend on it with condition: service_started"
            )
        if facts.health == "unhealthy":
            raise WorkloadError(f"{step.service}, which must be healthy first, is unhealthy")
        return facts.health == "healthy"
    return True


def _number(facts: Facts) -> int:
    text = facts.labels.get(NUMBER, "")
    return int(text) if text.isdigit() else 0

"""The services of one gateway that are containers. Docker is asked nothing, nor its client imported, before one is."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wakegate.core.errors import StateError
from wakegate.core.spec import ContainerSpec, ServiceSpec
from wakegate.local.backend.docker.owner import has_owner, owner_of
from wakegate.local.scale.sample import ProcessMeter
from wakegate.ports import Clock, Replica, Usage, Workload

if TYPE_CHECKING:
    from wakegate.local.backend.docker.compose import Project
    from wakegate.local.backend.docker.engine import Engine
    from wakegate.local.backend.docker.meter import EngineMeter

EXTRA = "pip install 'wakegate[docker]'"


class Containers:
    """Makes the workloads of containers, and is the `Meter` of processes and containers alike."""

    def __init__(
        self,
        *,
        state_dir: Path,
        clock: Clock,
        spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]],
        warn: Callable[[str], None],
    ) -> None:
        self._state_dir = state_dir
        self._clock = clock
        self._spawn = spawn
        self._warn = warn
        self._engine: Engine | None = None
        self._processes = ProcessMeter()
        self._projects: dict[str, Project] = {}
        self._elsewhere: EngineMeter | None = None

    def workload(self, spec: ServiceSpec, run: ContainerSpec, *, tell: Callable[[str, str], None]) -> Workload:
        """Return the workload of a service; raise `StateError` without the extra that speaks to Docker."""
        engine = self._opened()
        from wakegate.local.backend.docker.compose import ComposedContainer, Project  # noqa: PLC0415  needs the extra
        from wakegate.local.backend.docker.existing import ExistingWorkload, Found, NamedContainer  # noqa: PLC0415  needs the extra
        from wakegate.local.backend.docker.roster import Roster  # noqa: PLC0415  needs the extra
        from wakegate.local.backend.docker.workload import ContainerWorkload  # noqa: PLC0415  needs the extra

        roster = Roster(spec.name, run, engine=engine, probe=spec.wake, state_dir=self._state_dir, clock=self._clock)
        if run.is_ours:
            return ContainerWorkload(
                spec.name, run, engine=engine, roster=roster, owner=owner_of(self._state_dir), wake=spec.wake, tell=tell
            )
        found: Found = NamedContainer(run.name, engine=engine)
        if run.compose:
            project = self._projects.setdefault(run.compose_project, Project())
            found = ComposedContainer(run, project=project, engine=engine, tell=tell)
        return ExistingWorkload(run, found=found, engine=engine, roster=roster, tell=tell)

    async def usage(self, replica: Replica) -> Usage | None:
        """See `Meter.usage`: by its processes where they are of this machine, else the daemon is asked."""
        if replica.pid or self._engine is None:
            return await self._processes.usage(replica)
        from wakegate.local.backend.docker.meter import EngineMeter  # noqa: PLC0415  needs the extra
        from wakegate.local.backend.docker.replica import ContainerReplica  # noqa: PLC0415  needs the extra

        assert isinstance(replica, ContainerReplica), "every other replica is a process of this machine"
        if self._elsewhere is None:
            self._elsewhere = EngineMeter(self._engine)
        return await self._elsewhere.usage(replica, container=replica.facts.id)

    async def end_leftovers(self, services: Iterable[ServiceSpec]) -> list[str]:
        """End what an earlier gateway left of services that are no containers any more; return a line for each."""
        known = {spec.name for spec in services if isinstance(spec.run, ContainerSpec) and spec.run.is_ours}
        if not has_owner(self._state_dir):
            return []
        try:
            engine = self._opened()
        except StateError:
            if known:
                raise
            return []  # the extra is gone, and Docker is not used any more
        from wakegate.local.backend.docker.leftovers import end_leftovers  # noqa: PLC0415  needs the extra

        return await end_leftovers(engine, owner=owner_of(self._state_dir), known_services=known)

    def closing(self) -> None:
        """The gateway begins to close."""
        if self._engine is not None:
            self._engine.closing()

    async def close(self) -> None:
        """Return once what is under way has ended, and hang up."""
        if self._engine is not None:
            await self._engine.close()

    def _opened(self) -> "Engine":
        if self._engine is None:
            try:
                from wakegate.local.backend.docker.engine import Engine  # noqa: PLC0415  0.2 s, only where it is needed
            except ModuleNotFoundError as error:
                raise StateError(f"a service is a Docker container, and {error.name} is missing: {EXTRA}") from error
            self._engine = Engine(spawn=self._spawn, warn=self._warn)
        return self._engine

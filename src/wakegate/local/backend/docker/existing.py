"""A service that is a container somebody else made: started, paused and stopped, never changed or removed."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from wakegate.core.errors import WorkloadError
from wakegate.core.spec import ContainerSpec
from wakegate.local.backend.docker.client import EngineError
from wakegate.local.backend.docker.engine import Engine
from wakegate.local.backend.docker.facts import Facts, only_port
from wakegate.local.backend.docker.replica import ContainerReplica
from wakegate.local.backend.docker.roster import Roster, run_since

NUMBER = 1
RESTARTS = "always"  # the other policies leave one alone that was stopped


class Found(Protocol):
    """How a container that exists is found, and what must run before it."""

    async def find(self) -> Facts:
        """Return its facts; raise `WorkloadError` with what to do where there is none."""
        ...

    async def before(self) -> None:
        """Start what it needs; raise `WorkloadError` where that fails."""
        ...

    async def after(self) -> None:
        """Its run has ended, or could not begin: stop what it needed and nobody else needs."""
        ...

    async def is_needed(self) -> bool:
        """Say whether something else that runs needs it: then it is left alone."""
        ...


class NamedContainer:
    """A container by its name; it needs nothing, and is needed by nothing that we know of."""

    def __init__(self, name: str, *, engine: Engine) -> None:
        self._name = name
        self._engine = engine

    async def find(self) -> Facts:
        """See `Found.find`."""
        facts = await self._engine.inspect(self._name)
        if facts is None:
            raise WorkloadError(f'there is no container "{self._name}": create it, or correct container = …')
        return facts

    async def before(self) -> None:
        """See `Found.before`."""

    async def after(self) -> None:
        """See `Found.after`."""

    async def is_needed(self) -> bool:
        """See `Found.is_needed`."""
        return False


class ExistingWorkload:
    """A `Workload` of one container that is not ours."""

    def __init__(
        self,
        spec: ContainerSpec,
        *,
        found: Found,
        engine: Engine,
        roster: Roster,
        tell: Callable[[str, str], None],
    ) -> None:
        self._spec = spec
        self._found = found
        self._engine = engine
        self._roster = roster
        self._roster.left = lambda _: self._after()
        self._roster.is_needed = found.is_needed
        self._tell = tell
        self._warned = False

    @property
    def replicas_max(self) -> int | None:
        """There is one."""
        return NUMBER

    @property
    def can_pause(self) -> bool:
        """Docker pauses every container."""
        return True

    async def start(self, *, number: int) -> ContainerReplica:
        """Start it, when its last run has ended; where somebody else has started it, take it as it runs."""
        while self._roster.replicas:
            await next(iter(self._roster.replicas.values())).exited()
        facts = await self._found.find()
        self._warn(facts)
        try:
            await self._found.before()
            return await self._start(number)
        except BaseException:
            self._after()
            raise

    async def adopt(self) -> Sequence[ContainerReplica]:
        """Take it over where it runs, whoever started it."""
        with suppress(WorkloadError):  # what is wrong is said by the wake that needs it
            facts = await self._found.find()
            if facts.is_running and not self._roster.replicas:
                self._roster.enter(facts, number=NUMBER, port=self._port(facts), is_new=False)
                self._warn(facts)
        return tuple(self._roster.replicas.values())

    def log_tail(self, *, lines: int) -> tuple[str, ...]:
        """The newest lines that the service wrote."""
        return self._roster.log_tail(lines=lines)

    async def _start(self, number: int) -> ContainerReplica:
        before = facts = await self._found.find()
        is_new = not facts.is_running
        if is_new or facts.is_paused:
            await run(self._engine, facts)
            facts = await self._found.find()
        if not facts.is_running:
            lines = await self._roster.last_words(before.id, since=run_since(before))
            raise WorkloadError(f"exited with status {facts.exit_code} as soon as it was started", log_tail=lines)
        replica = self._roster.enter(facts, number=number, port=self._port(facts), is_new=is_new)
        self._engine.spawn(replica.look(), name=f"docker-look:{facts.name}")  # it may have ended before it was watched
        return replica

    def _after(self) -> None:
        self._engine.chore(self._found.after(), name="docker-after")

    def _port(self, facts: Facts) -> int:
        published = {inside for inside, _, _ in facts.published}
        return self._spec.port or only_port(tuple(sorted(published)) or facts.ports, of=f'container "{facts.name}"')

    def _warn(self, facts: Facts) -> None:
        if facts.restart_policy == RESTARTS and not self._warned:
            self._warned = True
            self._tell(
                "warning",
                f'container "{facts.name}" has the restart policy "{facts.restart_policy}": Docker starts it without a '
                f"request whenever Docker itself starts; run: docker update --restart=no {facts.name}",
            )


async def run(engine: Engine, facts: Facts) -> None:
    """Start a container that does not run, let one go on that is paused; raise `WorkloadError` where it cannot be."""
    docker = await engine.client()
    container = docker.containers.container(facts.id)
    try:
        with engine.asking():
            await (container.unpause() if facts.is_paused else container.start())
    except EngineError as error:
        raise WorkloadError(f'container "{facts.name}" cannot be started: {error}') from error

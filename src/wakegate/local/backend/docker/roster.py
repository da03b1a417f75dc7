"""The replicas of one service that are containers, and the log that they share."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from wakegate.core.spec import ContainerSpec, WakeSpec
from wakegate.local.backend.docker.engine import Engine
from wakegate.local.backend.docker.facts import Facts
from wakegate.local.backend.docker.follow import follow
from wakegate.local.backend.docker.reach import reach
from wakegate.local.backend.docker.replica import ContainerReplica
from wakegate.local.logs import ServiceLog
from wakegate.ports import Clock

EXIT_LINES = 20  # of the log, in an `Exit`


class Roster:
    """Knows who runs; `left` is told of each container whose run has ended, `is_needed` asked before one is stopped."""

    def __init__(
        self,
        service: str,
        spec: ContainerSpec,
        *,
        engine: Engine,
        probe: WakeSpec,
        state_dir: Path,
        clock: Clock,
    ) -> None:
        self.left: Callable[[str], None] = lambda _: None
        self.is_needed: Callable[[], Awaitable[bool]] = _never
        self.replicas: dict[int, ContainerReplica] = {}
        self._spec = spec
        self._engine = engine
        self._probe = probe
        self._clock = clock
        self._log = ServiceLog(service, state_dir=state_dir, bytes_max=spec.log_bytes_max, files_max=spec.log_files_max)
        self._log_since: dict[int, int] = {}

    def enter(self, facts: Facts, *, number: int, port: int, is_new: bool) -> ContainerReplica:
        """Take in a container that runs; raise `WorkloadError` where it cannot be reached.

        Of one that is not new, what it wrote before is not copied again.
        """
        assert number not in self.replicas, "the numbers of living replicas are unique"
        host, port = reach(facts, port=port, network=self._spec.network)
        self._log_since[number] = self._log.size()
        log_since = run_since(facts) if is_new else self._log.written_at()
        if log_since:  # of a busy daemon the last lines of a run are stamped later than its end
            log_since = max(log_since, self._log.written_at())
        if is_new:
            at = self._clock.utc()
            self._log.separate(f"{number} started at {at:%Y-%m-%dT%H:%M:%SZ} ({facts.name}, {host}:{port})")
        age_s = 0.0 if is_new else max(0.0, self._clock.utc().timestamp() - _seconds(facts.started_at))
        began_s = self._clock.now_s() - age_s
        replica = ContainerReplica(
            self._engine,
            facts,
            number=number,
            address=(host, port),
            probe=self._probe,
            age_s=lambda: self._clock.now_s() - began_s,
            log=self._log,
            log_since=log_since,
            ended=self._leave,
            is_needed=self.is_needed,
        )
        self.replicas[number] = replica
        return replica

    def log_tail(self, *, lines: int) -> tuple[str, ...]:
        """The newest lines that the service wrote."""
        return self._log.tail(lines=lines)

    async def last_words(self, container: str, *, since: float) -> tuple[str, ...]:
        """Copy what a container wrote since then that has ended at once, and return its last lines."""
        mark = self._log.size()
        await follow(self._engine, container, log=self._log, since=since)
        return self._log.tail(lines=EXIT_LINES, since=mark)

    def _leave(self, replica: ContainerReplica) -> tuple[str, ...]:
        del self.replicas[replica.number]
        self.left(replica.facts.id)
        return self._log.tail(lines=EXIT_LINES, since=self._log_since.pop(replica.number))


async def _never() -> bool:
    return False


def run_since(facts: Facts) -> float:
    """Return since when what a container writes is of the run that begins now, or has just begun.

    Not when it was started: it writes its first lines some milliseconds before the daemon notes that it has.
    """
    return max(0.0, _seconds(facts.ended_at))


def _seconds(text: str) -> float:
    """Return a stamp of the daemon as seconds; one of the year 1 means never, and is below 0."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return 0.0

"""What the substrates provide, as Protocols with their contracts; `sim/` and `local/` implement each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from wakegate.core.ledger import WakeLine
from wakegate.core.notice import Notice
from wakegate.core.record import ServiceRecord
from wakegate.core.session import Session


class Clock(Protocol):
    """Time. Waiting is `asyncio.sleep` and `asyncio.timeout`: simulations run on an event loop of virtual time."""

    def now_s(self) -> float:
        """Monotonic seconds, the same clock as the event loop's `time()`."""
        ...

    def utc(self) -> datetime:
        """The wall clock, for stored stamps and for people only."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a replica ended: an exit status, or the signal that killed it; None where it was not our child.

    `oom`: the kernel killed it for want of memory. `reason`: what is known instead of a status, a whole sentence.
    """

    status: int | None
    signal: int | None
    after_s: float
    log_tail: tuple[str, ...] = ()
    oom: bool = False
    reason: str = ""

    def __str__(self) -> str:
        if self.oom:
            return f"ran out of memory and was killed after {self.after_s:.1f} s"
        if self.reason:
            return f"ended after {self.after_s:.1f} s: {self.reason}"
        how = f"signal {self.signal}" if self.signal else f"status {'unknown' if self.status is None else self.status}"
        return f"exited with {how} after {self.after_s:.1f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A reading of one replica: CPU in percent of one core since the last reading, resident memory in bytes."""

    cpu_percent: float
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Resident memory of a paused replica in bytes: before anything was given back, and after. 0: it cannot be read."""

    before_bytes: int
    after_bytes: int


class Replica(Protocol):
    """One running copy. It was started; whether it is ready is asked with `answers`."""

    @property
    def number(self) -> int:
        """1, 2, …: unique among the replicas of a service that live at once."""
        ...

    @property
    def host(self) -> str:
        """The address that it listens on."""
        ...

    @property
    def port(self) -> int:
        """The port that it listens on."""
        ...

    @property
    def pid(self) -> int:
        """The process that was started, its children are part of the replica; 0 where it is not of this machine."""
        ...

    @property
    def is_paused(self) -> bool:
        """Whether it is frozen, by `pause` or, for an adopted one, by an earlier gateway."""
        ...

    async def answers(self) -> bool:
        """Make one probe attempt; never raises for a replica that is not ready, bounded by `probe_timeout_s`."""
        ...

    async def exited(self) -> Exit:
        """Return once it is gone; any number of callers may wait, also after the fact."""
        ...

    def terminate(self) -> None:
        """Ask it to end (SIGTERM to the group); does not wait; harmless when repeated or too late.

        A paused one is let go on for that: it could not end otherwise.
        """
        ...

    def kill(self) -> None:
        """End it (SIGKILL to the group), paused or not; does not wait; harmless when repeated or too late."""
        ...

    async def pause(self) -> None:
        """Return once it is frozen where it is: no CPU, memory kept; harmless when it is already.

        Raise `WorkloadError` when it cannot be, or is gone: then it is not paused.
        """
        ...

    async def resume(self) -> None:
        """Let it go on, and return when it may answer its probe; harmless when it runs.

        Raise `WorkloadError` when it is gone or cannot go on. It is called after `pause` has returned, never during it.
        """
        ...

    async def give_back(self) -> Kept:
        """Give back as much memory of a paused replica as the system lets us, perhaps none; never raises.

        Ends soon when `resume` is called meanwhile: a wake does not wait for it.
        """
        ...


class Workload(Protocol):
    """What a substrate can start and stop for one service."""

    @property
    def replicas_max(self) -> int | None:
        """1 where only one can run at once (a fixed port): `start` then waits until the last one is gone."""
        ...

    @property
    def can_pause(self) -> bool:
        """Whether its replicas can be paused on this system; if not, a service that sleeps is stopped."""
        ...

    async def start(self, *, number: int) -> Replica:
        """Start one replica and return at once, not yet ready; raise `WorkloadError` when it cannot be started."""
        ...

    async def adopt(self) -> Sequence[Replica]:
        """Return the replicas that an earlier gateway left running and that still fit; stop the ones that do not."""
        ...

    def log_tail(self, *, lines: int) -> tuple[str, ...]:
        """The newest lines that the service wrote."""
        ...


class Meter(Protocol):
    """Reads what replicas use."""

    async def usage(self, replica: Replica) -> Usage | None:
        """Return a reading, or None where there is none yet (the first call, or the replica is gone)."""
        ...


class StateStore(Protocol):
    """Records of services and the wake ledger; a write is durable against kill -9 when it returns."""

    def load(self, name: str) -> ServiceRecord | None:
        """Return the record, or None for a service never seen."""
        ...

    def save(self, record: ServiceRecord, *, expected_version: int) -> None:
        """Write if the stored version is `expected_version` (0: none stored yet); else raise `ConflictError`."""
        ...

    def write_wake(self, line: WakeLine) -> None:
        """Insert or replace a line of the ledger by its id; old lines beyond a bound are dropped."""
        ...

    def wakes(self, service: str, *, limit: int) -> Sequence[WakeLine]:
        """Return the newest lines, newest first."""
        ...


class SessionStore(Protocol):
    """Sessions, for any number of writers: what is counted is added, so that no writer undoes another's.

    A write is durable against kill -9 when it returns; `touch` is the coalesced one.
    """

    def get(self, service: str, session_id: str) -> Session | None:
        """Return a session, expired or not."""
        ...

    def put(self, session: Session) -> None:
        """Insert one session, or give it this data; its `requests` are those since it was last written."""
        ...

    def touch(self, sessions: Iterable[Session]) -> None:
        """As `put`, for many in one transaction, and without their data where they are there."""
        ...

    def sessions(self, service: str, *, now: datetime, limit: int) -> Sequence[Session]:
        """Return live sessions, the most recently seen first."""
        ...

    def count(self, service: str, *, now: datetime) -> int:
        """Return how many sessions are live."""
        ...

    def counts(self, *, now: datetime) -> Mapping[str, int]:
        """Return how many sessions are live of each service that has any; to count each by itself reads all again."""
        ...

    def purge(self, *, now: datetime) -> int:
        """Delete what has expired; return how many."""
        ...

    def secret(self) -> bytes:
        """Return the 32-byte key that signs session ids; made at the first call, the same for ever after."""
        ...


class Timeline(Protocol):
    """Where notices go: the terminal, the log, followers of the control socket."""

    def tell(self, notice: Notice) -> None:
        """Take one notice; never blocks, never raises."""
        ...

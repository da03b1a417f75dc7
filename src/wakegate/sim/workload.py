"""A workload that behaves as told: slow, dead, deaf or refusing; what happened stands in its history.

Replicas belong to the world, not to the gateway: they live on when its tasks are cancelled, and can be adopted.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from wakegate.core.errors import WorkloadError
from wakegate.ports import Exit, Kept

Span = float | tuple[float, float]  # a duration in seconds, or the bounds between which one is drawn
LOG_LINES_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How one replica will behave. Times count from the moment that it was started, `stop_s` from SIGTERM."""

    start_s: Span = 0.0  # what the start call itself takes
    start_error: str = ""  # the start call raises `WorkloadError` with this
    listen_s: Span = 0.5  # until it answers its probe; inf: never
    refuses: bool = False  # answers its probe, yet `accepts` says no to every request
    dies_after_s: Span = inf  # ends by itself; sooner than `listen_s`: while waking
    status: int = 1  # its exit status when it ends by itself
    stop_s: Span = 0.1  # from SIGTERM to gone
    ignores_term: bool = False  # only SIGKILL ends it
    pause_s: Span = 0.0  # what the pause itself takes
    pause_error: str = ""  # the pause raises `WorkloadError` with this
    resume_s: Span = 0.0
    resume_error: str = ""
    give_back_s: Span = 0.0
    wakes_deaf: bool = False  # resumed, it never answers again
    kept: Kept = field(default=Kept(before_bytes=96_000_000, after_bytes=84_000_000))


class Happening(StrEnum):
    """What a history is made of."""

    CALLED = "start called"
    FAILED = "start failed"
    STARTED = "started"
    TERMINATED = "terminated"
    KILLED = "killed"
    EXITED = "exited"
    PAUSED = "paused"
    RESUMED = "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One line of a history."""

    at_s: float
    what: Happening
    number: int


class SimReplica:
    """A `Replica`."""

    def __init__(self, workload: "SimWorkload", behaviour: Behaviour, *, number: int, serial: int) -> None:
        self.number = number
        self.host = "127.0.0.1"
        self.port = 20_000 + serial
        self.pid = 1_000 + serial
        self.behaviour = behaviour
        self.is_paused = False
        self._is_deaf = False
        self._workload = workload
        self._loop = asyncio.get_running_loop()
        self._started_s = self._loop.time()
        self._listens_s = self._started_s + workload.draw(behaviour.listen_s)
        self._exit: Exit | None = None
        self._gone = asyncio.Event()
        self._is_asked = False
        dies_after_s = workload.draw(behaviour.dies_after_s)
        if dies_after_s < inf:
            self._loop.call_later(dies_after_s, self.die)

    @property
    def key(self) -> str:
        """Where it listens, as a target names it."""
        return f"{self.host}:{self.port}"

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._exit is None

    @property
    def listens(self) -> bool:
        """Whether it is alive, not frozen, and has got as far as listening."""
        is_deaf = self.is_paused or self._is_deaf
        return self.is_alive and not is_deaf and self._loop.time() >= self._listens_s

    @property
    def accepts(self) -> bool:
        """Whether a request that connects now would be answered."""
        return self.listens and not self.behaviour.refuses

    async def answers(self) -> bool:
        """Make one probe attempt; it takes no time, and a turn of the loop where it may succeed.

        A port that is still closed says so at once, as that of a machine does: most attempts of a wake are made there.
        """
        if self._loop.time() < self._listens_s:
            return False
        await asyncio.sleep(0)
        return self.listens

    async def exited(self) -> Exit:
        """Return once it is gone."""
        await self._gone.wait()
        assert self._exit is not None
        return self._exit

    def terminate(self) -> None:
        """Ask it to end."""
        if self.is_alive and not self._is_asked and not self._workload.is_cut_off:
            self._is_asked = True
            self._workload.note(Happening.TERMINATED, self.number)
            if not self.behaviour.ignores_term:
                self._loop.call_later(self._workload.draw(self.behaviour.stop_s), self._end, None, 15)

    def kill(self) -> None:
        """End it; the end is seen a turn of the loop later."""
        if self.is_alive and not self._workload.is_cut_off:
            self._workload.note(Happening.KILLED, self.number)
            self._loop.call_soon(self._end, None, 9)

    async def pause(self) -> None:
        """See `Replica.pause`."""
        await asyncio.sleep(self._workload.draw(self.behaviour.pause_s))
        self._must(self.behaviour.pause_error)
        if not self.is_paused:
            self.is_paused = True
            self._workload.note(Happening.PAUSED, self.number)

    async def resume(self) -> None:
        """See `Replica.resume`."""
        await asyncio.sleep(self._workload.draw(self.behaviour.resume_s))
        self._must(self.behaviour.resume_error)
        if self.is_paused:
            self.is_paused, self._is_deaf = False, self.behaviour.wakes_deaf
            self._workload.note(Happening.RESUMED, self.number)

    async def give_back(self) -> Kept:
        """See `Replica.give_back`."""
        await asyncio.sleep(self._workload.draw(self.behaviour.give_back_s))
        return self.behaviour.kept

    def die(self) -> None:
        """Let it end by itself, now: a crash, or `sys.exit`."""
        self._end(self.behaviour.status, None)

    def hang(self) -> None:
        """Let it live on and never answer again."""
        self._is_deaf = True

    def _must(self, error: str) -> None:
        """Raise what is to go wrong, or what goes wrong with one that is gone."""
        if error or not self.is_alive:
            raise WorkloadError(error or f"replica {self.number} is gone")

    def _end(self, status: int | None, signal: int | None) -> None:
        if self.is_alive:
            self._workload.note(Happening.EXITED, self.number)
            after_s = self._loop.time() - self._started_s
            tail = self._workload.log_tail(lines=20)
            self._exit = Exit(status=status, signal=signal, after_s=after_s, log_tail=tail)
            self._gone.set()


class SimWorkload:
    """A `Workload`. The first start gets the first behaviour, and so on; the last one stays."""

    def __init__(self, *behaviours: Behaviour, replicas_max: int | None = None, seed: int = 0) -> None:
        self.behaviours = deque(behaviours or (Behaviour(),))
        self.replicas_max = replicas_max
        self.can_pause = True
        self.is_cut_off = False  # no signal reaches a replica: the gateway is being killed
        self.replicas: list[SimReplica] = []  # all there ever were, in order of their start
        self.history: list[Happened] = []
        self.seen: Callable[[Happened], None] = lambda _: None  # told of each line of it
        self._rng = random.Random(seed)  # noqa: S311  a simulation must be repeatable
        self._log: deque[str] = deque(maxlen=LOG_LINES_MAX)

    @property
    def starts(self) -> int:
        """How many times a start was called."""
        return sum(1 for happened in self.history if happened.what is Happening.CALLED)

    @property
    def alive(self) -> list[SimReplica]:
        """The replicas that have not ended."""
        return [replica for replica in self.replicas if replica.is_alive]

    def at(self, key: str) -> SimReplica:
        """Return the replica that listens, or did, at a target's `host:port`."""
        return next(replica for replica in self.replicas if replica.key == key)

    async def start(self, *, number: int) -> SimReplica:
        """See `Workload.start`."""
        self.note(Happening.CALLED, number)
        behaviour = self.behaviours.popleft() if len(self.behaviours) > 1 else self.behaviours[0]
        if self.replicas_max == 1:
            for replica in self.alive:
                await replica.exited()
        await asyncio.sleep(self.draw(behaviour.start_s))
        assert number not in {replica.number for replica in self.alive}, "two living replicas have one number"
        if behaviour.start_error:
            self.note(Happening.FAILED, number)
            raise WorkloadError(behaviour.start_error, log_tail=self.log_tail(lines=20))
        replica = SimReplica(self, behaviour, number=number, serial=len(self.replicas))
        self.replicas.append(replica)
        self.note(Happening.STARTED, number)
        return replica

    async def adopt(self) -> Sequence[SimReplica]:
        """See `Workload.adopt`; what has not ended still fits."""
        await asyncio.sleep(0)
        return self.alive

    def log_tail(self, *, lines: int) -> tuple[str, ...]:
        """See `Workload.log_tail`; the service writes what happens to it."""
        return tuple(self._log)[-lines:]

    # -- for its replicas

    def draw(self, span: Span) -> float:
        """Return a duration, drawn where there is something to draw."""
        return span if isinstance(span, (int, float)) else self._rng.uniform(*span)

    def note(self, what: Happening, number: int) -> None:
        """Write the history."""
        happened = Happened(at_s=asyncio.get_running_loop().time(), what=what, number=number)
        self.history.append(happened)
        self.seen(happened)
        self._log.append(f"replica {number} {what}")

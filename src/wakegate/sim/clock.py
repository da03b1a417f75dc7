"""Virtual time: an event loop that jumps to the next timer when nothing is ready, and the clock that reads it.

One seed decides all that is left open: in which order timers of the same moment run, and what `loop.rng` draws.
"""

import asyncio
import heapq
import random
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

START_S = (
    100_000.0  # a machine that has been up for a day: "0.0, long ago" must mean in a simulation what it means there
)
STARTED_AT = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT_S = 7 * 86_400.0
TURNS_MAX = 100_000  # rounds of the loop at one moment; the longest honest chain of callbacks seen is some hundred


class StuckError(Exception):
    """The simulation cannot come to an end; says who waits, and where."""


class SimClock:
    """A `Clock` that reads the running loop's virtual time; add to `step` and the wall clock is another."""

    def __init__(self) -> None:
        self.step = timedelta()

    def now_s(self) -> float:
        """Return the loop's time."""
        return asyncio.get_running_loop().time()

    def utc(self) -> datetime:
        """Return a wall clock that goes with it."""
        return STARTED_AT + timedelta(seconds=self.now_s() - START_S) + self.step


class HandClock:
    """A `Clock` that is moved by hand, for code that never waits."""

    def __init__(self) -> None:
        self._now_s = START_S

    def now_s(self) -> float:
        """Return how far it was moved."""
        return self._now_s

    def utc(self) -> datetime:
        """Return a wall clock that goes with it."""
        return STARTED_AT + timedelta(seconds=self._now_s - START_S)

    def move(self, seconds: float) -> None:
        """Let time pass."""
        assert seconds >= 0, "the clock is monotonic"
        self._now_s += seconds


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop without sockets, threads and waiting.

    It replaces the one method of `BaseEventLoop` that waits; all the rest of asyncio is the real one.
    """

    _ready: Any  # BaseEventLoop's own: a deque of handles, and a heap of timers
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self, *, seed: int, limit_s: float = LIMIT_S) -> None:
        super().__init__()
        self.rng = random.Random(seed)  # noqa: S311  a simulation must be repeatable
        self._order = random.Random(seed + 1)  # noqa: S311  its own: what a test draws must not change the order
        self._now_s = START_S
        self._end_s = START_S + limit_s
        self._turns = 0
        self._count = 0

    def time(self) -> float:
        """Return virtual seconds; a callback takes none of them."""
        return self._now_s

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future that sets iterate over in the order of creation."""
        self._count += 1
        return SimFuture(self._count, loop=self)

    def create_task(self, coro: Any, *, name: object = None, context: Any = None, **options: Any) -> asyncio.Task[Any]:
        """Make a task that sets iterate over in the order of creation."""
        self._count += 1
        task: asyncio.Task[Any] = SimTask(self._count, coro, loop=self, context=context, **options)
        task.set_name(str(name) if name is not None else f"task-{self._count}")
        return task

    def run_in_executor(self, *work: Any) -> NoReturn:  # type: ignore[override]  # refuses whatever it is given
        """Refuse: another thread would decide the order."""
        raise AssertionError(f"no threads in a simulation: {work}")

    def _write_to_self(self) -> None:
        """Do nothing: this loop never waits, so nobody has to wake it (Ctrl-C asks for it)."""

    def _run_once(self) -> None:
        """Run what is ready, or else move time to the next timer and run what is due."""
        while self._scheduled and self._scheduled[0].cancelled():
            self._pop()
        if not self._ready and not self._stopping:  # type: ignore[attr-defined]  # BaseEventLoop's own
            self._move()
        due = []
        while self._scheduled and self._scheduled[0].when() <= self._now_s:
            due.append(self._pop())
        if len(due) > 1:
            self._order.shuffle(due)
        self._ready.extend(due)
        self._turns += 1
        if self._turns > TURNS_MAX:
            self._give_up(f"time stands still at {self._now_s - START_S:.3f} s")
        for _ in range(len(self._ready)):
            handle = self._ready.popleft()
            if not handle.cancelled():
                handle._run()

    def _pop(self) -> asyncio.TimerHandle:
        handle = heapq.heappop(self._scheduled)
        handle._scheduled = False  # type: ignore[attr-defined]  # else its cancellation would be counted
        return handle

    def _move(self) -> None:
        if not self._scheduled:
            self._give_up("nothing is scheduled and main has not ended")
        when_s = self._scheduled[0].when()
        if when_s > self._end_s:
            self._give_up(f"main has not ended after {self._end_s - START_S:.0f} s")
        if when_s > self._now_s:
            self._now_s = when_s
            self._turns = 0

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Forget nothing: a cancelled timer leaves the heap when it comes to its top."""

    def _give_up(self, why: str) -> NoReturn:
        tasks = sorted(asyncio.all_tasks(self), key=hash)
        places = "; ".join(f"{task.get_name()} at {_place(task)}" for task in tasks)
        self._turns, self._end_s = 0, inf  # the loop is used once more, to cancel what is left
        raise StuckError(f"{why}: {places}")


class SimFuture(asyncio.Future[T]):
    """A future with a hash of its own: by address, as usual, sets of futures would differ from run to run."""

    def __init__(self, number: int, *, loop: VirtualLoop) -> None:
        super().__init__(loop=loop)
        self._number = number

    def __hash__(self) -> int:
        return self._number


class SimTask(asyncio.Task[T]):
    """A task with a hash of its own: a TaskGroup cancels its tasks in the order of a set."""

    def __init__(self, number: int, coro: Coroutine[Any, Any, T], **options: Any) -> None:
        self._number = number  # first: asyncio puts a new task into a set
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self._number


def run(main: Coroutine[Any, Any, T], *, seed: int = 0, limit_s: float = LIMIT_S) -> T:
    """Run to its end in virtual time; raise `StuckError` when it never would."""
    with asyncio.Runner(loop_factory=partial(VirtualLoop, seed=seed, limit_s=limit_s)) as runner:
        return runner.run(main)


def _place(task: asyncio.Task[Any]) -> str:
    frames = task.get_stack()
    return f"{frames[-1].f_code.co_qualname}:{frames[-1].f_lineno}" if frames else "its beginning"

"""The world of the two Lambda functions: virtual time, calls that take some of it, and what may go wrong with each.

An invocation is ordinary, synchronous code. It runs as a greenlet that leaves at every call and every sleep, so that
one seed decides in which order the steps of all of them happen, which calls are lost, and which invocations die.
"""

import heapq
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NoReturn, TypeVar

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]  # it has no types

from wakegate.sim.clock import STARTED_AT

T = TypeVar("T")


class Killed(BaseException):
    """The invocation ends here: no `Exception`, so that nothing catches it on the way."""


class Invocation:
    """One run of a function: how long it may live, what it called, and at which call it is to die."""

    def __init__(self, name: str, *, end_s: float, kill_at: int | None = None, kill_after: bool = False) -> None:
        self.name = name
        self.end_s = end_s
        self.kill_at = kill_at  # the number of the call, from 0; None: by chance
        self.kill_after = kill_after  # whether that call has its effect
        self.skew_s = 0.0  # of its machine's clock
        self.calls: list[str] = []
        self.is_dead = False  # its `finally` blocks run here, which they would not there: they can do nothing


class Hub:
    """Time, and whose turn it is. `lost` is raised by a call whose answer does not come."""

    def __init__(self, seed: int, *, lost: type[Exception], faults: float = 0.0, slow: float = 1.0) -> None:
        self.rng = random.Random(seed)  # noqa: S311  a simulation must be repeatable
        self.now_s = 0.0
        self.faults = faults  # how likely a call is to be lost before its effect, and after it
        self.slow = slow
        self.switches = 0
        self._lost = lost
        self._heap: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0
        self._hub = getcurrent()
        self._invocations: dict[greenlet, Invocation] = {}

    def now(self) -> datetime:
        """Return the wall clock, of the machine that whoever asks runs on."""
        invocation = self._invocations.get(getcurrent())
        skew_s = 0.0 if invocation is None else invocation.skew_s
        return STARTED_AT + timedelta(seconds=self.now_s + skew_s)

    def at(self, after_s: float, work: Callable[[], object]) -> None:
        """Call something later, in the hub: it must not wait."""
        self._count += 1
        heapq.heappush(self._heap, (self.now_s + after_s, self._count, work))

    def spawn(self, work: Callable[[], object], *, after_s: float = 0.0) -> None:
        """Run something later, as an actor that may wait."""
        self.at(after_s, greenlet(work, parent=self._hub).switch)

    def wait(self, seconds: float) -> None:
        """Let the others go on for so long."""
        self.at(max(0.0, seconds), getcurrent().switch)
        self._hub.switch()

    def run(self, until_s: float) -> None:
        """Let time pass."""
        while self._heap and self._heap[0][0] <= until_s:
            self.now_s, _, work = heapq.heappop(self._heap)
            self.switches += 1
            work()
        self.now_s = until_s

    # -- invocations

    def invoke(self, invocation: Invocation, work: Callable[[], T]) -> T | None:
        """Run a function in this actor; None: it was killed."""
        me = getcurrent()
        assert me not in self._invocations, "one at a time"
        self._invocations[me] = invocation
        try:
            return work()
        except Killed:
            return None
        finally:
            del self._invocations[me]

    def sleep(self, seconds: float) -> None:
        """Wait, as an invocation, whose life may end meanwhile."""
        invocation = self._invocations[getcurrent()]
        self._live(invocation)
        self.wait(min(seconds, invocation.end_s - self.now_s + 0.001))
        self._live(invocation)

    def call(self, name: str, effect: Callable[[], T], *, takes_s: tuple[float, float], is_lossy: bool = True) -> T:
        """Make a call to a service: half of its time before the effect, half after it."""
        invocation = self._invocations[getcurrent()]
        self._live(invocation)
        number = len(invocation.calls)
        invocation.calls.append(name)
        is_doomed = number == invocation.kill_at
        if (is_doomed and not invocation.kill_after) or self._happens(self.faults * 0.3):
            self._kill(invocation)
        half_s = self.rng.uniform(*takes_s) * self.slow / 2
        self.sleep(half_s)
        if is_lossy and self._happens(self.faults):
            raise self._lost(f"{name}: no answer")
        result = effect()
        if is_doomed:
            self._kill(invocation)
        self.sleep(half_s)
        if is_lossy and self._happens(self.faults):
            raise self._lost(f"{name}: no answer")
        return result

    def left_s(self) -> float:
        """Return how long this invocation may still run."""
        return self._invocations[getcurrent()].end_s - self.now_s

    def who(self) -> str:
        """Return the name of this invocation."""
        return self._invocations[getcurrent()].name

    def _live(self, invocation: Invocation) -> None:
        if invocation.is_dead or self.now_s > invocation.end_s:
            self._kill(invocation)

    def _kill(self, invocation: Invocation) -> NoReturn:
        invocation.is_dead = True
        raise Killed

    def _happens(self, likely: float) -> bool:
        return likely > 0 and self.rng.random() < likely

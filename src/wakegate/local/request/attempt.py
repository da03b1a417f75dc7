"""One attempt to wake a service: who waits for it, how it ends, its line in the ledger; and how long wakes take."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from wakegate.core.errors import HeldError
from wakegate.core.estimate import NEWEST_COUNT, remaining_s, usual_wake_s
from wakegate.core.ledger import WakeLine, durations
from wakegate.local.lane import Waiter
from wakegate.local.member import Steps


class Attempt:
    """One wake: who waits for it, how it ends, and its line in the ledger."""

    __slots__ = ("_store", "began_s", "error", "is_visit", "line", "settled", "waiting")

    def __init__(self, line: WakeLine, *, began_s: float, is_visit: bool, write: Callable[[WakeLine], None]) -> None:
        self.line = line
        self.began_s = began_s
        self.is_visit = is_visit  # else it replaces replicas that were lost, or is for a service that needs this one
        self.settled = asyncio.Event()
        self.error: Callable[[], HeldError] | None = None  # makes the error of a failed wake, one for each who waits
        self.waiting: set[Waiter] = set()  # held, or released and not finished: those whose ending is still open
        self._store = write
        write(line)

    def held(self, waiter: Waiter) -> None:
        """Count one more request that waits for this wake; one that was handed over is counted already."""
        if waiter not in self.waiting:
            self.waiting.add(waiter)
            self._count(held=self.line.held + 1)

    def gone(self, waiter: Waiter) -> None:
        """One who waited hung up."""
        self._end(waiter, gone=self.line.gone + 1)

    def refused(self, waiter: Waiter) -> None:
        """One who waited was answered by the gateway."""
        self._end(waiter, refused=self.line.refused + 1)

    def served(self, waiter: Waiter) -> bool:
        """One of the released has its last byte; say whether it waited for this wake."""
        return self._end(waiter, served=self.line.served + 1)

    def hand_over(self, to: "Attempt") -> None:
        """A later wake answers those whose ending is still open: they count there."""
        moved = len(self.waiting)
        if moved:
            to.waiting |= self.waiting
            to._count(held=to.line.held + moved)
            self.waiting.clear()
            self._count(held=self.line.held - moved)
            self._store(self.line)

    def settle(self, *, error: Callable[[], HeldError] | None = None, **changes: Any) -> None:
        """The wake has ended, well or not: let everybody who waits for it go on."""
        self.error = error
        self.line = replace(self.line, **changes)
        self._store(self.line)
        self.settled.set()

    async def ready(self) -> None:
        """Return when the service is awake; raise an error of the caller's own when the wake failed."""
        await self.settled.wait()
        if self.error is not None:
            raise self.error()

    def started(self, steps: Steps) -> None:
        """The first replica of this wake is ready: say where the time went."""
        if not self.line.listen_s:
            self.line = replace(self.line, start_s=steps.start_s, listen_s=steps.listen_s, settle_s=steps.settle_s)
            self._store(self.line)

    def close(self) -> None:
        """Nothing is in flight any more: whoever has no ending is lost, which the ledger shows as a bug."""
        if self.line.open:
            self.line = replace(self.line, open=0)
            self._store(self.line)

    def _end(self, waiter: Waiter, **changes: Any) -> bool:
        if waiter not in self.waiting:
            return False
        self.waiting.discard(waiter)
        self._count(**changes)
        if self.settled.is_set() and not self.waiting:
            self._store(self.line)
        return True

    def _count(self, **changes: Any) -> None:
        self.line = replace(self.line, open=len(self.waiting), **changes)


class History:
    """How long wakes of one service take that end so: the newest ones, kept across restarts by the ledger."""

    def __init__(self, lines: Iterable[WakeLine], *, outcome: str) -> None:
        """Begin with what the ledger has, the newest first."""
        self.durations = durations(lines, outcome=outcome)[:NEWEST_COUNT]
        self.usual_s = usual_wake_s(self.durations)

    def add(self, duration_s: float) -> None:
        """Learn from one more good wake."""
        self.durations = (duration_s, *self.durations[: NEWEST_COUNT - 1])
        self.usual_s = usual_wake_s(self.durations)

    def remaining_s(self, *, elapsed_s: float, timeout_s: float) -> float:
        """Estimate what remains of a wake that has taken this long."""
        return remaining_s(self.durations, elapsed_s=elapsed_s, timeout_s=timeout_s)

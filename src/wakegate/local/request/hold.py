"""hold: requests wait for a target, bounded in number and time, and leave in order of arrival."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Protocol

from wakegate.core.errors import HeldError, HoldFullError, HoldTimeoutError, RequestError, StillWakingError
from wakegate.core.hold import Answer, decide_hold
from wakegate.core.spec import ServiceSpec
from wakegate.local.lane import Waiter
from wakegate.ports import Clock

REFUSALS: dict[Answer, type[HeldError]] = {
    Answer.PAGE: StillWakingError,
    Answer.FULL: HoldFullError,
    Answer.TIMEOUT: HoldTimeoutError,
}


class Wait(Protocol):
    """What the hold asks of the wake that its line waits for."""

    @property
    def spec(self) -> ServiceSpec:
        """The specification now."""
        ...

    def is_waking(self) -> bool:
        """Whether there is a wake, or only no room at a service that is awake."""
        ...

    def usual_s(self) -> float | None:
        """How long a wake usually takes."""
        ...

    def elapsed_s(self) -> float:
        """How long this one takes already."""
        ...

    def refusal(self, waiter: Waiter, kind: type[HeldError], detail: str) -> RequestError:
        """Make the error that ends the wait of this one, and count it."""
        ...


class Hold:
    """The line of those who wait; each is reviewed again exactly when its last verdict could have changed."""

    def __init__(self, wait: Wait, *, clock: Clock) -> None:
        self._wait = wait
        self._clock = clock
        self._line: OrderedDict[Waiter, asyncio.TimerHandle | None] = OrderedDict()
        self._is_comforted = False

    def __len__(self) -> int:
        """Count those who wait."""
        return len(self._line)

    def __iter__(self) -> Iterator[Waiter]:
        """Iterate in order of arrival, over those who wait now."""
        return iter(tuple(self._line))

    def join(self, waiter: Waiter) -> None:
        """Take a newcomer at the end of the line; raise the error that refuses it."""
        self._line[waiter] = None
        error = self._review(waiter, waited_s=0.0)
        if error is not None:
            raise error

    def rejoin(self, waiter: Waiter) -> None:
        """Take back one whose target could not be reached, first in line; it may be refused at once."""
        self._line[waiter] = None
        self._line.move_to_end(waiter, last=False)
        self._look(waiter)

    def leave(self, waiter: Waiter) -> bool:
        """Free the seat of one that hung up or was refused; say whether it waited here."""
        if waiter not in self._line:
            return False
        timer = self._line.pop(waiter)
        if timer is not None:
            timer.cancel()
        return True

    def first(self) -> Waiter:
        """Look at the first in line."""
        return next(iter(self._line))

    def refuse_all(self, error: Callable[[Waiter], RequestError]) -> int:
        """Refuse everybody, each with an error of its own; return how many."""
        count = 0
        for waiter in self:
            if self.leave(waiter):
                waiter.refuse(error(waiter))
                count += 1
        return count

    async def comfort(self) -> None:
        """Send a sign of life to everybody who waits, each interval, until nobody does; one at a time does it."""
        if self._is_comforted:
            return
        self._is_comforted = True
        try:
            while self._line:
                hold = self._wait.spec.hold
                interval_s = hold.interim_interval_s or hold.comment_interval_s
                if not interval_s:
                    return  # turned off by a reload
                await asyncio.sleep(interval_s)
                for waiter in self:
                    if hold.interim_interval_s:
                        waiter.interim()
                    if hold.comment_interval_s:
                        waiter.comment()
        finally:
            self._is_comforted = False

    def _look(self, waiter: Waiter) -> None:
        if waiter in self._line:
            waited_s = max(self._clock.now_s() - waiter.arrived_s, 1e-9)  # 0 is for newcomers
            error = self._review(waiter, waited_s=waited_s)
            if error is not None:
                waiter.refuse(error)

    def _review(self, waiter: Waiter, *, waited_s: float) -> RequestError | None:
        """Ask the core; either set the timer for the next look, or take the waiter out and return its error."""
        wait = self._wait
        verdict = decide_hold(
            wait.spec.hold,
            held=len(self._line) - 1,
            waited_s=waited_s,
            is_navigation=waiter.is_navigation,
            is_waking=wait.is_waking(),
            usual_s=wait.usual_s(),
            elapsed_s=wait.elapsed_s(),
            wake_timeout_s=wait.spec.wake.timeout_s,
        )
        if verdict.answer is Answer.HOLD:
            if verdict.recheck_s is not None:
                loop = asyncio.get_running_loop()
                self._line[waiter] = loop.call_later(verdict.recheck_s, self._look, waiter)
            return None
        self.leave(waiter)
        return wait.refusal(waiter, REFUSALS[verdict.answer], verdict.reason)

"""asks: what a worker has asked the keeper, and the requests for which the keeper counts.

While there is no keeper they wait for the next one, bounded in number and time as in any other line.
"""

import asyncio
from collections.abc import Callable, Iterable
from itertools import count
from typing import Protocol

from wakegate.core.errors import HeldError, HoldFullError, HoldTimeoutError, StoppingError
from wakegate.core.hold import hold_timeout_s
from wakegate.core.spec import ServiceSpec
from wakegate.local.elsewhere import Address
from wakegate.local.lane import Target, Waiter
from wakegate.local.workers.wire import (
    Answered,
    Ask,
    Comfort,
    Finished,
    Leave,
    Refuse,
    Release,
    Report,
    Unreachable,
    error_of,
)

AWAY = "what wakes services here is being restarted"
ENDING = "what wakes services here is gone"
RETRY_S = 1.0


class Asker(Protocol):
    """The lane of a request that is asked about."""

    spec: ServiceSpec

    def target(self, address: Address) -> Target:
        """Return the target of an address, which the outlook may not have any more."""
        ...

    def try_warm(self, waiter: Waiter) -> Target | None:
        """Let a request in where that needs no question now."""
        ...

    def take_over(self, target: Target) -> None:
        """Count a request that the keeper counted."""
        ...


class Asking:
    """One request that the keeper was asked about."""

    __slots__ = ("lane", "number", "reason", "suspect", "target", "timer", "waiter")

    def __init__(self, number: int, lane: Asker, waiter: Waiter, *, suspect: int | None, reason: str) -> None:
        self.number = number
        self.lane = lane
        self.waiter = waiter
        self.suspect = suspect
        self.reason = reason
        self.target: Target | None = None  # once it was released
        self.timer: asyncio.TimerHandle | None = None  # until there is a keeper

    def ask(self) -> Ask:
        """Write it down."""
        waiter = self.waiter
        return Ask(
            number=self.number,
            service=self.lane.spec.name,
            method=waiter.method,
            path=waiter.path,
            agent=waiter.agent,
            session_id=waiter.session_id,
            is_navigation=waiter.is_navigation,
            arrived_s=waiter.arrived_s,
            suspect=self.suspect,
            reason=self.reason,
        )


class Asks:
    """All of one worker. `asked` has those that the keeper counts, by their waiter."""

    def __init__(self, send: Callable[[Report], None]) -> None:
        self.asked: dict[Waiter, Asking] = {}
        self._send = send
        self._by_number: dict[int, Asking] = {}
        self._numbers = count(1)
        self._is_away = True  # nobody is there to be asked
        self._is_ending = False  # nobody will be any more

    # -- a lane

    def ask(self, lane: Asker, waiter: Waiter, *, suspect: int | None = None, reason: str = "") -> None:
        """Ask about a request; `release` or `refuse` of its waiter will come. Raise what refuses it at once."""
        asking = Asking(next(self._numbers), lane, waiter, suspect=suspect, reason=reason)
        if self._is_away:
            self._wait(asking)
        self._by_number[asking.number] = self.asked[waiter] = asking
        if not self._is_away:
            self._send(asking.ask())

    def leave(self, waiter: Waiter) -> None:
        """Its client has hung up."""
        self._send(Leave(number=self._forget(self.asked[waiter])))

    def answered(self, waiter: Waiter) -> None:
        """The head of its answer has come."""
        self._send(Answered(number=self.asked[waiter].number))

    def finished(self, waiter: Waiter) -> None:
        """It has its last byte."""
        self._send(Finished(number=self._forget(self.asked[waiter])))

    def unreachable(self, waiter: Waiter, reason: str) -> None:
        """No connection could be made to where it was released to: it waits again."""
        asking = self.asked[waiter]
        assert asking.target is not None, "it was released"
        asking.suspect, asking.reason, asking.target = asking.target.serial, reason, None
        self._send(Unreachable(number=asking.number, reason=reason))

    # -- the keeper

    def hear(self, answer: Release | Refuse | Comfort) -> None:
        """Do what it says with the one who asked; where that has hung up, the keeper will hear of it."""
        asking = self._by_number.get(answer.number)
        if asking is None:
            return
        waiter = asking.waiter
        match answer:
            case Release(address=address, was_held=was_held):
                asking.target = asking.lane.target(address)
                waiter.release(asking.target, was_held=was_held)
            case Refuse():
                self._refuse(asking, error_of(answer))
            case Comfort(is_interim=True):
                waiter.interim()
            case Comfort():
                waiter.comment()

    def lose(self) -> None:
        """The keeper is gone: count what it counted, and let those who wait do so for the next one."""
        self._is_away = True
        for asking in self._all():
            if asking.target is not None:
                self._forget(asking)
                asking.lane.take_over(asking.target)
            elif self._is_ending:
                self._refuse(asking, self._ending(asking))
            else:
                self._set_timer(asking)

    def end(self) -> None:
        """Wait for no other keeper: this worker is to end."""
        self._is_ending = True
        if self._is_away:
            for asking in self._all():
                self._refuse(asking, self._ending(asking))

    def resume(self) -> None:
        """There is a keeper again, and all is known that it has told: ask about those who wait, the first one first."""
        self._is_away = False
        for asking in self._all():
            if asking.timer is not None:
                asking.timer.cancel()
                asking.timer = None
            target = None if asking.suspect is not None else asking.lane.try_warm(asking.waiter)
            if target is None:
                asking.suspect = None  # the new keeper does not know it by this serial
                self._send(asking.ask())
            else:
                self._forget(asking)
                asking.waiter.release(target)

    # -- while there is no keeper

    def _wait(self, asking: Asking) -> None:
        spec = asking.lane.spec
        if self._is_ending:
            raise self._ending(asking)
        waiting = sum(1 for other in self.asked.values() if other.lane is asking.lane)
        if waiting >= spec.hold.depth_max:
            raise HoldFullError(spec.name, AWAY, retry_after_s=RETRY_S)
        self._set_timer(asking)

    def _set_timer(self, asking: Asking) -> None:
        spec = asking.lane.spec
        limit_s = hold_timeout_s(spec.hold, usual_s=None, wake_timeout_s=spec.wake.timeout_s)
        asking.timer = asyncio.get_running_loop().call_later(limit_s, self._give_up, asking)

    def _give_up(self, asking: Asking) -> None:
        self._refuse(asking, HoldTimeoutError(asking.lane.spec.name, AWAY, retry_after_s=RETRY_S))

    def _refuse(self, asking: Asking, error: HeldError) -> None:
        self._forget(asking)
        asking.waiter.refuse(error)

    def _ending(self, asking: Asking) -> StoppingError:
        return StoppingError(asking.lane.spec.name, ENDING, retry_after_s=RETRY_S)

    def _all(self) -> Iterable[Asking]:
        return tuple(self._by_number.values())

    def _forget(self, asking: Asking) -> int:
        if asking.timer is not None:
            asking.timer.cancel()
        del self.asked[asking.waiter]
        del self._by_number[asking.number]
        return asking.number

"""wake: single flight. The wake belongs to the service; requests wait for it, and who hangs up cancels nothing."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from secrets import token_hex
from typing import Any

from wakegate.core.backoff import retry_at
from wakegate.core.errors import HeldError, RequestError, WakeFailedError, WakeTimeoutError, WorkloadError
from wakegate.core.ledger import WakeLine
from wakegate.core.phase import Event, Phase
from wakegate.core.progress import Progress, progress
from wakegate.core.record import Failure
from wakegate.core.say import say_duration
from wakegate.core.spec import ServiceSpec
from wakegate.core.wake import decide_wake
from wakegate.local.fleet import Fleet
from wakegate.local.lane import Waiter
from wakegate.local.member import Member
from wakegate.local.record import Keeper
from wakegate.local.request.attempt import Attempt, History
from wakegate.local.request.hold import Hold

CRASH_WINDOW_S = 10.0  # a replica that dies sooner after it was ready counts as a failed wake: a crash loop backs off
WAKES_READ = 100  # of the ledger, the newest: how long a wake takes is learnt from those that succeeded
LOG_LINES = 20  # of the app, in the notice of a failed wake

Start = asyncio.Task[WorkloadError | TimeoutError | None]


class Waker:
    """Makes the wakes of one service, one at a time, and answers those who wait when one fails."""

    def __init__(
        self,
        keeper: Keeper,
        *,
        fleet: Fleet,
        spawn: Callable[..., asyncio.Task[Any]],
        before: Callable[[float], Awaitable[None]],
    ) -> None:
        self.attempt: Attempt | None = None  # the newest: under way or settled
        lines = keeper.store.wakes(keeper.spec.name, limit=WAKES_READ)
        self._starts = History(lines, outcome="ready")
        self._resumes = History(lines, outcome="resumed")
        self.hold = Hold(self, clock=keeper.clock)
        self.awake_since_s = keeper.clock.now_s()
        self._keeper = keeper
        self._clock = keeper.clock
        self._fleet = fleet
        self._spawn = spawn
        self._before = before  # returns within so many seconds, when a replica may be started

    def begin(
        self, event: Event, *, cause: str, agent: str = "", is_forced: bool = False, is_visit: bool = True
    ) -> Attempt:
        """Begin the one wake that everybody waits for; raise `WakeFailedError` while the backoff has not passed."""
        keeper, now = self._keeper, self._clock.utc()
        verdict = decide_wake(keeper.spec.wake, keeper.record, now=now)
        if not verdict.wake and not is_forced:
            raise self.error(WakeFailedError, verdict.reason, retry_after_s=verdict.retry_after_s)
        line = WakeLine(id=token_hex(8), service=keeper.spec.name, at=now, cause=cause, agent=agent)
        is_visit = is_visit and event is not Event.TARGETS_LOST
        attempt = Attempt(line, began_s=self._clock.now_s(), is_visit=is_visit, write=keeper.write_wake)
        if self.attempt is not None:
            self.attempt.hand_over(attempt)
        for waiter in self.hold:
            attempt.held(waiter)  # who waited for room at a replica that is gone now waits for this wake
        self.attempt = attempt
        keeper.tell("woke", f"woke {keeper.spec.name}", subject=cause, agent=agent)
        keeper.go(event, wake_by=now + timedelta(seconds=keeper.spec.wake.timeout_s), owner="gateway")
        self._spawn(self._wake(attempt), name="wake")
        return attempt

    def cancel(self, reason: str) -> None:
        """Put a service that is waking back to sleep, and answer those who wait."""
        attempt = self.attempt
        assert attempt is not None
        assert self._keeper.phase is Phase.WAKING
        error = partial(self.error, WakeFailedError, f"put to sleep: {reason}", retry_after_s=1.0)
        self._keeper.go(Event.SLEEP_ASKED, wake_by=None, owner="", targets=())
        self._fleet.stop()
        self._keeper.go(Event.STOP_ACKNOWLEDGED, kind="asleep", text=f"asleep · {reason}")
        attempt.settle(error=error, outcome="failed", reason=reason)
        self.refuse_all(error)

    # -- what the hold and the waiting page ask

    @property
    def history(self) -> History:
        """How long wakes take that are made as this one is, or as the next one would be: resumed, or started."""
        return self._resumes if self._fleet.resumes else self._starts

    @property
    def spec(self) -> ServiceSpec:
        """See `Wait.spec`."""
        return self._keeper.spec

    def is_waking(self) -> bool:
        """See `Wait.is_waking`."""
        return self._keeper.phase is Phase.WAKING

    def usual_s(self) -> float | None:
        """See `Wait.usual_s`."""
        return self.history.usual_s

    def elapsed_s(self) -> float:
        """See `Wait.elapsed_s`."""
        since_s = self.waking_since_s
        return self._clock.now_s() - since_s if since_s else 0.0

    @property
    def waking_since_s(self) -> float:
        """When the wake that is under way began; 0 where none is."""
        return self.attempt.began_s if self._keeper.phase is Phase.WAKING and self.attempt is not None else 0.0

    def remaining_s(self) -> float:
        """Estimate what remains of this wake, or how long one that began now would take."""
        return self.history.remaining_s(elapsed_s=self.elapsed_s(), timeout_s=self.spec.wake.timeout_s)

    def refusal(self, waiter: Waiter, kind: type[HeldError], detail: str) -> RequestError:
        """See `Wait.refusal`."""
        if self.attempt is not None:
            self.attempt.refused(waiter)
        return self.error(kind, detail)

    def progress(self) -> Progress:
        """Say how far the wake is, from the record alone."""
        return progress(
            self.spec.name,
            self.spec.wake,
            phase=self._keeper.phase,
            elapsed_s=self.elapsed_s(),
            durations=self.history.durations,
            failure=self._keeper.record.failure,
            now=self._clock.utc(),
        )

    def error(
        self,
        kind: type[HeldError],
        detail: str,
        *,
        retry_after_s: float | None = None,
        log_tail: tuple[str, ...] = (),
    ) -> HeldError:
        """Make an error of this service; without `retry_after_s` it says what the estimate says."""
        retry_s = self.remaining_s() if retry_after_s is None else retry_after_s
        return kind(self.spec.name, detail, retry_after_s=retry_s, log_tail=log_tail, elapsed_s=self.elapsed_s())

    def refuse_all(self, error: Callable[[], HeldError]) -> int:
        """Answer everybody who waits; return how many."""

        def refuse(waiter: Waiter) -> HeldError:
            if self.attempt is not None:
                self.attempt.refused(waiter)
            return error()

        return self.hold.refuse_all(refuse)

    # -- the steps of a wake

    async def _wake(self, attempt: Attempt) -> None:
        count = min(max(1, self.spec.scale.replicas_min), self._fleet.replicas_max)
        starts: set[Start] = {self._spawn(self.start(), name="start") for _ in range(count)}
        try:
            await _first_ready(starts)
        except WorkloadError as error:
            self._failed(attempt, str(error), log_tail=error.log_tail)
        except TimeoutError:
            reason = f"not ready after {say_duration(self.spec.wake.timeout_s)}: {_unanswered(self.spec.wake.probe)}"
            self._failed(attempt, reason, kind=WakeTimeoutError, log_tail=self._fleet.log_tail(lines=LOG_LINES))

    async def start(self) -> WorkloadError | TimeoutError | None:
        """Bring one more replica up; return what went wrong, None where nothing did."""
        attempt, began_s, timeout_s = self.attempt, self._clock.now_s(), self.spec.wake.timeout_s
        try:
            await self._before(timeout_s)
            if attempt is not self.attempt or self._keeper.phase is Phase.ASLEEP:
                return WorkloadError("it was put to sleep before it was started")
            left_s = began_s + timeout_s - self._clock.now_s()
            steps = await self._fleet.add(timeout_s=left_s, starting=self._starting)
        except (WorkloadError, TimeoutError) as error:
            return error
        except Exception:  # noqa: BLE001  a bug must not leave those who wait without an answer
            self._keeper.tell("bug", "starting a replica broke", detail=tuple(traceback.format_exc().splitlines()))
            return WorkloadError("the gateway could not start it; its log says why")
        if attempt is not None:
            attempt.started(steps)
        return None

    def _starting(self, member: Member) -> None:
        how, replica = "resuming" if member.is_resumed else "starting", member.replica
        self._keeper.tell("starting", f"{how} replica {replica.number} on :{replica.port}", pid=replica.pid)

    def ready(self, member: Member) -> None:
        """The first replica of the wake may get requests: it is over."""
        keeper, now_s = self._keeper, self._clock.now_s()
        self.awake_since_s = now_s
        text, attempt, waiting = "ready", self.attempt, len(self.hold)
        if attempt is not None:
            text = f"ready after {say_duration(now_s - attempt.began_s)}"
        if waiting:
            text += f" · {waiting} request{' was' if waiting == 1 else 's were'} held, released now"
        targets = tuple(target.key for target in self._fleet.targets)
        keeper.go(Event.REPLICA_READY, kind="ready", text=text, targets=targets, wake_by=None, owner="")
        if attempt is not None:
            outcome, history = ("resumed", self._resumes) if member.is_resumed else ("ready", self._starts)
            history.add(now_s - attempt.began_s)
            attempt.settle(outcome=outcome, duration_s=now_s - attempt.began_s)

    def _failed(
        self,
        attempt: Attempt,
        reason: str,
        *,
        kind: type[HeldError] = WakeFailedError,
        log_tail: tuple[str, ...] = (),
    ) -> None:
        """The wake has failed: answer those who wait, stop what is left, back off."""
        keeper = self._keeper
        if attempt is not self.attempt or keeper.phase is not Phase.WAKING:
            return  # it was put to sleep meanwhile, and everybody has been answered
        failure = self._failure(reason)
        retry_s = (retry_at(failure, self.spec.wake) - failure.at).total_seconds()
        error = partial(self.error, kind, reason, retry_after_s=retry_s, log_tail=log_tail)
        keeper.tell("wake-failed", reason, detail=log_tail)
        keeper.go(Event.WAKE_FAILED, failure=failure, wake_by=None, owner="", targets=())
        self._fleet.stop()
        text = f"asleep · wake failed, next try in {say_duration(retry_s)} at the earliest"
        answered = len(self.hold)
        if answered:
            text += f" · {answered} request{'' if answered == 1 else 's'} answered with the reason"
        keeper.go(Event.STOP_ACKNOWLEDGED, kind="asleep", text=text)
        attempt.settle(error=error, outcome="failed", reason=reason, duration_s=self._clock.now_s() - attempt.began_s)
        self.refuse_all(error)  # last: an answer lets the next request of its connection in, and that one starts afresh

    def _failure(self, reason: str) -> Failure:
        before = self._keeper.record.failure
        return Failure(reason=reason, count=1 if before is None else before.count + 1, at=self._clock.utc())

    # -- the last replica ended on its own

    def lost_all(self, member: Member, reason: str, *, log_tail: tuple[str, ...]) -> None:
        """Wake again at once; but one that keeps dying soon after it was ready backs off like a wake that fails."""
        keeper, lived_s = self._keeper, self._clock.now_s() - member.since_s
        is_early = lived_s < CRASH_WINDOW_S
        if is_early and keeper.record.failure is not None and self.attempt is not None:
            keeper.go(Event.TARGETS_LOST, targets=())
            text = f"{reason}, {say_duration(lived_s)} after it was ready"
            self._failed(self.attempt, text, log_tail=log_tail)
            return
        keeper.write(failure=self._failure(reason) if is_early else None)
        self.begin(Event.TARGETS_LOST, cause=f"replica {member.target.number} {reason}", is_forced=True)

    def forgive(self) -> None:
        """Forget the last failure once the service has been up for long enough."""
        if self._keeper.record.failure is not None and self._clock.now_s() - self.awake_since_s > CRASH_WINDOW_S:
            self._keeper.write(failure=None)


def _unanswered(probe: str) -> str:
    return "it never listened on its port" if probe == "tcp" else f"GET {probe} never answered 200-399"


async def _first_ready(starts: set[Start]) -> None:
    """Return when the first start is ready, the others go on; raise the last failure when none is."""
    pending, failure = starts, None
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for start in done:
            failure = start.result()
            if failure is None:
                return
    assert failure is not None, "a wake starts at least one replica"
    raise failure

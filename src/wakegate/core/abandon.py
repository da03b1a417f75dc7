"""abandon: may a wake that is not ready yet still become so, or does it only start tasks that end?"""

from dataclasses import dataclass
from datetime import datetime

from wakegate.core.say import say_count, say_duration

REPLACED_WITHIN_S = 30.0  # another task is started seconds after one has ended, unless the platform holds that back


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """A task that could not start, or ended by itself; nobody had told it to."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeAttempt:
    """A wake as its owner sees it. `crashes` are those of its own tasks, the newest last."""

    began_at: datetime
    wake_by: datetime
    replicas: int  # how many were asked for
    tasks_count: int  # seen now, in whatever state
    starting_count: int  # of these, on their way up
    crashes: tuple[Crash, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonVerdict:
    """Whether to give the wake up; `reason` says what was seen, for whoever has to mend it."""

    abandon: bool
    reason: str


def decide_abandon(attempt: WakeAttempt, *, now: datetime) -> AbandonVerdict:
    """Give up when the time is over, or earlier when what was started ends by itself and its replacement, too.

    One crash for each replica proves nothing: a host was lost, a database was slow. More crashes than replicas mean
    that at least one has been replaced in vain. And a crash that nothing replaces ends the wake as well.
    """
    count = len(attempt.crashes)
    if count > attempt.replicas:
        return AbandonVerdict(abandon=True, reason=_crashed(attempt))
    if count and not attempt.starting_count:
        left_s = (now - attempt.crashes[-1].at).total_seconds()
        if left_s > REPLACED_WITHIN_S:
            reason = f"{_crashed(attempt)}; none was started after it within {say_duration(REPLACED_WITHIN_S)}"
            return AbandonVerdict(abandon=True, reason=reason)
    if now <= attempt.wake_by:
        return AbandonVerdict(abandon=False, reason="its tasks are starting")
    waited = say_duration((attempt.wake_by - attempt.began_at).total_seconds())
    return AbandonVerdict(abandon=True, reason=f"not ready after {waited}: {_seen(attempt)}")


def _seen(attempt: WakeAttempt) -> str:
    if attempt.crashes:
        return _crashed(attempt)
    if not attempt.tasks_count:
        return "no task was started"
    return f"{say_count(attempt.tasks_count, 'task')} started, the probe never passed"


def _crashed(attempt: WakeAttempt) -> str:
    count, newest = len(attempt.crashes), attempt.crashes[-1].reason
    if count == 1:
        return f"its task ended before it was ready: {newest}"
    return f"{say_count(count, 'task')} ended before they were ready, the newest: {newest}"

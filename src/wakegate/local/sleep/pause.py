"""pause: freeze a drained service instead of stopping it, and stop it when it has been paused for long enough."""

from wakegate.core.pause import decide_pause
from wakegate.core.phase import Event
from wakegate.local.sleep.sleeper import Sleeper
from wakegate.local.sleep.stop import stop


def pause_or_stop(service: Sleeper, *, now_s: float) -> None:
    """End the drain of a service in the way that it is to sleep."""
    verdict = decide_pause(service.spec.sleep, can_pause=service.can_pause, since_s=now_s, now_s=now_s)
    if verdict.pause:
        _pause(service)
    else:
        stop(service)


def paused(service: Sleeper, *, now_s: float) -> float | None:
    """Stop what a sleeping service keeps paused when its time is over; return in how many seconds to ask again."""
    paused = service.paused()
    if paused is None:
        return None
    verdict = decide_pause(service.spec.sleep, can_pause=service.can_pause, since_s=paused.since_s, now_s=now_s)
    if not verdict.pause:
        service.stop_paused(verdict.reason)
    return verdict.recheck_s


def _pause(service: Sleeper) -> None:
    text = service.asleep_text()
    service.go(Event.GRACE_PASSED, kind="stopping", text="pausing")
    service.pause_replicas()
    how = "paused · " if service.paused() is not None else ""  # a forced sleep: each had something in flight
    service.go(Event.STOP_ACKNOWLEDGED, kind="asleep", text=f"asleep · {how}{text}")

"""idle: ask whether an awake service may sleep, and begin the drain when it may."""

from wakegate.core.idle import decide_idle
from wakegate.core.phase import Event
from wakegate.local.sleep.sleeper import Sleeper


def idle(service: Sleeper, *, now_s: float) -> float | None:
    """Return in how many seconds to ask again; None: only an event can change the answer."""
    activity = service.activity()
    now_s = max(now_s, activity.touched_s)  # another process may have let a request in since the clock was read
    verdict = decide_idle(service.spec, activity, now_s=now_s)
    if verdict.sleep:
        service.go(Event.IDLE_PASSED, kind="draining", text=f"{verdict.reason} · draining")
        return 0.0
    return verdict.recheck_s

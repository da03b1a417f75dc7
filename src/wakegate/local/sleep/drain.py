"""drain: nothing is stopped yet; whatever happens during the grace cancels the sleep."""

from wakegate.core.drain import decide_drain
from wakegate.core.phase import Event
from wakegate.local.sleep.pause import pause_or_stop
from wakegate.local.sleep.sleeper import Sleeper


def drain(service: Sleeper, *, now_s: float) -> float | None:
    """Return in how many seconds to ask again."""
    since_s = service.phase_since_s
    verdict = decide_drain(service.spec, service.activity(), since_s=since_s, now_s=now_s)
    if verdict.cancel:
        service.go(Event.REQUEST_ARRIVED, kind="awake", text=f"{verdict.reason} · the sleep is cancelled")
        return 0.0
    if verdict.stop:
        pause_or_stop(service, now_s=now_s)
        return 0.0
    return verdict.recheck_s

"""drain: nothing is stopped yet; activity cancels the sleep, and a replica that leaves may finish what it has."""

from dataclasses import dataclass

from wakegate.core.activity import Activity, used_by
from wakegate.core.say import say_count, say_duration
from wakegate.core.spec import ServiceSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainVerdict:
    """Stop now, or cancel the sleep, or ask again in `recheck_s`."""

    stop: bool = False
    cancel: bool = False
    reason: str
    recheck_s: float | None = None


def decide_drain(spec: ServiceSpec, activity: Activity, *, since_s: float, now_s: float) -> DrainVerdict:
    """Decide for a service that drains since `since_s`: whatever happened meanwhile cancels the sleep."""
    if activity.in_flight or activity.held:
        return DrainVerdict(cancel=True, reason=f"{activity.in_flight + activity.held} in flight")
    if activity.users:
        return DrainVerdict(cancel=True, reason=used_by(activity.users))
    if activity.touched_s > since_s:
        return DrainVerdict(cancel=True, reason="a request came during the drain")
    if activity.keep_until_s > now_s:
        return DrainVerdict(cancel=True, reason=f"kept awake for {say_duration(activity.keep_until_s - now_s)} more")
    left_s = since_s + spec.sleep.grace_s - now_s
    if left_s > 0:
        return DrainVerdict(reason=f"drains for {say_duration(left_s)} more", recheck_s=left_s)
    if activity.unheard:
        return DrainVerdict(reason=f"{say_count(activity.unheard, 'worker')} may still let a request in")
    return DrainVerdict(stop=True, reason=f"still idle after a grace of {say_duration(spec.sleep.grace_s)}")


def decide_retire(*, in_flight: int, since_s: float, drain_timeout_s: float, now_s: float) -> DrainVerdict:
    """Decide for one replica that leaves since `since_s`: it may finish its requests, but not for ever."""
    assert in_flight >= 0
    if in_flight == 0:
        return DrainVerdict(stop=True, reason="nothing in flight")
    left_s = since_s + drain_timeout_s - now_s
    if left_s > 0:
        return DrainVerdict(reason=f"{in_flight} in flight", recheck_s=left_s)
    return DrainVerdict(stop=True, reason=f"{in_flight} in flight after {say_duration(drain_timeout_s)}, cut")

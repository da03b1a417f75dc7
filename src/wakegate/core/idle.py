"""idle: may an awake service sleep, and if not, when to ask again."""

from dataclasses import dataclass

from wakegate.core.activity import Activity, used_by
from wakegate.core.say import say_duration
from wakegate.core.spec import ServiceSpec

READING_INTERVALS = 3  # the first reading of CPU needs two; one that has not come by then never will


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleVerdict:
    """Whether the service may sleep; a "no" carries when it could become "yes" (None: only an event can change it)."""

    sleep: bool
    reason: str
    recheck_s: float | None = None


def decide_idle(spec: ServiceSpec, activity: Activity, *, now_s: float) -> IdleVerdict:
    """Say whether the service may sleep, and if not, when to ask again.

    Deadlines are compared, not durations: `now_s + recheck_s` then is the deadline, and not one rounding before it.
    """
    assert activity.in_flight >= 0
    assert activity.held >= 0
    assert now_s >= activity.touched_s, "the clock must be monotonic"
    sleep = spec.sleep
    if spec.scale.replicas_min > 0:
        return IdleVerdict(sleep=False, reason=f"always awake (scale.min = {spec.scale.replicas_min})")
    if activity.in_flight or activity.held:
        busy = f"{activity.in_flight} in flight" if activity.in_flight else f"{activity.held} held"
        return IdleVerdict(sleep=False, reason=busy, recheck_s=sleep.idle_timeout_s)
    if activity.users:
        return IdleVerdict(sleep=False, reason=used_by(activity.users))
    idle_s = now_s - activity.touched_s
    left_s = activity.touched_s + sleep.idle_timeout_s - now_s
    keep_s = activity.keep_until_s - now_s
    if keep_s > max(0.0, left_s):
        why = f" ({activity.keep_reason})" if activity.keep_reason else ""
        return IdleVerdict(sleep=False, reason=f"kept awake for {say_duration(keep_s)} more{why}", recheck_s=keep_s)
    if left_s > 0:
        return IdleVerdict(sleep=False, reason=f"idle for {say_duration(idle_s)}", recheck_s=left_s)
    return _decide_by_cpu(spec, activity, now_s=now_s)


def _decide_by_cpu(spec: ServiceSpec, activity: Activity, *, now_s: float) -> IdleVerdict:
    """Decide for a service that nobody uses: it may still work on something."""
    idle = f"idle for {say_duration(now_s - activity.touched_s)}"
    above, cpu, interval_s = spec.sleep.unless_cpu_above, activity.cpu_percent, spec.scale.interval_s
    if not above:
        return IdleVerdict(sleep=True, reason=idle)
    if cpu is None:
        left_s = activity.touched_s + READING_INTERVALS * interval_s - now_s
        if left_s > 0:
            return IdleVerdict(sleep=False, reason=f"{idle}, its CPU is not measured yet", recheck_s=left_s)
    elif cpu > above:
        reason = f"busy: {cpu:.0f} % CPU, above {above:g} % (sleep.unless_cpu_above)"
        return IdleVerdict(sleep=False, reason=reason, recheck_s=interval_s)
    return IdleVerdict(sleep=True, reason=idle)

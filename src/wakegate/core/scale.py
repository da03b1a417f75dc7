"""scale: target tracking. Keep a metric near its target by changing the number of replicas.

desired = ceil(replicas x metric / target): the formula of the Kubernetes Horizontal Pod Autoscaler and of AWS target
tracking. From the Application Auto Scaling user guide, "How target tracking scaling works", come the rest of the rules:
out in proportion and soon, in only when the metric is far enough below the target ("usually more than 10%"); missing
data never scales in; what the last scale-out added counts as there while it starts; a scale-in cooldown holds no
scale-out back.
"""

from dataclasses import dataclass
from math import ceil

from wakegate.core.spec import ScaleSpec

SCALE_IN_RATIO = 0.9
ROUNDING = 1e-9  # the mean of readings that all say 70 may be 70.00000000000001, which is no reason for a replica


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the sampler saw: `metric` is the average over ready replicas, None where there is not enough data.

    `replicas` counts those that are wanted now: `ready` ones, and others that start.
    """

    replicas: int
    ready: int
    metric: float | None
    last_scale_out_s: float | None = None
    last_scale_in_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleVerdict:
    """How many replicas there should be, why, and in how many seconds a cooldown that held it back ends."""

    desired: int
    reason: str
    recheck_s: float | None = None


def decide_scale(spec: ScaleSpec, observed: Observed, *, now_s: float) -> ScaleVerdict:
    """Return how many replicas there should be; never below max(1, min): zero is for idle to decide."""
    assert 0 <= observed.ready <= observed.replicas
    least, most = _bounds(spec)
    current = observed.replicas
    if not least <= current <= most:
        return ScaleVerdict(desired=min(max(current, least), most), reason=f"bounds are {least} to {most}")
    if observed.metric is None:
        return ScaleVerdict(desired=current, reason="insufficient data")
    said = _say(spec, observed.metric)
    # Only ready replicas carry the load: counting those that start would multiply it by them.
    needed = ceil(observed.ready * observed.metric / spec.target - ROUNDING)
    if needed > current:
        return _out(spec, observed, wanted=min(needed, most), said=said, now_s=now_s)
    if max(needed, least) < current and observed.metric < SCALE_IN_RATIO * spec.target:
        return _in(spec, observed, wanted=max(needed, least), said=said, now_s=now_s)
    return ScaleVerdict(desired=current, reason=said)


def _out(spec: ScaleSpec, observed: Observed, *, wanted: int, said: str, now_s: float) -> ScaleVerdict:
    current = observed.replicas
    if wanted == current:
        return ScaleVerdict(desired=current, reason=f"{said}; {current} is the most (scale.max)")
    left_s = _left_s(observed.last_scale_out_s, cooldown_s=spec.scale_out_cooldown_s, now_s=now_s)
    if left_s > 0:
        return ScaleVerdict(desired=current, reason=f"{said}; scale-out cooldown", recheck_s=left_s)
    return ScaleVerdict(desired=wanted, reason=said)


def _in(spec: ScaleSpec, observed: Observed, *, wanted: int, said: str, now_s: float) -> ScaleVerdict:
    current, starting = observed.replicas, observed.replicas - observed.ready
    if starting:
        return ScaleVerdict(desired=current, reason=f"{said}; {starting} still starting")
    # Counted from the last change in either direction: what was just added is not taken away at once.
    left_s = max(
        _left_s(last_s, cooldown_s=spec.scale_in_cooldown_s, now_s=now_s)
        for last_s in (observed.last_scale_out_s, observed.last_scale_in_s)
    )
    if left_s > 0:
        return ScaleVerdict(desired=current, reason=f"{said}; scale-in cooldown", recheck_s=left_s)
    return ScaleVerdict(desired=wanted, reason=said)


def _bounds(spec: ScaleSpec) -> tuple[int, int]:
    """Return the least and the most; where they contradict each other, the most: it protects the machine."""
    most = max(1, spec.replicas_max)
    return min(max(1, spec.replicas_min), most), most


def _left_s(last_s: float | None, *, cooldown_s: float, now_s: float) -> float:
    return 0.0 if last_s is None else last_s + cooldown_s - now_s


def _say(spec: ScaleSpec, metric: float) -> str:
    if spec.metric == "concurrency":
        return f"{metric:.3g} in flight a replica, target {spec.target:g}"
    return f"{metric:.0f} % {spec.metric}, target {spec.target:g}"

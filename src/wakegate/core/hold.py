"""hold: how long a request may wait, and what its client sees when that is not long enough."""

from dataclasses import dataclass
from enum import StrEnum

from wakegate.core.say import say_duration
from wakegate.core.spec import HoldSpec

FLOOR_S, USUAL_FACTOR = 10.0, 3.5  # as Cloud Run's pending queue: max(3.5 x average start time, 10 s)
GRAIN_S = 1e-6  # a timer may ring a rounding early, and must not be set again for a time that no clock can tell
AFTER_WAKE_S = 1.0  # who may wait for all of the wake hears from the wake itself how it ended


class Answer(StrEnum):
    """What becomes of one who waits."""

    HOLD = "hold"
    PAGE = "page"
    FULL = "full"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldVerdict:
    """An answer with its reason; a HOLD carries in how many seconds it could become another."""

    answer: Answer
    reason: str
    recheck_s: float | None = None


def hold_timeout_s(spec: HoldSpec, *, usual_s: float | None, wake_timeout_s: float) -> float:
    """Return how long a request may wait; before the first wake nobody knows, so as long as the wake may take."""
    if spec.timeout_s is not None:
        return min(spec.timeout_s, wake_timeout_s)
    if usual_s is None:
        return wake_timeout_s
    return min(max(FLOOR_S, USUAL_FACTOR * usual_s), wake_timeout_s)


def decide_hold(
    spec: HoldSpec,
    *,
    held: int,
    waited_s: float,
    is_navigation: bool,
    is_waking: bool,
    usual_s: float | None,
    elapsed_s: float,
    wake_timeout_s: float,
) -> HoldVerdict:
    """Decide for one who waits, or (`waited_s` 0) is about to; `held` counts the others.

    Not waking: the service is awake and has no room, so there is no wake to show a page about.
    """
    if waited_s == 0 and held >= spec.depth_max:
        return HoldVerdict(answer=Answer.FULL, reason=f"{held} requests wait already, as many as may (hold.depth_max)")
    limit_s = hold_timeout_s(spec, usual_s=usual_s, wake_timeout_s=wake_timeout_s)
    if limit_s >= wake_timeout_s:
        limit_s = wake_timeout_s + AFTER_WAKE_S
    if is_navigation and is_waking:
        page_in_s = _page_in_s(spec, waited_s=waited_s, usual_s=usual_s, elapsed_s=elapsed_s)
        if page_in_s is not None and page_in_s <= GRAIN_S:
            return HoldVerdict(answer=Answer.PAGE, reason=f"waking up, for {say_duration(elapsed_s)} so far")
        if page_in_s is not None:
            limit_s = min(limit_s, waited_s + page_in_s)
    if waited_s >= limit_s - GRAIN_S and not is_waking:
        return HoldVerdict(answer=Answer.FULL, reason=f"no replica had room for {say_duration(waited_s)}")
    if waited_s >= limit_s - GRAIN_S:
        reason = f"still waking after {say_duration(waited_s)}; the wake goes on"
        return HoldVerdict(answer=Answer.TIMEOUT, reason=reason)
    return HoldVerdict(answer=Answer.HOLD, reason="waits for a replica", recheck_s=limit_s - waited_s)


def _page_in_s(spec: HoldSpec, *, waited_s: float, usual_s: float | None, elapsed_s: float) -> float | None:
    """Return in how many seconds a navigation gets the waiting page; None: never."""
    if spec.on_cold == "hold":
        return None
    expected_s = None if usual_s is None else usual_s - elapsed_s
    if spec.on_cold == "page" or (expected_s is not None and expected_s > spec.page_after_s):
        return 0.0
    return max(0.0, spec.page_after_s - waited_s)

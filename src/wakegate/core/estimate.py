"""How long a wake will take, from the ones before it."""

from collections.abc import Sequence
from math import ceil
from statistics import median

NEWEST_COUNT = 20  # older wakes say little: apps change
FLOOR_S = 1.0  # nobody should come back sooner


def usual_wake_s(durations: Sequence[float]) -> float | None:
    """Return the median of the newest good wakes (newest first), None before the first."""
    newest = durations[:NEWEST_COUNT]
    return median(newest) if newest else None


def remaining_s(durations: Sequence[float], *, elapsed_s: float, timeout_s: float) -> float:
    """Return the 75th percentile of what remains of a wake that has taken `elapsed_s` already.

    Only past wakes that took longer can say so; without one, the guess is as long again as it has taken.
    """
    left_s = max(FLOOR_S, timeout_s - elapsed_s)
    longer = sorted(duration for duration in durations[:NEWEST_COUNT] if duration > elapsed_s)
    if not longer:
        return min(max(FLOOR_S, elapsed_s), left_s)
    p75 = longer[ceil(0.75 * len(longer)) - 1]
    return min(max(FLOOR_S, p75 - elapsed_s), left_s)

"""backoff: a service whose wakes keep failing is not tried at every request."""

from datetime import datetime, timedelta

from wakegate.core.record import Failure
from wakegate.core.spec import WakeSpec

DOUBLINGS_MAX = 60  # beyond this every bound is passed; keeps the power small


def backoff_s(count: int, *, min_s: float, max_s: float) -> float:
    """Return how long to wait after `count` failures in a row: min, doubled for each further one, at most max."""
    assert count >= 1
    return float(min(max_s, min_s * 2.0 ** min(count - 1, DOUBLINGS_MAX)))


def retry_at(failure: Failure, spec: WakeSpec) -> datetime:
    """Return when the next wake may be tried."""
    wait_s = backoff_s(failure.count, min_s=spec.backoff_min_s, max_s=spec.backoff_max_s)
    return failure.at + timedelta(seconds=wait_s)

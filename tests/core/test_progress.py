"""How far a wake is, and when "try now" is heard."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.core.values import NOW

from wakegate.core.phase import Phase
from wakegate.core.progress import Progress, may_retry, progress
from wakegate.core.record import Failure
from wakegate.core.spec import WakeSpec

SPEC = WakeSpec(timeout_s=180, backoff_min_s=4, backoff_max_s=300)
FAILURE = Failure(reason="exited with status 1", count=1, at=NOW)


def test_a_wake_that_is_under_way_tells_what_is_usual_and_what_remains() -> None:
    """The waiting page shows both."""
    told = progress("web", SPEC, phase=Phase.WAKING, elapsed_s=2, durations=(5, 6, 7), failure=None, now=NOW)
    assert told == Progress(service="web", phase=Phase.WAKING, elapsed_s=2, usual_s=6, retry_after_s=5)


def test_after_a_failure_it_is_the_backoff_that_remains() -> None:
    """And the reason is told; once it is tried again, both are over."""
    now = NOW + timedelta(seconds=1)
    told = progress("web", SPEC, phase=Phase.ASLEEP, elapsed_s=0, durations=(), failure=FAILURE, now=now)
    assert (told.retry_after_s, told.failure) == (3.0, "exited with status 1")
    again = progress("web", SPEC, phase=Phase.WAKING, elapsed_s=1, durations=(), failure=FAILURE, now=now)
    assert (again.retry_after_s, again.failure) == (1.0, "")


def test_a_backoff_that_has_passed_leaves_nothing_to_wait_for() -> None:
    """The next request wakes it."""
    later = NOW + timedelta(seconds=60)
    told = progress("web", SPEC, phase=Phase.ASLEEP, elapsed_s=0, durations=(), failure=FAILURE, now=later)
    assert told.retry_after_s == 0


@pytest.mark.parametrize(("age_s", "may"), [(-60, True), (0, False), (1.9, False), (2, True)])
def test_try_now_is_heard_every_two_seconds(age_s: float, may: bool) -> None:
    """A clock that was set back must not forbid it for an hour."""
    failure = replace(FAILURE, at=NOW - timedelta(seconds=age_s))
    assert may_retry(failure, phase=Phase.ASLEEP, now=NOW) is may


def test_try_now_is_for_a_service_that_sleeps_after_a_failure() -> None:
    """Anything else is awake, or wakes by a request."""
    long_ago = replace(FAILURE, at=NOW - timedelta(seconds=60))
    assert not may_retry(None, phase=Phase.ASLEEP, now=NOW)
    assert not may_retry(long_ago, phase=Phase.WAKING, now=NOW)

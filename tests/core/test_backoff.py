"""How long a service whose wakes keep failing is left alone."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.core.values import NOW

from wakegate.core.backoff import backoff_s, retry_at
from wakegate.core.record import Failure
from wakegate.core.spec import WakeSpec

SECONDS = st.floats(min_value=0.001, max_value=366 * 86_400)
COUNTS = st.integers(min_value=1, max_value=10**9)


def test_the_pause_begins_at_its_least_and_doubles() -> None:
    """One failure may be bad luck; the tenth is not."""
    assert [backoff_s(count, min_s=1, max_s=300) for count in range(1, 11)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]


@given(COUNTS, COUNTS, SECONDS, SECONDS)
def test_more_failures_never_make_the_pause_shorter(count: int, more: int, one_s: float, other_s: float) -> None:
    """A service that has failed for a month is tried as often as the setting says, and the sum never overflows."""
    min_s, max_s = sorted((one_s, other_s))
    pause_s = backoff_s(count, min_s=min_s, max_s=max_s)
    assert min_s <= pause_s <= max_s
    assert backoff_s(count + more, min_s=min_s, max_s=max_s) >= pause_s


def test_a_count_without_end_reaches_the_most() -> None:
    """2 ** 10**9 would never return."""
    assert backoff_s(10**9, min_s=0.001, max_s=300) == 300


def test_the_most_wins_over_the_least() -> None:
    """Where the settings contradict each other, nobody waits longer than the most."""
    assert backoff_s(1, min_s=60, max_s=5) == 5


def test_the_next_try_is_counted_from_the_failure() -> None:
    """Not from the request that asks: else each one would put it off."""
    failure = Failure(reason="exited", count=3, at=NOW)
    assert retry_at(failure, WakeSpec(backoff_min_s=1, backoff_max_s=300)) == NOW + timedelta(seconds=4)

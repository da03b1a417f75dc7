"""How long a wake will take, from the ones before it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakegate.core.estimate import remaining_s, usual_wake_s

DURATIONS = st.lists(st.floats(min_value=0, max_value=1000), max_size=60)
SECONDS = st.floats(min_value=0, max_value=1000)


def test_before_the_first_wake_nobody_knows_how_long_one_takes() -> None:
    """None, not a default: the first wake of a slow framework must not be measured by a guess."""
    assert usual_wake_s([]) is None


def test_the_usual_wake_is_the_median() -> None:
    """One wake on a busy machine must not change what the waiting page promises."""
    assert usual_wake_s([2.0, 1.0, 60.0]) == 2.0


def test_only_the_newest_twenty_wakes_count() -> None:
    """Apps change: last month's wakes say little."""
    assert usual_wake_s([1.0] * 10 + [3.0] * 10 + [100.0] * 80) == 2.0
    assert remaining_s([2.0] * 20 + [100.0] * 80, elapsed_s=0, timeout_s=180) == 2.0


@pytest.mark.parametrize(
    ("durations", "elapsed_s", "left_s"),
    [
        ([10.0, 20.0, 30.0, 40.0], 0, 30.0),
        ([10.0, 20.0, 30.0, 40.0], 15, 25.0),  # only the three that took longer can say
        ([10.0, 20.0, 30.0, 40.0], 39.5, 1.0),
        ([10.0, 20.0, 30.0, 40.0], 60, 60.0),  # it outran them all: as long again
        ([10.0], 10, 10.0),  # one that took just as long says nothing of what comes
        ([10.0], 175, 5.0),  # but the wake timeout ends it
        ([10.0], 500, 1.0),
        ([], 0, 1.0),
        ([], 8, 8.0),
    ],
)
def test_what_remains_is_the_p75_of_the_wakes_that_took_longer(
    durations: list[float], elapsed_s: float, left_s: float
) -> None:
    """`Retry-After` from a constant is wrong for every service but one."""
    assert remaining_s(durations, elapsed_s=elapsed_s, timeout_s=180) == left_s


@given(DURATIONS, SECONDS, SECONDS)
def test_what_remains_is_never_nothing_and_never_beyond_the_timeout(
    durations: list[float], elapsed_s: float, timeout_s: float
) -> None:
    """A `Retry-After` of 0 is a busy loop in somebody's client."""
    left_s = remaining_s(durations, elapsed_s=elapsed_s, timeout_s=timeout_s)
    assert 1.0 <= left_s <= max(1.0, timeout_s - elapsed_s)


@given(DURATIONS.filter(bool))
def test_the_usual_wake_is_one_that_could_have_been(durations: list[float]) -> None:
    """It lies between the shortest and the longest of those that count."""
    usual_s = usual_wake_s(durations)
    assert usual_s is not None
    assert min(durations[:20]) <= usual_s <= max(durations[:20])

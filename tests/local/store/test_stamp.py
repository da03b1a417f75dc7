"""Stamps: no microsecond is lost, in any zone, for any year that a clock may show."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakegate.local.store.stamp import from_us, maybe_from, maybe_us, to_us

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(min_value=datetime(1901, 1, 1), max_value=datetime(2999, 1, 1), timezones=ZONES))
def test_a_moment_comes_back_as_it_was(at: datetime) -> None:
    """A float of seconds would round: 1e9 seconds leave no room for microseconds."""
    assert from_us(to_us(at)) == at
    assert from_us(to_us(at)).tzinfo is UTC


def test_stamps_are_in_the_order_of_moments() -> None:
    """The store compares them as integers."""
    early = datetime(2026, 3, 29, 0, 59, 59, 999999, tzinfo=UTC)
    assert to_us(early + timedelta(microseconds=1)) == to_us(early) + 1 == 1_774_745_999_999_999 + 1


def test_a_moment_without_a_zone_is_a_bug() -> None:
    """Somebody's local time would be taken for UTC."""
    with pytest.raises(TypeError):
        to_us(datetime(2026, 1, 1))


def test_an_unset_moment_stays_unset() -> None:
    """Most records have no `wake_by`."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert (maybe_us(None), maybe_from(None)) == (None, None)
    assert maybe_from(maybe_us(at)) == at

"""schedule: windows as clocks on the wall show them, also when the clocks are changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from wakegate.core.schedule import ScheduleVerdict, Window, decide_schedule, say_window

ZURICH = ZoneInfo("Europe/Zurich")
WORKDAYS = Window(days=(0, 1, 2, 3, 4), begin_min=8 * 60, end_min=18 * 60, zone=ZURICH)
DAILY = tuple(range(7))
MONDAY = datetime(2026, 3, 9, tzinfo=ZURICH)
SPRING = datetime(2026, 3, 29, tzinfo=ZURICH)  # 02:00 is followed by 03:00
AUTUMN = datetime(2026, 10, 25, tzinfo=ZURICH)  # 02:00 to 03:00 comes twice

WINDOWS = st.builds(
    lambda days, begin_min, length_min, zone: Window(
        days=tuple(sorted(days)), begin_min=begin_min, end_min=begin_min + length_min, zone=zone
    ),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 24 * 60 - 1),
    st.integers(1, 24 * 60 - 1),
    st.timezones(),
)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


def at(day: datetime, hours: int, minutes: int = 0, *, fold: int = 0) -> datetime:
    """Return a moment of a day as its clocks show it."""
    return day.replace(hour=hours, minute=minutes, fold=fold)


def decided(now: datetime, *windows: Window, lead_s: float = 0.0) -> ScheduleVerdict:
    """Decide by these windows, else by the working hours."""
    return decide_schedule(windows or (WORKDAYS,), now=now.astimezone(UTC), lead_s=lead_s)


def test_inside_a_window_it_says_until_when() -> None:
    """It is what `status` shows, and when the service may sleep again."""
    verdict = decided(at(MONDAY, 9))
    assert (verdict.is_on, verdict.reason) == (True, "on schedule until 18:00 Europe/Zurich")
    assert verdict.until == at(MONDAY, 18)


def test_outside_it_says_when_the_next_begins() -> None:
    """On Friday evening that is Monday."""
    verdict = decided(at(MONDAY + timedelta(days=4), 18))
    assert (verdict.is_on, verdict.reason) == (False, "its schedule begins Mon 08:00 Europe/Zurich")
    assert verdict.until == at(MONDAY + timedelta(days=7), 8)


def test_it_begins_early_by_the_time_that_a_wake_takes() -> None:
    """Awake at 8 is what was asked for, not woken at 8; the reason still says the window."""
    assert decided(at(MONDAY, 7, 59), lead_s=30).until == at(MONDAY, 7, 59) + timedelta(seconds=30)
    assert not decided(at(MONDAY, 7, 59), lead_s=30).is_on
    assert decided(at(MONDAY, 7, 59), lead_s=90).reason == "on schedule until 18:00 Europe/Zurich"


def test_a_window_that_passes_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    """ "Fri 22:00-06:00" is the night to Saturday, and no other."""
    night = Window(days=(4,), begin_min=22 * 60, end_min=30 * 60, zone=ZURICH)
    friday, saturday = MONDAY + timedelta(days=4), MONDAY + timedelta(days=5)
    assert decided(at(saturday, 5), night).is_on
    assert not decided(at(saturday, 6), night).is_on
    assert not decided(at(friday, 5), night).is_on
    assert decided(at(friday, 23), night).reason == "on schedule until Sat 06:00 Europe/Zurich"


def test_windows_that_follow_on_each_other_are_one() -> None:
    """Else the service would be told to sleep at noon, and to wake in the same second."""
    morning = Window(days=DAILY, begin_min=480, end_min=720, zone=ZURICH)
    afternoon = Window(days=DAILY, begin_min=720, end_min=1080, zone=ZURICH)
    assert decided(at(MONDAY, 9), afternoon, morning).until == at(MONDAY, 18)


def test_every_hour_of_every_day_is_always() -> None:
    """There is no end to name."""
    always = Window(days=DAILY, begin_min=0, end_min=24 * 60, zone=ZURICH)
    assert decided(at(MONDAY, 9), always).reason == "always on schedule"


def test_a_window_that_begins_in_the_missing_hour_begins_at_its_end() -> None:
    """At 02:30 there is no such time on that day: the clocks go from 02:00 to 03:00."""
    window = Window(days=(6,), begin_min=150, end_min=300, zone=ZURICH)
    begins = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert decided(begins - timedelta(seconds=1), window) == ScheduleVerdict(
        is_on=False, reason="its schedule begins 03:00 Europe/Zurich", until=begins
    )
    assert decided(begins, window).is_on


def test_a_window_that_ends_in_the_missing_hour_ends_where_it_begins() -> None:
    """It is shorter on that day."""
    window = Window(days=(6,), begin_min=60, end_min=150, zone=ZURICH)
    assert decided(at(SPRING, 1, 30), window).until == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_a_window_inside_the_missing_hour_is_left_out_once() -> None:
    """The next one comes a week later, and is found."""
    window = Window(days=(6,), begin_min=130, end_min=170, zone=ZURICH)
    assert decided(at(SPRING, 1), window).until == at(SPRING + timedelta(days=7), 2, 10)


def test_the_hour_that_comes_twice_is_in_the_window_both_times() -> None:
    """Awake where it was not needed is better than asleep where it was."""
    until_half_past = Window(days=(6,), begin_min=60, end_min=150, zone=ZURICH)
    from_half_past = Window(days=(6,), begin_min=150, end_min=300, zone=ZURICH)
    assert decided(at(AUTUMN, 1), until_half_past).until == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert decided(at(AUTUMN, 1), from_half_past).until == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_day_of_23_hours_ends_all_the_same() -> None:
    """Working hours are the clock's, not a number of seconds after midnight."""
    sunday = Window(days=(6,), begin_min=480, end_min=1080, zone=ZURICH)
    assert decided(at(SPRING, 0), sunday).until == datetime(2026, 3, 29, 6, 0, tzinfo=UTC)
    assert decided(at(AUTUMN, 0), sunday).until == datetime(2026, 10, 25, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize("months", range(12))
def test_without_a_zone_it_is_the_machines(months: int) -> None:
    """Whatever that is: summer time is found for the day in question, not for today."""
    day = datetime(2026, 1 + months, 12)
    window = Window(days=DAILY, begin_min=480, end_min=1080)
    verdict = decide_schedule((window,), now=day.replace(hour=12).astimezone(UTC))
    assert (verdict.is_on, verdict.reason) == (True, "on schedule until 18:00")
    assert verdict.until == day.replace(hour=18).astimezone(UTC)


@given(WINDOWS, MOMENTS)
@example(Window(days=DAILY, begin_min=150, end_min=200, zone=ZURICH), datetime(2026, 3, 29, 1, tzinfo=UTC))
def test_it_is_on_whenever_a_clock_shows_a_time_in_the_window(window: Window, now: datetime) -> None:
    """In every zone, on every day: that is what the user has written."""
    local = now.astimezone(window.zone)
    shown_min = (local.hour * 60 + local.minute) + local.second / 60 + local.microsecond / 60e6
    today = local.weekday() in window.days and window.begin_min <= shown_min < window.end_min
    before = (local.weekday() - 1) % 7 in window.days and shown_min + 24 * 60 < window.end_min
    # An end on the next day is where the clock shows it first, where that comes twice over midnight.
    assume(local.utcoffset() == (now - timedelta(days=2)).astimezone(window.zone).utcoffset())
    assume(local.utcoffset() == (now + timedelta(days=2)).astimezone(window.zone).utcoffset())
    assert decided(now, window).is_on == (today or before)


@given(st.lists(WINDOWS, min_size=1, max_size=4), MOMENTS, st.floats(0, 3600))
def test_it_holds_until_the_moment_that_it_names_and_not_beyond(
    windows: list[Window], now: datetime, lead_s: float
) -> None:
    """The tick sleeps exactly until then: a verdict that changed before would be missed, one that stayed would spin."""
    verdict = decide_schedule(windows, now=now, lead_s=lead_s)
    assert verdict.until > now
    last = decide_schedule(windows, now=verdict.until - timedelta(microseconds=1), lead_s=lead_s)
    assert last.is_on == verdict.is_on
    if verdict.reason not in ("always on schedule", "its schedule begins in some weeks"):
        assert decide_schedule(windows, now=verdict.until, lead_s=lead_s).is_on is not verdict.is_on


@given(WINDOWS, MOMENTS)
def test_a_clock_that_shows_a_time_in_the_window_never_finds_it_off_on_the_same_day(
    window: Window, now: datetime
) -> None:
    """Also while the clocks are changed: a window that does not pass midnight covers all that it names."""
    assume(window.end_min <= 24 * 60)
    local = now.astimezone(window.zone)
    shown_min = local.hour * 60 + local.minute
    if local.weekday() in window.days and window.begin_min <= shown_min < window.end_min:
        assert decided(now, window).is_on


def test_it_is_written_as_it_is_read() -> None:
    """In `wakegate check` and in the notice of a reload."""
    assert say_window(WORKDAYS) == "Mon-Fri 08:00-18:00 Europe/Zurich"
    assert say_window(Window(days=(0, 2, 5, 6), begin_min=1320, end_min=1800)) == "Mon,Wed,Sat-Sun 22:00-06:00"
    assert say_window(Window(days=DAILY, begin_min=0, end_min=1440)) == "00:00-24:00"

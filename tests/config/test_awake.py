"""awake: what may be written, and what is said of the rest."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakegate.config.awake import AWAKE, PATTERN
from wakegate.config.show import UnfitError
from wakegate.core.schedule import DAYS, Window


def test_days_times_and_a_zone_are_one_window() -> None:
    """As the docs write it."""
    (window,) = AWAKE.read("Mon-Fri 08:00-18:00 Europe/Zurich")
    assert (window.days, window.begin_min, window.end_min) == ((0, 1, 2, 3, 4), 480, 1080)
    assert str(window.zone) == "Europe/Zurich"


def test_days_and_zone_may_be_left_out() -> None:
    """Every day, as the clocks of this machine show it."""
    assert AWAKE.read("8:00-24:00") == (Window(days=tuple(range(7)), begin_min=480, end_min=1440),)


def test_an_end_before_the_begin_is_on_the_next_day() -> None:
    """A night shift."""
    assert AWAKE.read("Mon,Wed 22:00-06:00") == (Window(days=(0, 2), begin_min=1320, end_min=1800),)


def test_a_range_of_days_may_go_over_the_end_of_the_week() -> None:
    """ "Fri-Mon" is a long weekend."""
    assert AWAKE.read("fri-mon 10:00-12:00")[0].days == (0, 4, 5, 6)


def test_a_list_is_several_windows() -> None:
    """Lunch is no working hour."""
    assert len(AWAKE.read(["Mon-Fri 08:00-12:00", "Mon-Fri 13:00-18:00", "Mon-Fri 08:00-12:00"])) == 2


def test_an_environment_variable_parts_them_by_semicolons() -> None:
    """A comma parts days."""
    assert AWAKE.read(AWAKE.from_text("Mon,Tue 08:00-12:00; Sat 10:00-11:00")) == AWAKE.read(
        ["Mon,Tue 08:00-12:00", "Sat 10:00-11:00"]
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (8, '8 is no text; write times in quotes, "Mon-Fri 08:00-18:00"'),
        ("always", '"always" says no times; write "Mon-Fri 08:00-18:00", or "Mon-Fri 08:00-18:00 Europe/Zurich"'),
        ("08:00-08:00", '"08:00-08:00" ends when it begins; write "00:00-24:00" for a whole day'),
        ("08:00-25:00", '"25:00" is no time of a day; write "08:00"'),
        ("24:00-08:00", '"24:00" is no time of a day; write "08:00" or, as an end, "24:00"'),
        ("08:60-09:00", '"08:60" is no time of a day; write "08:00" or, as an end, "24:00"'),
        ("Mon-Fry 08:00-18:00", '"Fry" is no day; did you mean "Fri"?'),
        ("Xyz 08:00-18:00", '"Xyz" is no day; write one of Mon, Tue, Wed, Thu, Fri, Sat, Sun'),
        ("08:00-18:00 Europe/Zurik", '"Europe/Zurik" is no time zone here; did you mean "Europe/Zurich"?'),
        ("08:00-18:00 Europe", '"Europe" is no time zone here; '),
        ("08:00-18:00 ../etc", '"../etc" is no time zone here; write one as "Europe/Zurich"'),
    ],
)
def test_what_is_no_window_is_answered_with_one(value: object, said: str) -> None:
    """What was found, and what to write."""
    with pytest.raises(UnfitError, match=re.escape(said)):
        AWAKE.read(value)


@given(
    st.lists(st.sampled_from(DAYS), max_size=3),
    st.integers(0, 1439),
    st.integers(0, 1440),
    st.sampled_from(("", "UTC", "America/New_York", "Etc/GMT+5")),
)
def test_what_it_writes_reads_as_the_same(days: list[str], begin_min: int, end_min: int, zone: str) -> None:
    """A reload names a change as it would be written; editors accept what the parser does."""
    if begin_min == end_min:
        return
    times = "-".join(f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in (begin_min, end_min))
    text = " ".join(part for part in (",".join(days), times, zone) if part)
    windows = AWAKE.read(text)
    assert re.fullmatch(PATTERN, text)
    assert AWAKE.read(AWAKE.write(windows).strip('"')) == windows


def test_several_are_written_as_a_list() -> None:
    """As TOML."""
    assert AWAKE.write(AWAKE.read(["08:00-09:00", "10:00-11:00"])) == '["08:00-09:00", "10:00-11:00"]'

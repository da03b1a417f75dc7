"""Durations and sizes: what people write, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakegate.config.quantity import bytes_count, duration_s, write_bytes, write_duration
from wakegate.config.show import UnfitError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5m", 300),
        ("300s", 300),
        ("1h30m", 5400),
        ("250ms", 0.25),
        ("1m500ms", 60.5),
        ("5ms", 0.005),
        ("1d", 86_400),
        ("0.5s", 0.5),
        ("1.5h", 5400),
        ("0s", 0),
        ("1d2h3m4s5ms", 93_784.005),
    ],
)
def test_a_duration_is_what_it_says(text: str, seconds: float) -> None:
    """A misread unit is an app that sleeps after 5 ms instead of 5 m."""
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5 minutes",
        "m",
        "5M",
        "-5m",
        "5m ",
        " 5m",
        "5m\n",
        "30m1h",
        "5m5m",
        "1e3s",
        ".5s",
        "5.s",
        "\uff15m",
        "5µs",
        "inf",
    ],
)
def test_what_is_no_duration_is_told_how_to_write_one(text: str) -> None:
    """Also what `float` would take, and digits that are not ASCII."""
    with pytest.raises(UnfitError, match='is no duration; write "5m" or "300s"'):
        duration_s(text)


def test_a_duration_without_a_unit_is_told_with_one() -> None:
    """The commonest slip."""
    with pytest.raises(UnfitError, match=r'^"300" has no unit; write "300s"$'):
        duration_s("300")


@given(st.integers(min_value=0, max_value=366 * 86_400_000))
def test_a_duration_is_written_so_that_it_reads_the_same(milliseconds: int) -> None:
    """What a reload tells can be put into the file."""
    assert round(duration_s(write_duration(milliseconds / 1000)) * 1000) == milliseconds


@pytest.mark.parametrize(("seconds", "text"), [(300, "5m"), (5400, "1h30m"), (0.25, "250ms"), (0, "0s"), (90, "1m30s")])
def test_a_duration_is_written_as_people_do(seconds: float, text: str) -> None:
    """Not 300s where 5m was said."""
    assert write_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("64KiB", 65_536),
        ("10MB", 10_000_000),
        ("1GiB", 2**30),
        ("0B", 0),
        ("1.5KiB", 1536),
        ("10 MB", 10**7),
        ("1kb", 1000),
    ],
)
def test_a_size_is_what_it_says(text: str, count: int) -> None:
    """KB is a thousand, KiB is 1,024."""
    assert bytes_count(text) == count


@pytest.mark.parametrize("text", ["", "10", "ten MB", "10M", "-1KB", "1XB", "10MB\n", "1e3B"])
def test_what_is_no_size_is_told_how_to_write_one(text: str) -> None:
    """ "10M" is two things to two people."""
    with pytest.raises(UnfitError, match='is no size; write "64KiB", "10MB" or a number of bytes'):
        bytes_count(text)


@given(st.integers(min_value=0, max_value=2**50))
def test_a_size_is_written_so_that_it_reads_the_same(count: int) -> None:
    """No byte is lost by rounding."""
    assert bytes_count(write_bytes(count)) == count

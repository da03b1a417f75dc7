"""Durations, sizes and numbers as settings: bounds, what zero means, and texts of options."""

import pytest

from wakegate.config.kind import Kind
from wakegate.config.number import Bytes, Duration, Integer, Number
from wakegate.config.show import UnfitError

REFUSED = [
    (Duration(), 300, '300 has no unit; write "300s"'),
    (Duration(), 0.5, '0.5 has no unit; write "0.5s"'),
    (Duration(), True, 'true is no duration; write "5m" or "300s"'),
    (Duration(), [], '[] is no duration; write "5m" or "300s"'),
    (Duration(), "0s", '"0s" is too short; write a duration longer than 0'),
    (Duration(), "auto", '"auto" is no duration; write "5m" or "300s"'),
    (Duration(zero=True), "367d", '"367d" is too long; write at most "366d"'),
    (Bytes(), True, 'true is no size; write "64KiB", "10MB" or a number of bytes'),
    (Bytes(), 1.5, '1.5 is no size; write "64KiB", "10MB" or a number of bytes'),
    (Bytes(least=1024, most=2**20), 5, '5 is out of bounds; write "1KiB" to "1MiB"'),
    (Bytes(least=1024, most=2**20), "2MiB", '"2MiB" is out of bounds; write "1KiB" to "1MiB"'),
    (Bytes(), -1, '-1 is out of bounds; write "1B" or more'),
    (Integer(), "3", '"3" is no whole number; write 3, without quotes'),
    (Integer(least=1, most=2, auto=True), "3", '"3" is no whole number; write 1 to 2, or "auto"'),
    (Integer(auto=True), "AUTO", '"AUTO" is no whole number; write "auto"'),
    (Integer(), 3.0, "3.0 is no whole number; write 0 or more"),
    (Integer(), False, "false is no whole number; write 0 or more"),
    (Integer(least=1, most=9), 10, "10 is out of bounds; write 1 to 9"),
    (Integer(least=1, most=9, auto=True), 0, '0 is out of bounds; write 1 to 9, or "auto"'),
    (Integer(least=1, most=9), "auto", '"auto" is no whole number; write 1 to 9'),
    (Number(), 0, "0 is out of bounds; write more than 0, at most 1000000"),
    (Number(zero=True), -1, "-1 is out of bounds; write 0 or more, at most 1000000"),
    (Number(), float("nan"), "nan is no number; write more than 0, at most 1000000"),
    (Number(), float("inf"), "inf is out of bounds; write more than 0, at most 1000000"),
    (Number(), 16**5000, "a very long number is out of bounds; write more than 0, at most 1000000"),
    (Number(), "70", '"70" is no number; write more than 0, at most 1000000'),
]


@pytest.mark.parametrize(("kind", "value", "problem"), REFUSED, ids=range(len(REFUSED)))
def test_what_does_not_fit_is_told_with_what_would(kind: Kind, value: object, problem: str) -> None:
    """What was found; what is expected."""
    with pytest.raises(UnfitError) as caught:
        kind.read(value)
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (Duration(), "5m", 300.0),
        (Duration(zero=True), "0s", 0.0),
        (Duration(auto=True), "auto", None),
        (Duration(auto=True), "10s", 10.0),
        (Bytes(), 65_536, 65_536),
        (Bytes(least=0), "0B", 0),
        (Integer(), 0, 0),
        (Integer(least=1, auto=True), "auto", 0),
        (Integer(least=1, auto=True), 2, 2),
        (Number(), 70, 70.0),
        (Number(zero=True), 0, 0.0),
    ],
)
def test_what_fits_is_read_as_the_spec_holds_it(kind: Kind, value: object, read: object) -> None:
    """Seconds are floats; "auto" is None for a duration, and 0 for a number."""
    assert kind.read(value) == read
    assert type(kind.read(value)) is type(read)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Duration(), "300", "300"),
        (Bytes(), "65536", 65_536),
        (Bytes(), "64KiB", "64KiB"),
        (Integer(), "3", 3),
        (Integer(), "-3", -3),
        (Integer(), "three", "three"),
        (Integer(), "9" * 5000, "9" * 5000),
        (Integer(), "\uff13", "\uff13"),
        (Number(), "0.5", 0.5),
        (Number(), "inf", "inf"),
        (Number(), "much", "much"),
    ],
)
def test_the_text_of_an_option_becomes_what_a_file_would_say(kind: Kind, text: str, value: object) -> None:
    """What is no number stays a text, and is refused as one."""
    assert kind.from_text(text) == value


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Duration(), 300.0, "5m"),
        (Duration(auto=True), None, "auto"),
        (Bytes(), 2**20, "1MiB"),
        (Integer(), 20_000, "20000"),
        (Integer(least=1, auto=True), 0, "auto"),
        (Integer(least=1, auto=True), 2, "2"),
        (Number(), 70.0, "70"),
    ],
)
def test_a_value_is_written_as_people_write_it(kind: Kind, value: object, text: str) -> None:
    """For what a reload tells."""
    assert kind.write(value) == text

"""A change of phase in a function's log: one line, and the same change again for whoever reads it."""

import json
from dataclasses import replace

import pytest

from wakegate.aws.change import PhaseChange, read_change, say_change, write_change
from wakegate.core.phase import Event, Phase

CHANGE = PhaseChange(
    service="web",
    before=Phase.ASLEEP,
    to=Phase.WAKING,
    event=Event.REQUEST_ARRIVED,
    version=12,
    reason="GET /a\nb “ü”",
    duration_s=7812.25,
)


def test_a_change_is_one_line_of_json() -> None:
    """CloudWatch Logs Insights finds its fields without being told; a path with a line end in it makes no second."""
    line = write_change(CHANGE)
    assert "\n" not in line
    assert json.loads(line) == {
        "wakegate": "phase",
        "service": "web",
        "from": "asleep",
        "to": "waking",
        "event": "a request arrived",
        "reason": "GET /a\nb “ü”",
        "version": 12,
        "duration_s": 7812.25,
    }


@pytest.mark.parametrize("change", [CHANGE, replace(CHANGE, reason="", duration_s=None)])
def test_a_line_is_read_as_it_was_written(change: PhaseChange) -> None:
    """`wakegate logs --aws` shows it in words."""
    assert read_change(write_change(change)) == change


@pytest.mark.parametrize(
    "line",
    [
        "START RequestId: 1 Version: $LATEST",
        '{"wakegate": "phase"}',
        '{"wakegate": "phase", "from": "dreaming"',
        '{"wakegate": "else"}',
        '{"wakegate"',
        write_change(CHANGE).replace("waking", "dreaming"),
    ],
)
def test_any_other_line_is_none(line: str) -> None:
    """An app may write JSON, and a log may hold lines of a later version: both are shown as they are."""
    assert read_change(line) is None


def test_a_change_is_said_in_words() -> None:
    """In the words of `status` and the local terminal."""
    said = say_change(replace(CHANGE, reason="GET /orders"))
    assert said == "asleep → waking · a request arrived: GET /orders · was asleep for 2h 10m"
    assert say_change(replace(CHANGE, reason="", duration_s=None)) == "asleep → waking · a request arrived"

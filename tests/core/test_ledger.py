"""The wake ledger: what a short one keeps, and what an estimate may be made of."""

from dataclasses import replace
from datetime import UTC, datetime

from wakegate.core.estimate import NEWEST_COUNT
from wakegate.core.ledger import FAILED_COUNT, WakeLine, durations, newest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = WakeLine(id="1", service="web", at=NOW, cause="GET /", outcome="ready", duration_s=40.0)
FAILED = replace(GOOD, id="2", outcome="failed", duration_s=180.0, reason="exit code 3")


def test_what_was_not_lost_is_counted_by_how_it_ended() -> None:
    """`lost` is what nobody can say the ending of."""
    assert replace(GOOD, held=7, served=4, refused=1, gone=1, open=1).lost == 0
    assert replace(GOOD, held=7, served=4).lost == 3


def test_a_broken_image_does_not_push_the_good_wakes_out() -> None:
    """After a night of failures the first visitor is still told how long a wake takes."""
    lines = [replace(FAILED, id=f"failed {number}") for number in range(100)]
    lines += [replace(GOOD, id=f"good {number}") for number in range(100)]
    kept = newest(lines)
    assert [line.id for line in kept[:2]] == ["failed 0", "failed 1"]
    assert len(kept) == FAILED_COUNT + NEWEST_COUNT
    assert len(durations(kept)) == NEWEST_COUNT


def test_the_order_stays_the_newest_first() -> None:
    """Whatever their outcome: `explain` says what woke it from the first line."""
    lines = [replace(FAILED if number % 2 else GOOD, id=str(number)) for number in range(6)]
    assert newest(lines) == tuple(lines)


def test_a_wake_that_failed_says_nothing_about_how_long_a_good_one_takes() -> None:
    """Nor does one whose duration is not known."""
    assert durations([GOOD, FAILED, replace(GOOD, duration_s=0.0)]) == (40.0,)

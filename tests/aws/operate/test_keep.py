"""keep: said by an operator, seen by the functions."""

from datetime import datetime, timedelta

import pytest
from tests.account.account import Account
from tests.aws.operate.conftest import visit

from wakegate.aws.operate.keep import keep
from wakegate.aws.operate.remote import Remote
from wakegate.aws.operate.stack import Stack
from wakegate.aws.operate.status import status
from wakegate.core.errors import ConflictError, WakegateError
from wakegate.core.record import ServiceRecord


def test_the_newest_word_counts_and_off_ends_it(deployed: Account, stack: Stack) -> None:
    """An app's own keep only moves forward; an operator can also shorten one, or take it back."""
    assert visit(deployed) == 200
    remote = Remote(stack)
    for seconds in (7200.0, 60.0):
        keep(remote, seconds, reason="demo")
        until = remote.keeper.load().keep_until
        assert until is not None
        assert abs((until - remote.clock.now()).total_seconds() - seconds) < 30
    keep(remote, 3600.0, reason="demo")
    assert status(stack).next.startswith("kept awake for")
    keep(remote, 0.0, reason="demo")
    record = remote.keeper.load()
    assert (record.keep_until, record.keep_reason) == (None, "")


def test_it_does_not_wake(stack: Stack) -> None:
    """It is said of a service that may sleep for days, before the day of the demo."""
    remote = Remote(stack)
    phase = remote.keeper.load().phase
    assert keep(remote, 60.0, reason="later") is phase
    assert remote.keeper.load().phase is phase


def test_touches_meanwhile_do_not_lose_it(stack: Stack) -> None:
    """Under load every touch makes another version."""
    remote = Remote(stack)
    keep(remote, 60.0, reason="first")
    save, refused = remote.table.save, [3]

    def save_in_a_rush(record: ServiceRecord, *, expected_version: int) -> None:
        if refused[0]:
            refused[0] -= 1
            raise ConflictError("somebody was faster")
        save(record, expected_version=expected_version)

    remote.table.save = save_in_a_rush  # type: ignore[method-assign]  # a rush of touches
    keep(remote, 90.0, reason="second")
    assert remote.keeper.load().keep_reason == "second"


@pytest.mark.parametrize("seconds", [-1.0, 400 * 86_400.0, float("nan")])
def test_a_time_that_nobody_means_is_refused(stack: Stack, seconds: float) -> None:
    """A date beyond the calendar would end in a traceback, or in a service that never sleeps again."""
    with pytest.raises(WakegateError, match="366 days at most"):
        keep(Remote(stack), seconds, reason="")
    assert isinstance(datetime.now() + timedelta(seconds=1), datetime)

"""status: by the record and by ECS, with what will happen next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.account.account import Account
from tests.aws.operate.conftest import visit

from wakegate.aws.operate.remote import Remote
from wakegate.aws.operate.stack import Stack
from wakegate.aws.operate.status import say_next, status
from wakegate.aws.settings import Settings, read
from wakegate.core.phase import Phase
from wakegate.core.record import Failure, ServiceRecord

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RECORD = ServiceRecord(name="web", version=1, phase=Phase.ASLEEP, since=NOW, last_active_at=NOW)
SETTINGS: Settings = read({"SERVICE_NAME": "web", "IDLE_TIMEOUT": "300"})
FAILURE = Failure(reason="exit code 3", count=1, at=NOW)
OLD = replace(FAILURE, at=NOW - timedelta(hours=1))
OVERDUE = "sleeps at the next look of the cleanup"
KEPT = replace(RECORD, phase=Phase.AWAKE, keep_until=NOW + timedelta(hours=2), keep_reason="demo")


def test_a_stack_that_nobody_has_used_yet_sleeps(stack: Stack) -> None:
    """There is no record before the first request, and no error either."""
    found = status(stack)
    assert (found.name, found.phase, found.since, found.last_active_at) == (
        "my-scaling-service", Phase.ASLEEP, None, None
    )  # fmt: skip
    assert (found.replicas_wanted, found.replicas_max, found.is_scheduled) == (0, 3, False)
    assert found.next == "wakes on the first request"


def test_after_a_request_it_shows_what_runs(deployed: Account, stack: Stack) -> None:
    """Running and ready are two things: a task that runs but does not answer is what one looks for here."""
    assert visit(deployed) == 200
    found = status(stack)
    assert (found.phase, found.replicas_ready, found.replicas_running, found.replicas_wanted) == (Phase.AWAKE, 1, 1, 1)
    assert found.is_scheduled
    assert found.usual_wake_s is not None
    assert found.next.startswith("sleeps in 1m ")
    assert Remote(stack).keeper.load().phase is Phase.AWAKE


@pytest.mark.parametrize(
    ("record", "durations", "sentence"),
    [
        (RECORD, (), "wakes on the first request"),
        (RECORD, (12.0,), "wakes in ≈ 12 s on the first request"),
        (replace(RECORD, failure=FAILURE), (), "next try in 10 s; the last wake failed: exit code 3"),
        (replace(RECORD, failure=OLD), (), "wakes on the first request; the last wake failed: exit code 3"),
        (replace(RECORD, phase=Phase.WAKING, wake_by=NOW + timedelta(seconds=178)), (12.0,), "ready in ≈ 10 s"),
        (replace(RECORD, phase=Phase.AWAKE), (), "sleeps in 5m 10s"),
        (KEPT, (), "kept awake for 2h more (demo)"),
        (
            replace(KEPT, phase=Phase.ASLEEP),
            (),
            "wakes on the first request, then kept awake for 2h more (demo)",
        ),
        (replace(RECORD, phase=Phase.AWAKE, last_active_at=NOW - timedelta(hours=1)), (), OVERDUE),
        (replace(RECORD, phase=Phase.AWAKE, last_active_at=NOW + timedelta(seconds=1)), (), "sleeps in 5m 10s"),
        (replace(RECORD, phase=Phase.STOPPING), (), "goes to sleep"),
    ],
)  # fmt: skip
def test_it_says_what_comes_next(record: ServiceRecord, durations: tuple[float, ...], sentence: str) -> None:
    """The core's own verdicts, so that the functions do what the line says; a clock ahead of ours is no crash."""
    assert say_next(record, SETTINGS, durations=durations, now=NOW) == sentence

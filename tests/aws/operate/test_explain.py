"""explain: the questions of whoever pays for what is awake, answered from the record and the newest wakes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.account.account import Account
from tests.account.sample.made import until
from tests.aws.operate.conftest import visit

from wakegate.aws.items import service_key, wakes_key
from wakegate.aws.operate.explain import UNSCHEDULED, explain, wakes, wakes_of
from wakegate.aws.operate.keep import keep
from wakegate.aws.operate.remote import Remote
from wakegate.aws.operate.sleep import sleep
from wakegate.aws.operate.stack import Stack
from wakegate.core.errors import WakeFailedError
from wakegate.core.ledger import WakeLine
from wakegate.core.phase import Event, Phase
from wakegate.core.record import Failure, ServiceRecord, Woken

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WOKEN = Woken(cause="GET /orders", agent="curl/8.5.0", at=NOW)
WAKING = ServiceRecord(name="web", version=1, phase=Phase.WAKING, since=NOW, last_active_at=NOW, woken=WOKEN)
OLDER = WakeLine(id="1", service="web", at=NOW - timedelta(hours=1), cause="GET /", outcome="ready", duration_s=40.0)


def test_a_service_that_nobody_has_used_yet_says_so(deployed: Account, stack: Stack) -> None:
    """There is no record, and nothing is invented."""
    for key in (service_key(stack.service), wakes_key(stack.service)):
        deployed.client("dynamodb").delete_item(TableName=stack.table, Key=key)
    assert explain(stack) == ("my-scaling-service is asleep: nobody has come yet.", "The first request wakes it.")
    assert wakes(stack, limit=20) == ()


def test_an_awake_service_says_what_woke_it_and_when_it_sleeps(deployed: Account, stack: Stack) -> None:
    """Who woke it is known from the function that did, and costs no write of its own."""
    sleep(Remote(stack), force=True)
    assert visit(deployed, "/orders") == 200
    state, sleeps, today = explain(stack)
    assert state.startswith("my-scaling-service is awake since ")
    assert "; GET /orders " in state
    assert "python-httpx/" in state
    assert sleeps.startswith("It sleeps in 1m ")
    assert "today: GET /orders " in today
    assert "held" not in today, "functions know their own requests only"
    (line,) = wakes(stack, limit=1)
    assert (line.cause, line.outcome) == ("GET /orders", "ready")
    assert line.duration_s > 0


def test_it_says_who_keeps_it_awake(deployed: Account, stack: Stack) -> None:
    """And when it would sleep without that."""
    assert visit(deployed) == 200
    keep(Remote(stack), 7200, reason="demo")
    stays = explain(stack)[1]
    assert stays.startswith("It stays awake: kept awake for 2h more (demo); without that it would sleep in ")
    keep(Remote(stack), 0, reason="")


def test_it_says_when_nothing_would_put_it_to_sleep(deployed: Account, stack: Stack) -> None:
    """Whoever turned the schedule off by hand pays by the hour."""
    assert visit(deployed) == 200
    rule, events = stack.output("CleanupRule"), deployed.client("events")

    def is_said() -> bool:
        events.disable_rule(Name=rule)  # the end of the wake may still be on its way, and turn it on
        return explain(stack)[-1] == UNSCHEDULED

    until(is_said)
    events.enable_rule(Name=rule)
    assert UNSCHEDULED not in explain(stack)


def test_a_wake_that_goes_on_is_told_from_when_it_began(deployed: Account, stack: Stack) -> None:
    """While waking, `since` says which tasks may be trusted, perhaps those of an hour ago."""
    assert visit(deployed) == 200
    remote = Remote(stack)
    record = remote.keeper.load()
    waking = remote.waker.begin(replace(record, since=record.since - timedelta(hours=1)), Event.TARGETS_LOST)
    assert waking.since < record.since
    said = explain(stack)
    assert said[0].startswith("my-scaling-service is waking since ")
    assert "1h" not in said[0]
    assert "; wakegate wake " in said[0]
    assert "it is given up in " in said[1]
    assert "wait for it" not in said[1]
    assert [line.outcome for line in wakes(stack, limit=1)] == ["waking"]


def test_a_wake_that_failed_says_why(stack: Stack) -> None:
    """In ECS's own words, with when it is tried again."""
    remote = Remote(stack)
    sleep(remote, force=True)
    record = remote.waker.begin(remote.keeper.load(), Event.REQUEST_ARRIVED, is_forced=True)
    remote.waker.abandon(record, reason="2 tasks ended before they were ready, the newest: CannotPullContainerError")
    said = explain(stack)
    assert "Its last wake failed; the next try is in " in said[1]
    assert said[2].startswith("It failed once, ")
    assert said[2].endswith("2 tasks ended before they were ready, the newest: CannotPullContainerError.")
    assert "wakegate wake" in said[3]
    assert "failed" in said[3]
    assert [line.reason.partition(",")[0] for line in wakes(stack, limit=1)] == ["2 tasks ended before they were ready"]
    with pytest.raises(WakeFailedError):
        remote.waker.begin(remote.keeper.load(), Event.REQUEST_ARRIVED)


FAILURE = Failure(reason="exit code 3", count=1, at=NOW + timedelta(seconds=9))


@pytest.mark.parametrize(
    ("record", "outcome", "reason"),
    [
        (WAKING, "waking", ""),
        (replace(WAKING, phase=Phase.AWAKE), "ready", ""),
        (replace(WAKING, phase=Phase.ASLEEP, failure=FAILURE), "failed", "exit code 3"),
        (replace(WAKING, phase=Phase.AWAKE, failure=replace(FAILURE, at=NOW - timedelta(hours=1))), "ready", ""),
    ],
)
def test_a_wake_that_has_no_line_is_told_from_the_record(record: ServiceRecord, outcome: str, reason: str) -> None:
    """It goes on, or the function that ended it died before it wrote the line; its duration is then not known."""
    newest, older = wakes_of(record, (OLDER,))
    assert (newest.cause, newest.agent, newest.at) == ("GET /orders", "curl/8.5.0", NOW)
    assert (newest.outcome, newest.reason, newest.duration_s) == (outcome, reason, 0.0)
    assert older == OLDER


def test_a_wake_that_has_its_line_is_told_once() -> None:
    """The record goes on to remember what woke it."""
    line = replace(OLDER, id="2", at=NOW)
    assert wakes_of(replace(WAKING, phase=Phase.AWAKE), (line, OLDER)) == (line, OLDER)
    assert wakes_of(replace(WAKING, woken=None), (OLDER,)) == (OLDER,)

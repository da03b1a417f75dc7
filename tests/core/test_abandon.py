"""When a wake is given up: in time, or as soon as what it starts only ends."""

from datetime import UTC, datetime, timedelta

import pytest

from wakegate.core.abandon import REPLACED_WITHIN_S, Crash, WakeAttempt, decide_abandon

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    """Return a duration."""
    return timedelta(seconds=count)


def attempt(*crashed_s: float, starting: int = 1, tasks: int = 1, replicas: int = 1) -> WakeAttempt:
    """Return a wake of a minute ago whose tasks crashed so many seconds ago."""
    return WakeAttempt(
        began_at=NOW - seconds(60),
        wake_by=NOW + seconds(120),
        replicas=replicas,
        tasks_count=tasks,
        starting_count=starting,
        crashes=tuple(Crash(reason=f"crash {number}", at=NOW - seconds(ago)) for number, ago in enumerate(crashed_s)),
    )


def test_a_wake_whose_tasks_start_is_waited_for() -> None:
    """An app may take two minutes to listen."""
    assert not decide_abandon(attempt(), now=NOW).abandon
    assert not decide_abandon(attempt(starting=0, tasks=0), now=NOW).abandon


def test_one_crash_with_a_replacement_on_its_way_is_no_failure() -> None:
    """A host was lost, a database was slow to come up: the second try answers."""
    assert not decide_abandon(attempt(5), now=NOW).abandon
    assert not decide_abandon(attempt(50), now=NOW).abandon


def test_two_crashes_are_a_failure_though_a_third_task_starts() -> None:
    """The replacement has ended as well; each further one is a minute of Fargate and nobody's answer."""
    verdict = decide_abandon(attempt(30, 5), now=NOW)
    assert verdict.abandon
    assert verdict.reason == "2 tasks ended before they were ready, the newest: crash 1"


@pytest.mark.parametrize(("crashes", "is_failure"), [(3, False), (4, True)])
def test_of_many_replicas_each_may_crash_once(crashes: int, is_failure: bool) -> None:
    """Three that start together and meet the same trouble are one crash, not three."""
    crashed = [5.0] * crashes
    assert decide_abandon(attempt(*crashed, replicas=3, starting=3), now=NOW).abandon is is_failure


@pytest.mark.parametrize(("ago_s", "is_failure"), [(REPLACED_WITHIN_S, False), (REPLACED_WITHIN_S + 1, True)])
def test_a_crash_that_nothing_replaces_is_a_failure_after_a_while(ago_s: float, is_failure: bool) -> None:
    """Between an end and its replacement there are some seconds without any task."""
    verdict = decide_abandon(attempt(ago_s, starting=0), now=NOW)
    assert verdict.abandon is is_failure
    if is_failure:
        assert verdict.reason == "its task ended before it was ready: crash 0; none was started after it within 30 s"


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (attempt(starting=0, tasks=0), "no task was started"),
        (attempt(tasks=2), "2 tasks started, the probe never passed"),
        (attempt(100), "its task ended before it was ready: crash 0"),
    ],
)
def test_when_the_time_is_over_the_reason_says_what_was_seen(one: WakeAttempt, reason: str) -> None:
    """Whoever reads it has to mend it; up to the very end it may still become ready."""
    assert not decide_abandon(one, now=one.wake_by).abandon
    verdict = decide_abandon(one, now=one.wake_by + seconds(0.1))
    assert verdict.abandon
    assert verdict.reason == f"not ready after 3m: {reason}"

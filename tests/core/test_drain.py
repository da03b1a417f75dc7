"""A drain stops nothing yet; activity cancels it, and a replica that leaves may finish what it has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.values import NOW_S, activity, service

from wakegate.core.drain import DrainVerdict, decide_drain, decide_retire
from wakegate.core.spec import SleepSpec

SPEC = service(sleep=SleepSpec(grace_s=1.0))
TIMES = st.floats(min_value=0, max_value=100)


def test_nothing_is_stopped_within_the_grace() -> None:
    """A request that comes now finds it awake: no cold start."""
    verdict = decide_drain(SPEC, activity(), since_s=NOW_S + 300, now_s=NOW_S + 300.25)
    assert verdict == DrainVerdict(reason="drains for 0.75 s more", recheck_s=0.75)


def test_it_is_stopped_when_the_grace_has_passed() -> None:
    """And is still idle."""
    verdict = decide_drain(SPEC, activity(), since_s=NOW_S + 300, now_s=NOW_S + 301)
    assert verdict == DrainVerdict(stop=True, reason="still idle after a grace of 1 s")


def test_it_is_not_stopped_before_all_workers_have_acknowledged() -> None:
    """One that has not may let in a request at this moment; when it has, it is looked at again."""
    verdict = decide_drain(SPEC, activity(unheard=2), since_s=NOW_S + 300, now_s=NOW_S + 301)
    assert verdict == DrainVerdict(reason="2 workers may still let a request in")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"in_flight": 1}, "1 in flight"),
        ({"held": 2}, "2 in flight"),
        ({"touched_s": NOW_S + 300.5}, "a request came during the drain"),
        ({"keep_until_s": NOW_S + 361}, "kept awake for 1m more"),
    ],
)
def test_a_request_or_a_keep_during_the_drain_cancels_the_sleep(changes: dict[str, float], reason: str) -> None:
    """Also when the grace has passed meanwhile: the sleep was decided on an older reading."""
    verdict = decide_drain(SPEC, activity(**changes), since_s=NOW_S + 300, now_s=NOW_S + 301)
    assert verdict == DrainVerdict(cancel=True, reason=reason)


def test_the_touch_that_the_idle_time_was_counted_from_cancels_nothing() -> None:
    """Else a service could never sleep."""
    assert decide_drain(SPEC, activity(touched_s=NOW_S), since_s=NOW_S, now_s=NOW_S + 1).stop


def test_a_keep_that_has_just_ended_cancels_nothing() -> None:
    """It held until then, and no longer."""
    assert decide_drain(SPEC, activity(keep_until_s=NOW_S + 301), since_s=NOW_S + 300, now_s=NOW_S + 301).stop


@given(TIMES, TIMES, TIMES, st.integers(0, 2), st.integers(0, 2), st.booleans())
def test_a_drain_stops_cancels_or_says_when_to_ask_again(
    grace_s: float, touched_s: float, later_s: float, in_flight: int, held: int, is_kept: bool
) -> None:
    """Exactly one of the three; and it never stops what somebody uses."""
    spec, since_s = service(sleep=SleepSpec(grace_s=grace_s)), NOW_S + 50
    now_s = since_s + later_s
    used = activity(
        in_flight=in_flight, held=held, touched_s=NOW_S + touched_s, keep_until_s=now_s + 1 if is_kept else 0.0
    )
    verdict = decide_drain(spec, used, since_s=since_s, now_s=now_s)
    assert [verdict.stop, verdict.cancel, verdict.recheck_s is not None].count(True) == 1
    is_used = bool(in_flight or held or is_kept or used.touched_s > since_s)
    assert verdict.cancel == is_used
    if verdict.recheck_s is not None:
        assert decide_drain(spec, used, since_s=since_s, now_s=now_s + verdict.recheck_s).stop


def test_a_replica_that_leaves_with_nothing_in_flight_is_stopped_at_once() -> None:
    """Scale-in waits for nobody who is not there."""
    verdict = decide_retire(in_flight=0, since_s=NOW_S, drain_timeout_s=30, now_s=NOW_S)
    assert verdict == DrainVerdict(stop=True, reason="nothing in flight")


@pytest.mark.parametrize("later_s", [10, 29.5])
def test_a_replica_that_leaves_may_finish_what_it_has(later_s: float) -> None:
    """No request is cut for the sake of saving a process."""
    verdict = decide_retire(in_flight=2, since_s=NOW_S, drain_timeout_s=30, now_s=NOW_S + later_s)
    assert verdict == DrainVerdict(reason="2 in flight", recheck_s=30 - later_s)


def test_a_replica_that_leaves_may_not_stay_for_ever() -> None:
    """A WebSocket could keep every old replica of every reload."""
    verdict = decide_retire(in_flight=1, since_s=NOW_S, drain_timeout_s=30, now_s=NOW_S + 30)
    assert verdict == DrainVerdict(stop=True, reason="1 in flight after 30 s, cut")

"""May an awake service sleep, and if not, when to ask again."""

from math import nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.values import NOW_S, activity, service

from wakegate.core.activity import Activity
from wakegate.core.idle import READING_INTERVALS, IdleVerdict, decide_idle
from wakegate.core.spec import ScaleSpec, ServiceSpec, SleepSpec

IDLE_TIMEOUTS = st.floats(min_value=0.001, max_value=86_400)
QUIET = st.builds(
    Activity,
    in_flight=st.just(0),
    held=st.just(0),
    touched_s=st.floats(min_value=0, max_value=1e6),
    keep_until_s=st.just(0.0) | st.floats(min_value=0, max_value=2e6),
)


def sleepy(*, idle_timeout_s: float = 300.0, unless_cpu_above: float = 0.0) -> ServiceSpec:
    """Return a service that sleeps after five minutes, or as told."""
    return service(sleep=SleepSpec(idle_timeout_s=idle_timeout_s, unless_cpu_above=unless_cpu_above))


def test_a_service_that_nobody_uses_sleeps_after_the_idle_timeout() -> None:
    """What it is all about; the reason is shown as it is."""
    assert decide_idle(sleepy(), activity(), now_s=NOW_S + 300) == IdleVerdict(sleep=True, reason="idle for 5m")


def test_before_the_idle_timeout_it_says_when_to_ask_again() -> None:
    """The tick sleeps exactly until then."""
    verdict = decide_idle(sleepy(), activity(), now_s=NOW_S + 252)
    assert verdict == IdleVerdict(sleep=False, reason="idle for 4m 12s", recheck_s=48)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"in_flight": 3}, "3 in flight"), ({"held": 2}, "2 held"), ({"in_flight": 1, "held": 1}, "1 in flight")],
)
def test_a_request_keeps_it_awake_however_long_it_takes(changes: dict[str, int], reason: str) -> None:
    """A WebSocket that is silent for an hour is in use; its end is an event, so asking again can wait."""
    verdict = decide_idle(sleepy(), activity(**changes), now_s=NOW_S + 3600)
    assert verdict == IdleVerdict(sleep=False, reason=reason, recheck_s=300)


def test_a_keep_says_how_long_and_who() -> None:
    """The sentence of `status` and `explain`."""
    kept = activity(keep_until_s=NOW_S + 1000 + 4320, keep_reason="wakegate keep")
    verdict = decide_idle(sleepy(), kept, now_s=NOW_S + 1000)
    assert verdict == IdleVerdict(sleep=False, reason="kept awake for 1h 12m more (wakegate keep)", recheck_s=4320)


def test_a_keep_that_ends_before_the_idle_timeout_changes_nothing() -> None:
    """The longer of the two holds, and the reason names it."""
    verdict = decide_idle(sleepy(), activity(keep_until_s=NOW_S + 100), now_s=NOW_S + 10)
    assert verdict == IdleVerdict(sleep=False, reason="idle for 10 s", recheck_s=290)


def test_a_keep_without_a_reason_has_no_empty_brackets() -> None:
    """It is a sentence for people."""
    assert decide_idle(sleepy(), activity(keep_until_s=NOW_S + 4000), now_s=NOW_S).reason == "kept awake for 1h 6m more"


def test_a_service_with_a_minimum_never_sleeps() -> None:
    """Only an event (a new configuration) can change that, so there is no time to ask again."""
    spec = service(scale=ScaleSpec(replicas_min=1))
    verdict = decide_idle(spec, activity(), now_s=NOW_S + 1e6)
    assert verdict == IdleVerdict(sleep=False, reason="always awake (scale.min = 1)")


def test_work_after_the_last_answer_keeps_it_awake_where_it_is_asked_for() -> None:
    """Background work after a 202 is what others kill."""
    verdict = decide_idle(sleepy(unless_cpu_above=20.0), activity(cpu_percent=63.7), now_s=NOW_S + 300)
    assert not verdict.sleep
    assert verdict.reason == "busy: 64 % CPU, above 20 % (sleep.unless_cpu_above)"
    assert verdict.recheck_s == ScaleSpec().interval_s


@pytest.mark.parametrize(("above", "cpu_percent"), [(0.0, 100.0), (20.0, 20.0), (20.0, 0.0)])
def test_work_below_the_threshold_or_without_one_does_not(above: float, cpu_percent: float) -> None:
    """An app that polls is not busy; and 0 is off."""
    assert decide_idle(sleepy(unless_cpu_above=above), activity(cpu_percent=cpu_percent), now_s=NOW_S + 300).sleep


def test_an_idle_timeout_shorter_than_the_first_reading_waits_for_it() -> None:
    """Else an app that works after its first answer would be killed for want of a measurement."""
    spec, first_s = sleepy(idle_timeout_s=1.0, unless_cpu_above=20.0), READING_INTERVALS * ScaleSpec().interval_s
    verdict = decide_idle(spec, activity(), now_s=NOW_S + 1)
    assert verdict == IdleVerdict(
        sleep=False, reason="idle for 1 s, its CPU is not measured yet", recheck_s=first_s - 1
    )


@pytest.mark.parametrize(("early_s", "expected"), [(0.5, False), (0.0, True)])
def test_the_first_reading_is_waited_for_and_no_longer(early_s: float, expected: bool) -> None:
    """To the moment: what has not come by then never will."""
    spec, first_s = sleepy(idle_timeout_s=1.0, unless_cpu_above=20.0), READING_INTERVALS * ScaleSpec().interval_s
    assert decide_idle(spec, activity(), now_s=NOW_S + first_s - early_s).sleep is expected


def test_what_cannot_be_measured_does_not_keep_it_awake_for_ever() -> None:
    """Zero must be reached whatever the platform cannot tell."""
    assert decide_idle(sleepy(unless_cpu_above=20.0), activity(cpu_percent=None), now_s=NOW_S + 300).sleep


@given(
    QUIET, IDLE_TIMEOUTS, st.floats(min_value=0, max_value=1e6), st.integers(0, 5), st.integers(0, 5), st.integers(0, 2)
)
def test_it_never_sleeps_while_somebody_uses_it(
    quiet: Activity, idle_timeout_s: float, idle_s: float, in_flight: int, held: int, replicas_min: int
) -> None:
    """Invariant 3: no request began or ended within the idle timeout, none is in flight, and no keep holds."""
    spec = service(sleep=SleepSpec(idle_timeout_s=idle_timeout_s), scale=ScaleSpec(replicas_min=replicas_min))
    used = activity(touched_s=quiet.touched_s, keep_until_s=quiet.keep_until_s, in_flight=in_flight, held=held)
    now_s = quiet.touched_s + idle_s
    verdict = decide_idle(spec, used, now_s=now_s)
    is_used = bool(in_flight or held or replicas_min) or used.keep_until_s > now_s
    assert verdict.sleep == (not is_used and now_s >= quiet.touched_s + idle_timeout_s)
    assert (verdict.recheck_s is None) == bool(verdict.sleep or replicas_min)


@given(QUIET, IDLE_TIMEOUTS, st.floats(min_value=0, max_value=1e6))
def test_the_verdict_changes_exactly_when_it_was_said_to(quiet: Activity, idle_timeout_s: float, idle_s: float) -> None:
    """The tick asks no sooner (it would spin) and no later (it would waste), on a clock of any age."""
    spec = service(sleep=SleepSpec(idle_timeout_s=idle_timeout_s))
    now_s, rounds = quiet.touched_s + idle_s, 0
    while not (verdict := decide_idle(spec, quiet, now_s=now_s)).sleep:
        assert verdict.recheck_s is not None
        assert now_s + verdict.recheck_s > now_s, "time would stand still"
        deadline_s = max(quiet.touched_s + idle_timeout_s, quiet.keep_until_s)
        before_s = min(nextafter(now_s + verdict.recheck_s, 0), nextafter(deadline_s, 0))
        assert not decide_idle(spec, quiet, now_s=max(now_s, before_s)).sleep
        now_s += verdict.recheck_s
        rounds += 1
    assert rounds <= 2  # the second is for the one rounding in two additions


def test_a_clock_that_runs_backwards_is_a_bug() -> None:
    """Idle arithmetic is monotonic: a wall clock here would put services to sleep when it is set."""
    with pytest.raises(AssertionError, match="monotonic"):
        decide_idle(sleepy(), activity(), now_s=NOW_S - 1)

"""Target tracking: the formula, its bounds, its cooldowns, and what missing data may do."""

from dataclasses import replace
from math import nextafter
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.core.values import NOW_S

from wakegate.core.scale import SCALE_IN_RATIO, Observed, ScaleVerdict, decide_scale
from wakegate.core.spec import ScaleSpec

SPEC = ScaleSpec(replicas_max=10, metric="cpu", target=70.0, scale_out_cooldown_s=300, scale_in_cooldown_s=300)

LOADS = st.floats(min_value=0, max_value=100)  # in targets
AGES = st.none() | st.floats(min_value=0, max_value=1.5)  # of the last change, in cooldowns


@st.composite
def specs(draw: st.DrawFn) -> ScaleSpec:
    """Draw any that may be written, also bounds that contradict each other."""
    return ScaleSpec(
        replicas_min=draw(st.integers(0, 5) | st.integers(0, 20)),
        replicas_max=draw(st.integers(5, 20) | st.integers(1, 20)),
        metric=draw(st.sampled_from(("cpu", "memory", "concurrency"))),
        target=draw(st.floats(min_value=0.1, max_value=1000)),
        scale_out_cooldown_s=draw(st.floats(min_value=0, max_value=1000)),
        scale_in_cooldown_s=draw(st.floats(min_value=0, max_value=1000)),
    )


@st.composite
def situations(draw: st.DrawFn) -> tuple[ScaleSpec, Observed]:
    """Draw a spec, and what a sampler may see under it: any number of replicas, mostly one within the bounds."""
    spec = draw(specs())
    replicas = draw(st.integers(1, spec.replicas_max) | st.integers(0, 25))
    load, out_age, in_age = draw(st.none() | LOADS), draw(AGES), draw(AGES)
    observed = Observed(
        replicas=replicas,
        ready=draw(st.just(replicas) | st.integers(0, replicas)),
        metric=None if load is None else load * spec.target,
        last_scale_out_s=None if out_age is None else NOW_S - out_age * spec.scale_out_cooldown_s,
        last_scale_in_s=None if in_age is None else NOW_S - in_age * spec.scale_in_cooldown_s,
    )
    return spec, observed


def decide(spec: ScaleSpec = SPEC, *, replicas: int = 1, metric: float | None, **changes: Any) -> ScaleVerdict:
    """Decide where all replicas are ready, unless a test says otherwise."""
    fields: dict[str, Any] = {"replicas": replicas, "ready": replicas, "metric": metric}
    return decide_scale(spec, Observed(**(fields | changes)), now_s=NOW_S)


@pytest.mark.parametrize(
    ("replicas", "metric", "desired"),
    [
        (1, 70.0, 1),
        (1, 70.5, 2),
        (1, 140.0, 2),
        (1, 141.0, 3),
        (2, 100.0, 3),
        (4, 35.0, 2),
        (3, 0.0, 1),
        (3, 64.0, 3),  # below the target, but ceil says three
        (20, 66.0, 20),  # ceil says 19: not far enough below the target
        (20, 63.0, 20),
        (20, 62.9, 18),
        (29, 500.0, 30),
    ],
)
def test_desired_is_the_load_divided_by_the_target(replicas: int, metric: float, desired: int) -> None:
    """ceil(replicas x metric / target), within the bounds, and in only below 90 % of the target."""
    assert decide(replace(SPEC, replicas_max=30), replicas=replicas, metric=metric).desired == desired


def test_a_mean_of_equal_readings_is_no_reason_for_a_replica() -> None:
    """Rounding: 70.00000000000001 % is the target."""
    assert decide(metric=70.00000000000001).desired == 1


@pytest.mark.parametrize(
    ("spec", "metric", "reason"),
    [
        (SPEC, 95.4, "95 % cpu, target 70"),
        (SPEC, 70.0, "70 % cpu, target 70"),
        (replace(SPEC, metric="memory"), 95.4, "95 % memory, target 70"),
        (replace(SPEC, metric="concurrency", target=2.5), 3.25, "3.25 in flight a replica, target 2.5"),
        (replace(SPEC, replicas_max=1), 95.4, "95 % cpu, target 70; 1 is the most (scale.max)"),
        (SPEC, None, "insufficient data"),
    ],
)
def test_the_reason_says_the_metric_and_the_target(spec: ScaleSpec, metric: float | None, reason: str) -> None:
    """It is the text of the timeline: why are there three of them?"""
    assert decide(spec, metric=metric).reason == reason


@given(situations())
def test_desired_stays_within_the_bounds(situation: tuple[ScaleSpec, Observed]) -> None:
    """Never below one: zero belongs to idle. Where the bounds contradict each other, the upper one protects."""
    spec, observed = situation
    desired = decide_scale(spec, observed, now_s=NOW_S).desired
    most = max(1, spec.replicas_max)
    assert min(max(1, spec.replicas_min), most) <= desired <= most


@given(situations(), LOADS, LOADS)
def test_more_load_never_means_fewer_replicas(situation: tuple[ScaleSpec, Observed], one: float, other: float) -> None:
    """Monotone in the metric, whatever the cooldowns do."""
    spec, observed = situation
    low, high = sorted((one * spec.target, other * spec.target))
    lower = decide_scale(spec, replace(observed, metric=low), now_s=NOW_S).desired
    assert lower <= decide_scale(spec, replace(observed, metric=high), now_s=NOW_S).desired


@given(situations())
def test_missing_data_changes_nothing_within_the_bounds(situation: tuple[ScaleSpec, Observed]) -> None:
    """A sampler that broke must not stop replicas that people use."""
    spec, observed = situation
    blind = replace(observed, metric=None)
    verdict = decide_scale(spec, blind, now_s=NOW_S)
    if max(1, spec.replicas_min) <= observed.replicas <= spec.replicas_max:
        assert verdict.desired == observed.replicas


@pytest.mark.parametrize("replicas", [0, 1, 2])
def test_a_minimum_is_kept_without_data_and_without_a_cooldown(replicas: int) -> None:
    """A bound is no decision about load."""
    spec = replace(SPEC, replicas_min=3)
    assert decide(spec, replicas=replicas, metric=None, last_scale_out_s=NOW_S).desired == 3


def test_a_maximum_that_was_lowered_is_kept_at_once() -> None:
    """After a reload the machine must get its memory back."""
    assert decide(replace(SPEC, replicas_max=2), replicas=5, metric=200.0, last_scale_out_s=NOW_S).desired == 2


def test_a_scale_out_waits_for_its_cooldown() -> None:
    """What was just added has not shown yet what it carries."""
    verdict = decide(replicas=2, metric=140.0, last_scale_out_s=NOW_S - 100)
    assert verdict == ScaleVerdict(desired=2, reason="140 % cpu, target 70; scale-out cooldown", recheck_s=200)


def test_a_scale_out_is_allowed_during_a_scale_in_cooldown() -> None:
    """Availability first: whoever took one away too early gives it back at once."""
    assert decide(replicas=2, metric=140.0, last_scale_in_s=NOW_S).desired == 4


@pytest.mark.parametrize("last", ["last_scale_in_s", "last_scale_out_s"])
def test_a_scale_in_waits_after_a_change_in_either_direction(last: str) -> None:
    """What was just added is not taken away at once, nor everything one after the other."""
    changes: dict[str, Any] = {last: NOW_S - 100}
    verdict = decide(replicas=4, metric=10.0, **changes)
    assert verdict == ScaleVerdict(desired=4, reason="10 % cpu, target 70; scale-in cooldown", recheck_s=200)


def test_a_change_at_the_beginning_of_time_counts() -> None:
    """A monotonic clock may begin at 0.0, which is a time and not "never"."""
    observed = Observed(replicas=4, ready=4, metric=10.0, last_scale_out_s=0.0)
    assert decide_scale(SPEC, observed, now_s=100).recheck_s == 200


@settings(suppress_health_check=[HealthCheck.filter_too_much])  # two thirds of all situations have no cooldown
@given(situations())
def test_a_cooldown_ends_exactly_when_it_was_said_to(situation: tuple[ScaleSpec, Observed]) -> None:
    """And until then nothing moves in its direction."""
    spec, observed = situation
    verdict = decide_scale(spec, observed, now_s=NOW_S)
    assume(verdict.recheck_s is not None)
    assert verdict.recheck_s is not None
    assert verdict.desired == observed.replicas
    assert verdict.recheck_s > 0
    assert decide_scale(spec, observed, now_s=NOW_S + verdict.recheck_s).desired != observed.replicas
    almost_s = max(NOW_S, nextafter(NOW_S + verdict.recheck_s, 0))
    assert decide_scale(spec, observed, now_s=almost_s).desired == observed.replicas


@given(situations())
def test_a_change_obeys_its_cooldown(situation: tuple[ScaleSpec, Observed]) -> None:
    """The same from the other side: whenever load changes the number, the cooldown has passed."""
    spec, observed = situation
    least, most = max(1, spec.replicas_min), spec.replicas_max
    assume(least <= observed.replicas <= most)
    desired = decide_scale(spec, observed, now_s=NOW_S).desired
    if desired > observed.replicas and observed.last_scale_out_s is not None:
        assert observed.last_scale_out_s + spec.scale_out_cooldown_s <= NOW_S
    if desired < observed.replicas:
        assert observed.metric is not None
        assert observed.metric < SCALE_IN_RATIO * spec.target
        for last_s in (observed.last_scale_out_s, observed.last_scale_in_s):
            assert last_s is None or last_s + spec.scale_in_cooldown_s <= NOW_S


def test_replicas_that_start_do_not_multiply_the_load() -> None:
    """20 in flight on the one that is ready need four of five each; three times 20 would ask for twelve."""
    spec = replace(SPEC, metric="concurrency", target=5.0, replicas_max=20)
    assert decide(spec, replicas=3, ready=1, metric=20.0).desired == 4


def test_replicas_that_start_are_counted_as_there() -> None:
    """What the last scale-out asked for is enough: it only has to come up."""
    spec = replace(SPEC, scale_out_cooldown_s=0)
    assert decide(spec, replicas=3, ready=1, metric=200.0).desired == 3


def test_nothing_is_taken_away_while_something_starts() -> None:
    """The average is of the ready ones, and says nothing yet of those that were found to be needed."""
    verdict = decide(replicas=4, ready=2, metric=1.0)
    assert verdict == ScaleVerdict(desired=4, reason="1 % cpu, target 70; 2 still starting")

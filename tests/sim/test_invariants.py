"""The checkers themselves: a broken history must not pass, and a good one must."""

import pytest
from tests.simulated.world import SPEC

from wakegate.sim.invariants import (
    Visit,
    check_back_to_zero,
    check_endings,
    check_grace,
    check_idle_stops,
    check_keeps,
    check_single_flight,
)
from wakegate.sim.workload import Happened, Happening

IDLE_S, GRACE_S = SPEC.sleep.idle_timeout_s, SPEC.sleep.grace_s


def visit(arrived_s: float, ended_s: float | None, *endings: str) -> Visit:
    """Return one that has ended, or not."""
    return Visit(arrived_s=arrived_s, endings=list(endings), ended_s=ended_s)


def history(**times: float) -> list[Happened]:
    """Return what happened to one replica, and when."""
    return [Happened(at_s=at_s, what=Happening[name.upper()], number=1) for name, at_s in times.items()]


@pytest.mark.parametrize("endings", [(), ("served", "gone"), ("served", "served")])
def test_a_request_without_an_ending_or_with_two_is_found(endings: tuple[str, ...]) -> None:
    """Nobody is forgotten, nobody is answered twice."""
    check_endings([visit(0, 1, "served")])
    with pytest.raises(AssertionError, match="endings"):
        check_endings([visit(0, 1, "served"), visit(0, 1, *endings)])


def test_a_start_too_many_is_found() -> None:
    """One for each wake, and those of scaling out."""
    three = [Happened(at_s=float(number), what=Happening.CALLED, number=number) for number in range(3)]
    check_single_flight(three, wakes=2, per_wake=1, besides=1)
    check_single_flight(three, wakes=1, per_wake=3)
    with pytest.raises(AssertionError, match="3 starts in 2 wakes"):
        check_single_flight(three, wakes=2, per_wake=1)


@pytest.mark.parametrize(
    "last",
    [
        visit(0, None),  # in flight
        visit(0, 1_000, "served"),  # in flight then
        visit(0, 501, "served"),  # ended too shortly before
    ],
)
def test_a_drain_too_early_is_found(last: Visit) -> None:
    """Idle is idle for the whole timeout."""
    at_s = 500 + IDLE_S
    check_idle_stops(SPEC, [visit(0, 500, "served"), visit(at_s + 1, None)], [at_s])
    with pytest.raises(AssertionError, match="drained"):
        check_idle_stops(SPEC, [last], [at_s])


def test_a_stop_within_the_grace_is_found() -> None:
    """A request must have had the chance to cancel it."""
    check_grace(SPEC, history(terminated=100 + GRACE_S), [100])
    check_grace(SPEC, history(terminated=99), [100])
    with pytest.raises(AssertionError, match="stopped 0"):
        check_grace(SPEC, history(terminated=100.1), [100])


def test_a_drain_while_a_keep_holds_is_found() -> None:
    """Somebody asked for it."""
    check_keeps([(0, 100)], [100, 200])
    check_keeps([(0, 100)], [95], forgotten_s=10)
    with pytest.raises(AssertionError, match="kept until 100"):
        check_keeps([(0, 100)], [50])


def test_a_replica_that_is_left_or_ends_late_is_found() -> None:
    """Zero means zero."""
    bound_s = IDLE_S + GRACE_S + SPEC.sleep.stop_grace_s
    check_back_to_zero(SPEC, history(started=0, exited=bound_s), last_s=0, ticks_s=0)
    check_back_to_zero(SPEC, [], last_s=0, ticks_s=0)
    with pytest.raises(AssertionError, match="1 replicas still run"):
        check_back_to_zero(SPEC, history(started=0), last_s=0, ticks_s=0)
    with pytest.raises(AssertionError, match="the last replica ended"):
        check_back_to_zero(SPEC, history(started=0, exited=bound_s + 1), last_s=0, ticks_s=0)

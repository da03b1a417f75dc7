"""What is in flight, and when a service was last of use to somebody."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from wakegate.local.request.touch import RECENT_MAX, Touch
from wakegate.sim.clock import SimClock, run


def admit(touch: Touch, clock: SimClock) -> float:
    """Count a request in, as the hot path does; return when it arrived."""
    touch.in_flight += 1
    touch.requests += 1
    touch.touched_s = clock.now_s()
    return touch.touched_s


def on_time(play: Callable[[Touch, SimClock], object]) -> None:
    """Run something that asks for the time, and wants none to pass."""

    async def main() -> None:
        clock = SimClock()
        play(Touch(clock=clock), clock)

    run(main())


def test_both_ends_of_a_request_count_as_activity() -> None:
    """A download of an hour that has just ended was of use a second ago, not an hour ago."""

    async def main() -> None:
        clock = SimClock()
        touch = Touch(clock=clock)
        arrived_s = admit(touch, clock)
        await asyncio.sleep(3600)
        assert (touch.in_flight, touch.touched_s) == (1, arrived_s)
        touch.ended(arrived_s=arrived_s, counts=True, is_cold=False)
        assert (touch.in_flight, touch.touched_s) == (0, clock.now_s())
        assert touch.last_active_at() == clock.utc()

    run(main())


def test_a_request_that_does_not_count_keeps_nobody_awake() -> None:
    """A monitor that looks in each minute must not cost a machine each month."""

    async def main() -> None:
        clock = SimClock()
        touch = Touch(clock=clock)
        before_s = touch.touched_s
        await asyncio.sleep(60)
        touch.in_flight, touch.requests = 1, 1
        touch.ended(arrived_s=clock.now_s(), counts=False, is_cold=False)
        assert (touch.in_flight, touch.touched_s) == (0, before_s)
        assert touch.last_active_at() == clock.utc() - timedelta(seconds=60)

    run(main())


def test_who_ends_without_having_begun_is_a_bug() -> None:
    """A count below zero would let a service sleep under a request."""

    def play(touch: Touch, clock: SimClock) -> None:
        with pytest.raises(AssertionError, match="not paired"):
            touch.ended(arrived_s=clock.now_s(), counts=True, is_cold=False)

    on_time(play)


@pytest.mark.parametrize(("ago_s", "idle_s"), [(90, 90), (0, 0), (-3600, 0)])
def test_idleness_goes_on_over_a_restart(ago_s: float, idle_s: float) -> None:
    """A step of the wall clock can make a service stay awake longer, never sleep too early."""

    def play(touch: Touch, clock: SimClock) -> None:
        touch.restore(last_active_at=clock.utc() - timedelta(seconds=ago_s))
        assert clock.now_s() - touch.touched_s == pytest.approx(idle_s)

    on_time(play)


@pytest.mark.parametrize("for_somebody", [True, False])
def test_idle_time_begins_when_somebodys_wake_is_over(for_somebody: bool) -> None:
    """A long start is not idleness; but a crash at night is no visit, and must not keep itself awake for ever."""

    async def main() -> None:
        clock = SimClock()
        touch = Touch(clock=clock)
        touch.requests = 7
        before_s = touch.touched_s
        await asyncio.sleep(100)
        touch.woke(for_somebody=for_somebody)
        assert touch.touched_s == (clock.now_s() if for_somebody else before_s)
        assert touch.requests_before == 7

    run(main())


def test_a_shorter_keep_never_cuts_a_longer_one() -> None:
    """An operator said two hours; an app that says ten seconds with every answer does not know that."""

    def play(touch: Touch, clock: SimClock) -> None:
        touch.keep(7200, reason="wakegate keep")
        touch.keep(10, reason="the app asked for it")
        reading = touch.activity(held=3, cpu_percent=12.5)
        assert (reading.keep_until_s, reading.keep_reason) == (clock.now_s() + 7200, "wakegate keep")
        assert (reading.held, reading.cpu_percent) == (3, 12.5)
        touch.keep(9000, reason="longer")
        assert (touch.keep_until_s, touch.keep_reason) == (clock.now_s() + 9000, "longer")
        touch.keep(0, reason="")
        assert (touch.keep_until_s, touch.keep_reason) == (0.0, "")

    on_time(play)


@pytest.mark.parametrize("count", [1, 99, 100, 500, RECENT_MAX, 3 * RECENT_MAX])
def test_the_p99_is_of_all_that_have_ended_together(count: int) -> None:
    """A herd that waited five seconds must not be shown as 0 ms because its requests overlapped."""

    def play(touch: Touch, clock: SimClock) -> None:
        assert touch.p99_s() is None
        for _ in range(count):
            admit(touch, clock)
        assert touch.p99_s() is None
        for _ in range(count):
            touch.ended(arrived_s=clock.now_s() - 5, counts=True, is_cold=False)
        assert touch.p99_s() == pytest.approx(5)

    on_time(play)


def test_one_slow_request_of_a_hundred_is_not_the_p99_of_two_hundred() -> None:
    """Two in two hundred may be slower than the 99th percentile."""

    def play(touch: Touch, clock: SimClock) -> None:
        for number in range(200):
            admit(touch, clock)
            touch.ended(arrived_s=clock.now_s() - (30 if number < 2 else 0.2), counts=True, is_cold=False)
        assert touch.p99_s() == pytest.approx(0.2)
        admit(touch, clock)
        touch.ended(arrived_s=clock.now_s() - 30, counts=True, is_cold=False)
        assert touch.p99_s() == pytest.approx(30)

    on_time(play)


def test_a_cold_start_is_not_the_speed_of_the_app() -> None:
    """One wake of 30 s would be shown as the p99 of the next hundred requests; and each wake counts anew."""

    def play(touch: Touch, clock: SimClock) -> None:
        admit(touch, clock)
        touch.ended(arrived_s=clock.now_s() - 30, counts=True, is_cold=True)
        assert touch.p99_s() is None
        admit(touch, clock)
        touch.ended(arrived_s=clock.now_s() - 0.2, counts=True, is_cold=False)
        assert touch.p99_s() == pytest.approx(0.2)
        touch.woke(for_somebody=True)
        assert touch.p99_s() is None

    on_time(play)


def test_an_app_cannot_end_what_a_person_asked_for() -> None:
    """`Wakegate-Keep-Awake: 0` ends the app's own keep; no reason at all ends any."""

    def play(touch: Touch, clock: SimClock) -> None:
        touch.keep(60, reason="wakegate keep")
        touch.keep(0, reason="the app asked for it")
        assert touch.keep_until_s == clock.now_s() + 60
        touch.keep(0, reason="")
        assert touch.keep_until_s == 0
        touch.keep(60, reason="the app asked for it")
        touch.keep(0, reason="the app asked for it")
        assert touch.keep_until_s == 0

    on_time(play)

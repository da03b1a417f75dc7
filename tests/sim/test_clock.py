"""Virtual time: no waiting, one history a seed, and a sentence instead of a hang."""

import asyncio
import time
from datetime import timedelta

import pytest

from wakegate.sim.clock import START_S, STARTED_AT, HandClock, SimClock, StuckError, VirtualLoop, run


def test_days_pass_without_waiting() -> None:
    """Simulations go through months of traffic; the clock of the machine has no part in it."""

    async def main() -> tuple[float, timedelta]:
        clock = SimClock()
        await asyncio.sleep(6 * 86_400)
        return clock.now_s() - START_S, clock.utc() - STARTED_AT

    assert run(main()) == (6 * 86_400, timedelta(days=6))


def test_a_timer_runs_at_its_very_moment() -> None:
    """An idle timeout of 300 s must end after 300 s, not after 300.0000001 s."""

    async def main() -> list[float]:
        clock, moments = SimClock(), []
        for pause_s in (0.1, 0.2, 0.7, 299.0):
            began_s = clock.now_s()
            await asyncio.sleep(pause_s)
            moments.append(clock.now_s() - (began_s + pause_s))
        return moments

    assert run(main()) == [0.0, 0.0, 0.0, 0.0]


def history(seed: int) -> list[str]:
    """Let twenty tasks meet at the same moments, some by timers, some by the end of a TaskGroup."""

    async def visit(name: str, lines: list[str]) -> None:
        try:
            for _ in range(3):
                await asyncio.sleep(1)
                lines.append(name)
            await asyncio.Event().wait()
        finally:
            lines.append(f"{name} cancelled")

    async def fail() -> None:
        raise ZeroDivisionError

    async def main() -> list[str]:
        lines: list[str] = []
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(20):
                    tasks.create_task(visit(str(number), lines), name=str(number))
                await asyncio.sleep(5 + loop.rng.random())
                tasks.create_task(fail(), name="fail")
        except* ZeroDivisionError:
            lines.append(f"ended at {loop.time()}")
        return lines

    return run(main(), seed=seed)


def test_the_same_seed_makes_the_same_history() -> None:
    """A failing seed that does not fail again cannot be mended."""
    garbage = [object() for _ in range(1_000)]  # moves later objects to other addresses
    first = history(7)
    del garbage[::3]
    assert [history(7) for _ in range(5)] == [first] * 5


def test_another_seed_makes_another_history() -> None:
    """What happens at one moment may happen in any order, and the seeds go through the orders."""
    assert len({tuple(history(seed)[:20]) for seed in range(10)}) == 10


def test_callbacks_that_are_ready_keep_their_order() -> None:
    """asyncio promises the order of `call_soon`; a simulation that broke it would find errors that are none."""

    async def main() -> list[int]:
        order: list[int] = []
        for number in range(50):
            asyncio.get_running_loop().call_soon(order.append, number)
        await asyncio.sleep(0)
        return order

    assert run(main(), seed=3) == list(range(50))


def test_a_deadlock_is_told_with_who_waits_where() -> None:
    """In real time it would be a hang."""

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.Event().wait(), name="the patient one")

    with pytest.raises(StuckError, match=r"nothing is scheduled .*; the patient one at Event\.wait:\d+"):
        run(main())


def test_a_main_that_ticks_for_ever_is_told() -> None:
    """Where something always ticks, a deadlock of the rest shows only as time that runs away."""

    async def main() -> None:
        while True:  # noqa: ASYNC110  the very mistake
            await asyncio.sleep(1)

    with pytest.raises(StuckError, match="main has not ended after 3600 s"):
        run(main(), limit_s=3600)


def test_a_spin_is_told() -> None:
    """A loop that polls with `sleep(0)` keeps virtual time from moving at all."""

    async def main() -> None:
        while True:  # noqa: ASYNC110  the very mistake
            await asyncio.sleep(0)

    with pytest.raises(StuckError, match="time stands still"):
        run(main())


def test_what_still_runs_is_cancelled_at_the_end() -> None:
    """A task that outlives its simulation would tell of itself in the next test."""
    ended: list[float] = []

    async def linger() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(1)
            ended.append(asyncio.get_running_loop().time() - START_S)

    async def main() -> None:
        task = asyncio.get_running_loop().create_task(linger(), name="linger")
        await asyncio.sleep(10)
        assert not task.done()

    run(main())
    assert ended == [11.0]


def test_timeouts_and_cancellation_work_as_in_real_time() -> None:
    """The loop replaces waiting only; the flows under test use all of asyncio."""

    async def main() -> float:
        clock = SimClock()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5):
                await asyncio.Event().wait()
        done, pending = await asyncio.wait(
            {asyncio.get_running_loop().create_task(asyncio.sleep(delay, delay)) for delay in (1, 2, 3)}, timeout=2.5
        )
        assert ({task.result() for task in done}, len(pending)) == ({1, 2}, 1)
        return clock.now_s() - START_S

    assert run(main()) == 5.0


def test_threads_are_refused() -> None:
    """A thread would decide the order, and virtual time does not wait for it."""

    async def main() -> None:
        await asyncio.to_thread(time.monotonic)

    with pytest.raises(AssertionError, match="no threads in a simulation"):
        run(main())


def test_a_clock_moved_by_hand_keeps_both_times_together() -> None:
    """Code that never waits needs no loop to be tested."""
    clock = HandClock()
    before = clock.now_s(), clock.utc()
    clock.move(90.5)
    assert (clock.now_s() - before[0], clock.utc() - before[1]) == (90.5, timedelta(seconds=90.5))
    with pytest.raises(AssertionError):
        clock.move(-1)

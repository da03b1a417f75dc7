"""The simulated workload: each behaviour that a wake, a sleep or a crash is tried against.

Over 300 lines because there is a test for each of these, and they are one list.
"""

import asyncio
from collections.abc import Awaitable, Callable
from math import inf

import pytest

from wakegate.core.errors import WorkloadError
from wakegate.ports import Exit
from wakegate.sim.clock import START_S, run
from wakegate.sim.workload import Behaviour, Happening, SimReplica, SimWorkload


def with_one(behaviour: Behaviour, act: Callable[[SimReplica], Awaitable[None]]) -> SimWorkload:
    """Start one replica that behaves so, act on it, and return its workload."""
    workload = SimWorkload(behaviour)

    async def main() -> None:
        await act(await workload.start(number=1))

    run(main())
    return workload


def lines(workload: SimWorkload) -> list[tuple[float, Happening]]:
    """Return the history with times from the beginning."""
    return [(round(happened.at_s - START_S, 6), happened.what) for happened in workload.history]


async def first_answer_s(replica: SimReplica) -> float:
    """Return when it first answers, probing each tenth of a second."""
    while not await replica.answers():  # noqa: ASYNC110  as the real probe does
        await asyncio.sleep(0.1)
    return asyncio.get_running_loop().time() - START_S


def test_it_listens_after_its_delay() -> None:
    """The time until an app listens is what a wake waits for."""

    async def act(replica: SimReplica) -> None:
        assert not replica.accepts
        assert await first_answer_s(replica) == pytest.approx(2.0)
        assert replica.accepts

    with_one(Behaviour(listen_s=2.0), act)


def test_a_replica_that_is_never_ready_never_answers() -> None:
    """The wake timeout must end such a wake."""

    async def act(replica: SimReplica) -> None:
        for _ in range(1_000):
            await asyncio.sleep(10)
            assert not await replica.answers()

    with_one(Behaviour(listen_s=inf), act)


def test_it_can_die_before_it_is_ready() -> None:
    """A crash while waking ends the wake at once, with its status."""

    async def act(replica: SimReplica) -> None:
        end = await replica.exited()
        assert (end.status, end.signal, end.after_s) == (3, None, 1.0)
        assert end.log_tail[-1] == "replica 1 exited"
        assert not await replica.answers()

    with_one(Behaviour(listen_s=2.0, dies_after_s=1.0, status=3), act)


def test_it_can_die_when_told() -> None:
    """A test chooses the worst moment."""

    async def act(replica: SimReplica) -> None:
        await first_answer_s(replica)
        replica.die()
        assert not replica.accepts
        assert (await replica.exited()).status == 1

    with_one(Behaviour(), act)


def test_it_can_hang() -> None:
    """An app in a deadlock lives on."""

    async def main() -> None:
        replica = await SimWorkload(Behaviour(listen_s=1)).start(number=1)
        await asyncio.sleep(2)
        replica.hang()
        assert (replica.is_alive, await replica.answers()) == (True, False)

    run(main())


def test_it_can_be_ready_and_refuse() -> None:
    """A probe that passes promises nothing about the next connection."""

    async def act(replica: SimReplica) -> None:
        await first_answer_s(replica)
        assert not replica.accepts

    with_one(Behaviour(refuses=True), act)


def test_sigterm_ends_it_after_its_time_and_only_once() -> None:
    """A slow stop is where a request meets a service that is going down."""

    async def act(replica: SimReplica) -> None:
        replica.terminate()
        await asyncio.sleep(1)
        replica.terminate()
        assert (await replica.exited()).signal == 15
        replica.terminate()

    workload = with_one(Behaviour(stop_s=4.0), act)
    assert lines(workload)[2:] == [(0.0, Happening.TERMINATED), (4.0, Happening.EXITED)]


def test_one_that_ignores_sigterm_ends_by_sigkill() -> None:
    """The stop grace exists for these."""

    async def act(replica: SimReplica) -> None:
        replica.terminate()
        await asyncio.sleep(600)
        assert replica.is_alive
        replica.kill()
        assert replica.is_alive  # the end is seen later, as with a real process
        assert (await replica.exited()).signal == 9
        replica.kill()

    workload = with_one(Behaviour(ignores_term=True), act)
    assert lines(workload)[2:] == [(0, Happening.TERMINATED), (600, Happening.KILLED), (600, Happening.EXITED)]


def test_any_number_may_wait_for_its_end_and_one_may_give_up() -> None:
    """The fleet, a probe and a stop all wait for the same replica."""

    async def act(replica: SimReplica) -> None:
        waiting = [asyncio.get_running_loop().create_task(replica.exited(), name=str(n)) for n in range(3)]
        await asyncio.sleep(1)
        waiting[0].cancel()
        replica.die()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(ends[0], asyncio.CancelledError)
        assert [isinstance(end, Exit) for end in ends[1:]] == [True, True]
        assert await replica.exited() == ends[1]

    with_one(Behaviour(), act)


def test_a_start_that_fails_raises_and_leaves_nothing() -> None:
    """A command that is not there is a mistake of the configuration, told by its own error."""
    workload = SimWorkload(Behaviour(start_error="gunicorn: not found"), Behaviour())

    async def main() -> None:
        with pytest.raises(WorkloadError, match="gunicorn: not found"):
            await workload.start(number=1)
        assert workload.alive == []
        await workload.start(number=1)

    run(main())
    assert workload.starts == 2
    assert [what for _, what in lines(workload)] == [
        Happening.CALLED,
        Happening.FAILED,
        Happening.CALLED,
        Happening.STARTED,
    ]


def test_each_start_takes_the_next_behaviour_and_the_last_stays() -> None:
    """A crash loop that mends itself is two behaviours."""
    workload = SimWorkload(Behaviour(status=1), Behaviour(status=2))

    async def main() -> list[int]:
        return [(await workload.start(number=number)).behaviour.status for number in (1, 2, 3)]

    assert run(main()) == [1, 2, 2]


def test_a_start_that_is_cancelled_leaves_nothing() -> None:
    """A wake may be given up while the platform still thinks about it."""
    workload = SimWorkload(Behaviour(start_s=10))

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await workload.start(number=1)
        await asyncio.sleep(100)

    run(main())
    assert (workload.starts, workload.replicas) == (1, [])


def test_where_only_one_can_run_the_next_start_waits() -> None:
    """Two processes cannot share a fixed port."""
    workload = SimWorkload(Behaviour(stop_s=3), replicas_max=1)

    async def main() -> float:
        (await workload.start(number=1)).terminate()
        await workload.start(number=2)
        return asyncio.get_running_loop().time() - START_S

    assert run(main()) == 3.0
    assert [replica.number for replica in workload.alive] == [2]


def test_replicas_outlive_the_task_that_started_them_and_are_adopted() -> None:
    """A gateway that was killed leaves its replicas running."""
    workload = SimWorkload(Behaviour(listen_s=5))

    async def main() -> None:
        async with asyncio.TaskGroup() as gateway:
            gateway.create_task(workload.start(number=1))
            dead = gateway.create_task(workload.start(number=2))
        dead.result().die()
        adopted = await workload.adopt()
        assert [replica.number for replica in adopted] == [1]
        assert await first_answer_s(adopted[0]) == pytest.approx(5)
        assert workload.at(adopted[0].key) is adopted[0]

    run(main())


def test_the_same_seed_draws_the_same_delays() -> None:
    """Drawn delays are what makes a thousand seeds a thousand different days."""

    def listening(seed: int) -> list[float]:
        async def main() -> list[float]:
            workload = SimWorkload(Behaviour(listen_s=(0.1, 9.0)), seed=seed)
            return [await first_answer_s(await workload.start(number=number)) for number in range(4)]

        return run(main())

    assert listening(1) == listening(1)
    assert listening(1) != listening(2)
    assert all(0.1 <= wait_s < 40 for wait_s in listening(1))


def test_one_number_for_two_living_replicas_is_a_bug_of_the_caller() -> None:
    """A number names a log, a target and a line of the timeline."""

    async def main() -> None:
        workload = SimWorkload()
        await workload.start(number=1)
        with pytest.raises(AssertionError, match="one number"):
            await workload.start(number=1)

    run(main())


def test_a_paused_one_answers_nothing_until_it_is_resumed() -> None:
    """What is frozen must get no request; and both may be asked for twice."""

    async def act(replica: SimReplica) -> None:
        await first_answer_s(replica)
        for _ in range(2):
            await replica.pause()
        assert replica.is_paused
        assert not replica.accepts
        assert (await replica.give_back()).after_bytes == 84_000_000
        for _ in range(2):
            await replica.resume()
        assert replica.accepts

    assert [what for _, what in lines(with_one(Behaviour(listen_s=0), act))][-2:] == [
        Happening.PAUSED,
        Happening.RESUMED,
    ]


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_a_pause_and_its_end_can_fail(verb: str) -> None:
    """A control group that cannot be frozen, a daemon that says no; and nobody can freeze what is gone."""

    async def act(replica: SimReplica) -> None:
        with pytest.raises(WorkloadError, match=f"no {verb} today"):
            await getattr(replica, verb)()
        replica.behaviour = Behaviour()
        replica.die()
        with pytest.raises(WorkloadError, match="is gone"):
            await getattr(replica, verb)()
        assert not replica.is_paused

    with_one(Behaviour(pause_error="no pause today", resume_error="no resume today"), act)


def test_one_can_come_back_deaf() -> None:
    """It runs and never answers again: a wake must not wait for it for ever."""

    async def act(replica: SimReplica) -> None:
        await replica.pause()
        await replica.resume()
        assert replica.is_alive
        assert not await replica.answers()

    with_one(Behaviour(listen_s=0, wakes_deaf=True), act)


def test_one_that_is_paused_ends_when_it_is_told_to() -> None:
    """SIGTERM comes with SIGCONT."""

    async def act(replica: SimReplica) -> None:
        await replica.pause()
        replica.terminate()
        assert (await replica.exited()).signal == 15

    with_one(Behaviour(), act)

"""A replica that is paused: frozen, resumed, stopped, or lost, and what is told of it."""

import asyncio

import pytest
from tests.local.test_fleet import Yard, in_yard
from tests.simulated.world import SPEC

from wakegate.core.errors import WorkloadError
from wakegate.local.fleet import RESUME_S
from wakegate.local.member import Life, Steps
from wakegate.sim.workload import Behaviour, Happening


def frozen(yard: Yard) -> list[bool]:
    """Return which replicas of the world are frozen."""
    return [replica.is_paused for replica in yard.workload.replicas]


def test_one_stays_paused_and_the_others_end() -> None:
    """A wake needs one; each further one would keep its memory for load that may not come."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[list[Life], list[str], int]:
        for _ in range(3):
            await yard.add()
        targets = list(yard.fleet.targets)
        yard.fleet.pause()
        assert yard.fleet.targets == []
        assert all(target.shut for target in targets)
        await asyncio.sleep(1)
        assert frozen(yard) == [True, False, False]
        return yard.lives(), yard.told, len(yard.fleet)

    assert in_yard(test) == (
        [Life.PAUSED],
        ["paused: replica 1 is paused, keeps 84 MB (was 96 MB), uses no CPU"],
        0,
    )


def test_what_it_keeps_is_told_once_for_each_pause() -> None:
    """Memory takes its time to go; a figure of the pause before would be told of the next one."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> list[int]:
        told = []
        await yard.add()
        yard.fleet.pause()
        await asyncio.sleep(3)
        await yard.add()
        yard.fleet.pause()
        for _ in range(3):
            await asyncio.sleep(4)
            told.append(len(yard.told))
        return told

    assert in_yard(test, Behaviour(give_back_s=5)) == [0, 1, 1]


def test_one_with_a_request_in_flight_is_never_frozen() -> None:
    """Its client would wait for an answer that cannot come; a forced sleep cuts it instead."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[list[bool], list[Life]]:
        await yard.add()
        await yard.add()
        yard.fleet.targets[0].in_flight = 1
        yard.fleet.pause()
        await asyncio.sleep(1)
        return frozen(yard), yard.lives()

    assert in_yard(test) == ([False, True], [Life.PAUSED])


def test_the_next_one_that_is_wanted_is_the_paused_one() -> None:
    """No start and no settling time: it has served before. Its target is another, the old one is shut."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[Steps, list[str], int]:
        await yard.add()
        (old,) = yard.fleet.targets
        yard.fleet.pause()
        await asyncio.sleep(1)
        resumes = [yard.fleet.resumes]
        steps = await yard.add()
        (target,) = yard.fleet.targets
        assert target is not old
        assert (target.key, target.number, target.shut) == (old.key, old.number, False)
        resumes.append(yard.fleet.resumes)
        assert resumes == [True, False]
        await yard.add()
        return steps, [target.key for target in yard.fleet.targets], yard.workload.starts

    steps, keys, starts = in_yard(test, Behaviour(listen_s=3))
    assert steps == Steps(start_s=0, listen_s=0, settle_s=0)
    assert (len(keys), starts) == (2, 2)


def test_a_resume_does_not_overtake_the_pause() -> None:
    """Else the pause would come last, and freeze what has just got a request."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> list[Happening]:
        await yard.add()
        yard.fleet.pause()
        await yard.add()
        assert frozen(yard) == [False]
        return [happened.what for happened in yard.workload.history][-2:]

    assert in_yard(test, Behaviour(pause_s=2)) == [Happening.PAUSED, Happening.RESUMED]


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (Behaviour(resume_error="the freezer is stuck"), "the freezer is stuck"),
        (Behaviour(wakes_deaf=True), "no answer for 5 s"),
        (Behaviour(resume_s=60), "no answer for 5 s"),
        (Behaviour(pause_s=60), "no answer for 5 s"),
    ],
)
def test_where_it_does_not_come_back_a_fresh_one_is_started(behaviour: Behaviour, why: str) -> None:
    """In the same call: whoever waits for it notices nothing but the time."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[list[str], list[int]]:
        await yard.add()
        yard.fleet.pause()
        await asyncio.sleep(1)
        began_s = asyncio.get_running_loop().time()
        await yard.add()
        assert asyncio.get_running_loop().time() - began_s <= RESUME_S + 1
        numbers = [target.number for target in yard.fleet.targets]
        await asyncio.sleep(2 * SPEC.sleep.stop_grace_s + 1)
        assert [replica.is_alive for replica in yard.workload.replicas] == [False, True]
        return [text for text in yard.told if "come back" in text], numbers

    assert in_yard(test, behaviour, Behaviour()) == (
        [f"exited: replica 1 did not come back from its pause: {why}"],
        [2],
    )


def test_one_that_cannot_be_paused_is_stopped() -> None:
    """It must not run on behind a service that is asleep."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[list[str], int]:
        await yard.add()
        yard.fleet.pause()
        await asyncio.sleep(1)
        return yard.told, len(yard.workload.alive)

    told = "exited: replica 1 could not be paused and is stopped: not permitted"
    assert in_yard(test, Behaviour(pause_error="not permitted")) == ([told], 0)


def test_one_that_cannot_be_paused_and_is_wanted_again_stays() -> None:
    """The request came while the pause was being tried: all is well, and nobody needs to know."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[list[str], int, int]:
        await yard.add()
        yard.fleet.pause()
        await yard.add()
        return yard.told, len(yard.fleet.targets), yard.workload.starts

    assert in_yard(test, Behaviour(pause_s=1, pause_error="not permitted")) == ([], 1, 1)


def test_one_that_dies_while_it_is_paused_is_told_and_not_missed() -> None:
    """The kernel takes the largest when memory runs out. The next wake starts a fresh one, and says nothing more."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[list[str], list[str], int]:
        await yard.add()
        yard.fleet.pause()
        await asyncio.sleep(1)
        yard.workload.replicas[0].die()
        await asyncio.sleep(0.1)
        assert not yard.fleet.resumes
        await yard.add()
        return yard.told[1:], yard.lost, yard.workload.starts

    told, lost, starts = in_yard(test)
    assert told[0].startswith("exited: replica 1 exited with status 1 after ")
    assert told[0].endswith(", while it was paused")
    assert (len(told), lost, starts) == (1, [], 2)


@pytest.mark.parametrize("pause_s", [0, 5])
def test_what_is_paused_or_about_to_be_can_be_stopped(pause_s: float) -> None:
    """The second window has passed, or the gateway goes down: it ends by SIGTERM, not by SIGKILL."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> list[Happening]:
        await yard.add()
        yard.fleet.pause()
        await asyncio.sleep(1)
        yard.fleet.stop_paused()
        await asyncio.sleep(8)
        assert yard.workload.alive == []
        return [happened.what for happened in yard.workload.history][-3:]

    assert in_yard(test, Behaviour(pause_s=pause_s)) == [Happening.PAUSED, Happening.TERMINATED, Happening.EXITED]


def test_a_stop_during_a_resume_leaves_nothing() -> None:
    """Neither the one that was coming back nor a fresh one in its place."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[int, int]:
        await yard.add()
        yard.fleet.pause()
        await asyncio.sleep(1)

        async def add() -> None:
            with pytest.raises(WorkloadError, match="stopped before it was ready"):
                await yard.add()

        adding = tasks.create_task(add())
        await asyncio.sleep(1)
        yard.fleet.stop()
        await adding
        await asyncio.sleep(SPEC.sleep.stop_grace_s + 1)
        return len(yard.workload.alive), yard.workload.starts

    assert in_yard(test, Behaviour(resume_s=3)) == (0, 1)


def test_what_an_earlier_gateway_paused_stays_paused() -> None:
    """It is not asked whether it answers, nor counted among those that do; what it keeps is measured again."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[int, list[Life], bool, list[str]]:
        replica = await yard.workload.start(number=1)
        await replica.pause()
        adopted = await yard.fleet.adopt(patience_s=3)
        await asyncio.sleep(1)
        return adopted, yard.lives(), replica.is_paused, yard.told

    told = ["paused: replica 1 is paused, keeps 84 MB (was 96 MB), uses no CPU"]
    assert in_yard(test) == (0, [Life.PAUSED], True, told)

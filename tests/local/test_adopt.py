"""What an earlier gateway left, or this one before it broke: taken over where it runs, and never twice."""

import asyncio

import pytest
from tests.local.test_fleet import Yard, in_yard

from wakegate.local.member import Life
from wakegate.sim.clock import run
from wakegate.sim.workload import Behaviour


def test_what_an_earlier_gateway_left_is_taken_over_if_it_answers() -> None:
    """The rest is stopped: half started, it has nobody who waits for it."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[int, list[Life]]:
        await yard.workload.start(number=1)
        await asyncio.sleep(5)
        await yard.workload.start(number=2)
        return await yard.fleet.adopt(patience_s=0.1), yard.lives()

    assert in_yard(test, Behaviour(listen_s=2)) == (1, [Life.READY, Life.STOPPING])


def test_what_was_forgotten_is_found_again() -> None:
    """A service that broke starts over with what runs; those who had its targets see them shut."""

    async def main() -> tuple[bool, list[str], int]:
        yard = Yard()

        async def break_down() -> None:
            async with asyncio.TaskGroup() as tasks:
                yard.fleet.begin(tasks)
                await yard.add()
                raise RuntimeError

        with pytest.raises(ExceptionGroup):
            await break_down()
        old = yard.fleet.targets[0]
        yard.fleet.forget()
        assert (yard.fleet.members, yard.fleet.targets, old.shut) == ((), [], True)
        async with asyncio.TaskGroup() as tasks:
            yard.fleet.begin(tasks)
            await yard.fleet.adopt(patience_s=0.1)
            found = [target.key for target in yard.fleet.targets]
            is_new = yard.fleet.targets[0] is not old
            yard.workload.replicas[0].die()
        return is_new, found, yard.workload.starts

    assert run(main()) == (True, ["127.0.0.1:20000"], 1)


def test_one_that_ends_while_the_others_are_asked_is_not_taken_over() -> None:
    """It was told to end by the gateway that was killed, and still answered: a dead end for every request."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[int, int, list[Life]]:
        ending = await yard.workload.start(number=1)
        yard.workload.behaviours[0] = Behaviour(listen_s=60)
        await yard.workload.start(number=2)
        ending.terminate()
        adopted = await yard.fleet.adopt(patience_s=1)
        assert not ending.is_alive
        return adopted, len(yard.fleet.targets), yard.lives()

    assert in_yard(test, Behaviour(listen_s=0, stop_s=0.5)) == (0, 0, [Life.STOPPING])

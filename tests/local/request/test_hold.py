"""Requests that wait: bounded in number and time, in order of arrival, comforted, and free to leave."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from math import inf
from typing import Any

import pytest
from tests.simulated.world import SPEC, Client, World, with_scale

from wakegate.core.spec import HoldSpec, ServiceSpec
from wakegate.local.lane import Target
from wakegate.sim.clock import run
from wakegate.sim.invariants import check_endings
from wakegate.sim.workload import Behaviour

NEVER = Behaviour(listen_s=inf)


def with_hold(**changes: Any) -> ServiceSpec:
    """Return the spec with another hold."""
    return replace(SPEC, hold=replace(HoldSpec(timeout_s=60), **changes))


def play(scene: Callable[[World], Awaitable[None]], *behaviours: Behaviour, spec: ServiceSpec = SPEC) -> World:
    """Let a scene run in a world; return the world as it is at its end."""
    worlds: list[World] = []

    async def main() -> None:
        worlds.append(World(*behaviours, spec=spec))
        async with worlds[0].running():
            await scene(worlds[0])

    run(main())
    return worlds[0]


async def together(world: World, count: int, **how: Any) -> None:
    """Make so many visits at the same moment."""
    async with asyncio.TaskGroup() as tasks:
        for _ in range(count):
            tasks.create_task(world.visit(**how))


def endings(world: World) -> list[str]:
    """Return how every visit has ended, in order of arrival."""
    check_endings(world.visits)
    return [visit.endings[0] for visit in world.visits]


def test_as_many_wait_as_may_and_the_next_is_refused_at_once() -> None:
    """Bounded in number: a herd must not fill the memory of the gateway, nor wait for nothing."""

    async def scene(world: World) -> None:
        await together(world, 5)

    world = play(scene, Behaviour(listen_s=2), spec=with_hold(depth_max=3))
    assert endings(world) == ["served"] * 3 + ["HoldFullError"] * 2
    assert [visit.ended_s == visit.arrived_s for visit in world.visits] == [False] * 3 + [True] * 2
    (line,) = world.store.wakes("web", limit=9)
    assert (line.held, line.served, line.refused, line.lost) == (5, 3, 2, 0)


def test_a_seat_that_is_left_can_be_taken() -> None:
    """Who hangs up makes room."""

    async def scene(world: World) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(world.visit(patience_s=1))
            await asyncio.sleep(1.5)
            tasks.create_task(world.visit())

    assert endings(play(scene, Behaviour(listen_s=2), spec=with_hold(depth_max=1))) == ["gone", "served"]


def test_each_is_told_after_its_own_time_and_the_wake_goes_on() -> None:
    """Bounded in time, from its own arrival; the next visitor finds the service awake."""

    async def scene(world: World) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(world.visit())
            await asyncio.sleep(3)
            tasks.create_task(world.visit())
        await asyncio.sleep(10)
        await world.visit()

    world = play(scene, Behaviour(listen_s=15), spec=with_hold(timeout_s=5))
    assert endings(world) == ["HoldTimeoutError", "HoldTimeoutError", "served"]
    assert [round((visit.ended_s or 0) - visit.arrived_s, 3) for visit in world.visits[:2]] == [5, 5]
    assert world.workload.starts == 1


def test_a_browser_gets_the_page_when_its_patience_ends() -> None:
    """And a program beside it goes on waiting."""

    async def scene(world: World) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(world.visit(is_navigation=True))
            tasks.create_task(world.visit())

    world = play(scene, Behaviour(listen_s=4), spec=with_hold(page_after_s=2))
    assert endings(world) == ["StillWakingError", "served"]
    assert round((world.visits[0].ended_s or 0) - world.visits[0].arrived_s, 3) == 2


def test_they_leave_in_order_of_arrival_and_not_all_at_once() -> None:
    """A herd must not fell what it has just woken, nor the newest overtake the oldest."""

    async def scene(world: World) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(6):
                tasks.create_task(world.visit(took_s=1))
                await asyncio.sleep(0)

    world = play(scene, Behaviour(listen_s=1), spec=with_hold(target_connections_max=2))
    assert endings(world) == ["served"] * 6
    began_s = world.visits[0].arrived_s
    assert [int((visit.ended_s or 0) - began_s) for visit in world.visits] == [2, 2, 3, 3, 4, 4]


def test_a_newcomer_does_not_overtake_the_line() -> None:
    """There is room for one, and somebody else has waited for it."""

    async def scene(world: World) -> None:
        await world.visit()
        await together(world, 3, took_s=2)

    world = play(scene, spec=with_scale(concurrency_max=1))
    assert endings(world) == ["served"] * 4
    ended_s = [visit.ended_s or 0 for visit in world.visits]
    assert ended_s == sorted(ended_s)
    assert ended_s[-1] - ended_s[0] == pytest.approx(6)


class Unlucky(Client):
    """A client whose target dies in the moment in which it is given."""

    def release(self, target: Target, *, was_held: bool = True) -> None:
        """See `Waiter.release`."""
        if not self.was_unlucky:
            self.was_unlucky = True
            self._world.workload.at(target.key).die()
        super().release(target)

    was_unlucky = False


def test_one_whose_target_refused_it_is_first_again() -> None:
    """It has waited for longest, and no byte of it was read."""

    async def scene(world: World) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(world.visit(took_s=1))
            await asyncio.sleep(0)
            tasks.create_task(Unlucky(world, took_s=1).run())
            await asyncio.sleep(0)
            tasks.create_task(world.visit(took_s=1))

    world = play(scene, Behaviour(listen_s=1), spec=with_scale(concurrency_max=1))
    assert endings(world) == ["served"] * 3
    ended_s = [round((visit.ended_s or 0) - world.visits[0].arrived_s, 1) for visit in world.visits]
    assert ended_s == [2, 4, 5]
    assert world.workload.starts == 2


@pytest.mark.parametrize("setting", ["interim_interval_s", "comment_interval_s"])
def test_who_waits_gets_a_sign_of_life_each_interval(setting: str) -> None:
    """Something between may take silence for death; after the answer nothing more is sent."""

    async def scene(world: World) -> None:
        client = Client(world, took_s=20)
        await client.run()
        assert client.interims == 3

    assert endings(play(scene, Behaviour(listen_s=16), spec=with_hold(**{setting: 5.0}))) == ["served"]


def test_a_line_that_empties_and_fills_again_is_comforted_once() -> None:
    """Each refill began another round of signs, and all of them went on."""

    async def scene(world: World) -> None:
        await world.visit()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(world.visit(took_s=100))
            for _ in range(4):  # each takes the one seat in the line for a second, and hangs up
                await asyncio.sleep(0.5)
                await world.visit(patience_s=0.5)
            client = Client(world)
            await client.run()
            assert client.interims == 10

    spec = replace(with_scale(concurrency_max=1), hold=with_hold(timeout_s=150, interim_interval_s=10.0).hold)
    assert endings(play(scene, spec=spec)) == ["served", "served", *["gone"] * 4, "served"]


def test_signs_of_life_can_be_turned_off_while_somebody_waits() -> None:
    """A reload must not leave a task that spins."""

    async def scene(world: World) -> None:
        client = Client(world)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(client.run())
            await asyncio.sleep(12)
            world.service.configure(SPEC)
        assert client.interims == 3  # the round that was under way is the last

    assert endings(play(scene, Behaviour(listen_s=40), spec=with_hold(interim_interval_s=5.0)))[0] == "served"


def test_nobody_waits_when_all_have_left() -> None:
    """A timer that rings for somebody who has gone would answer a closed connection."""

    async def scene(world: World) -> None:
        await together(world, 3, patience_s=1)
        assert not len(world.service.hold)
        await asyncio.sleep(300)

    assert endings(play(scene, NEVER)) == ["gone"] * 3

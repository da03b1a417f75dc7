"""The invariants of the design while everything fails at once: the gateway, the store, the replicas, and people."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.simulated.test_invariants import behaviours, drained_s, gaps_s, paused_behaviours
from tests.simulated.world import PAUSED, SPEC, Browser, World, traffic, with_scale

from wakegate.core.errors import HeldError
from wakegate.core.phase import Phase
from wakegate.core.spec import SessionSpec
from wakegate.local.sleep.tick import SAVE_INTERVAL_S
from wakegate.sim.clock import run
from wakegate.sim.invariants import (
    check_back_to_zero,
    check_endings,
    check_idle_stops,
    check_keeps,
    check_single_flight,
)
from wakegate.sim.workload import Behaviour

Fault = Callable[[World, random.Random], Coroutine[Any, Any, None]]


async def crash(world: World, rng: random.Random) -> None:
    """The gateway is killed, and another starts."""
    await world.crash(down_s=rng.choice((0, rng.uniform(0, 20))))


async def full(world: World, rng: random.Random) -> None:
    """The disk is full for a while."""
    world.store.is_full = True
    await asyncio.sleep(rng.uniform(0, 60))
    world.store.is_full = False


async def reload(world: World, rng: random.Random) -> None:
    """The command in the file has changed, and how many replicas there may be."""
    world.service.configure(replace(world.spec, scale=replace(world.spec.scale, replicas_max=rng.randrange(1, 4))))
    if rng.random() < 0.7:
        world.service.replace_workload(world.workload)


async def wake(world: World, rng: random.Random) -> None:
    """Somebody types `wakegate wake`."""
    with suppress(HeldError):
        await world.service.rouse(cause="wakegate wake")


async def sleep(world: World, rng: random.Random) -> None:
    """Somebody types `wakegate sleep --force`."""
    world.service.put_to_sleep("asked to sleep")


async def stop(world: World, rng: random.Random) -> None:
    """Somebody types `wakegate sleep --force`, perhaps with `--stop`, while it may be paused."""
    world.service.put_to_sleep("asked to sleep", may_pause=rng.random() < 0.5)


async def kill(world: World, rng: random.Random) -> None:
    """The kernel ends a replica for want of memory, be it paused or not."""
    if world.workload.alive:
        rng.choice(world.workload.alive).die()


async def mode(world: World, rng: random.Random) -> None:
    """The mode in the file has changed."""
    sleep = replace(world.spec.sleep, mode=rng.choice(("stop", "pause")))
    world.spec = replace(world.spec, sleep=sleep)
    world.service.configure(world.spec)


async def keep(world: World, rng: random.Random) -> None:
    """Somebody types `wakegate keep`."""
    world.keep(rng.choice((30, 400, 900)))


async def retry(world: World, rng: random.Random) -> None:
    """Somebody presses "try now" on the waiting page."""
    world.service.retry()


FAULTS: dict[str, tuple[Fault, ...]] = {
    "crashes": (crash,),
    "a full disk": (full,),
    "reloads": (reload,),
    "people": (wake, sleep, keep, retry),
    "everything but a full disk": (crash, reload, wake, sleep, keep, retry),
    "pauses": (crash, kill, mode, stop),
    "pauses and everything but a full disk": (crash, reload, wake, stop, keep, retry, kill, mode),
    "everything": (crash, full, reload, wake, sleep, keep, retry),
}


async def suffer(world: World, rng: random.Random, faults: tuple[Fault, ...]) -> None:
    """Let faults happen for ever, one after the other."""
    while True:
        await asyncio.sleep(rng.choice((rng.uniform(0, 3), rng.uniform(0, 60), rng.uniform(0, 500))))
        if world.is_up:
            await rng.choice(faults)(world, rng)


async def live(world: World, rng: random.Random, faults: tuple[Fault, ...]) -> float:
    """Let traffic and faults come and end; return when the last activity was that anybody may count."""
    async with world.running():
        async with asyncio.TaskGroup() as tasks:
            suffering = tasks.create_task(suffer(world, rng, faults))
            await traffic(world, rng=rng, bursts=rng.randrange(3, 12), gap_s=(0, rng.choice(gaps_s(world.spec))))
            suffering.cancel()
        world.store.is_full = False
        if not world.is_up:
            await world.crash(down_s=0)
        last_s = max(world.service.touch.touched_s, world.up_since_s, world.clock.now_s(), world.kept_until_s)
        await asyncio.sleep(last_s - world.clock.now_s() + SPEC.sleep.idle_timeout_s + SPEC.sleep.grace_s + 200)
        service = world.service
        if world.spec.sleep.mode == "pause":
            assert len(world.workload.alive) <= 1
            await asyncio.sleep(world.spec.sleep.then_stop_after_s)
        assert (service.phase, service.touch.in_flight, len(service.hold)) == (Phase.ASLEEP, 0, 0)
        assert world.workload.alive == []
        assert service.fleet.members == ()
    return last_s


@pytest.mark.parametrize("what", FAULTS)
@pytest.mark.parametrize("seed", range(12))
def test_the_invariants_hold_whatever_fails(what: str, seed: int) -> None:
    """1 to 4: nobody is forgotten, nothing is started twice, cut off too early or left running."""
    rng = random.Random(seed)
    spec = SPEC
    if seed % 2:
        spec = with_scale(
            replicas_max=3, metric="concurrency", target=4, scale_out_cooldown_s=5, scale_in_cooldown_s=20
        )
    if "pauses" in what:
        spec = replace(spec, sleep=PAUSED.sleep)
    worlds: list[World] = []

    async def main() -> float:
        drawn = paused_behaviours(rng) if "pauses" in what else behaviours(rng)
        worlds.append(World(*drawn, spec=spec))
        if seed % 3 == 0:
            worlds[0].workload.replicas_max = 1
        return await live(worlds[0], rng, FAULTS[what])

    last_s = run(main(), seed=seed)
    world = worlds[0]
    assert [notice.detail for notice in world.notices if notice.kind == "bug"] == []
    check_endings(world.visits)
    outs = [text.split(" ")[:3:2] for text in world.texts("scaled-out")]
    scaled_out = sum(int(after) - int(before) for before, after in outs)
    check_single_flight(world.workload.history, wakes=len(world.texts("woke")), per_wake=1, besides=scaled_out)
    # What was stored last is forgotten where the disk was full and then the gateway was killed.
    if what != "everything":
        check_idle_stops(SPEC, world.visits, drained_s(world))
        check_keeps(world.keeps, drained_s(world), forgotten_s=SAVE_INTERVAL_S if crash in FAULTS[what] else 0.0)
    check_back_to_zero(
        world.spec, world.workload.history, last_s=last_s, ticks_s=2 * SAVE_INTERVAL_S + SPEC.wake.timeout_s
    )


@pytest.mark.parametrize("seed", range(15))
def test_a_session_lives_through_sleep_scaling_and_crashes(seed: int) -> None:
    """8: what the gateway acknowledged is there at the next visit, whatever happened in between."""
    rng = random.Random(seed)

    async def main() -> list[Browser]:
        spec = with_scale(replicas_max=3, metric="concurrency", target=1, scale_out_cooldown_s=5)
        spec = replace(spec, session=SessionSpec(ttl_s=7200))
        world = World(Behaviour(listen_s=(0.1, 5), stop_s=(0, 5)), spec=spec)
        browsers = [Browser() for _ in range(4)]
        async with world.running(), asyncio.TaskGroup() as tasks:
            suffering = tasks.create_task(suffer(world, rng, (crash, reload, sleep)))
            async with asyncio.TaskGroup() as visits:
                for browser in browsers:
                    visits.create_task(come_back(world, browser, rng))
            suffering.cancel()
        return browsers

    browsers = run(main(), seed=seed)
    assert [browser.wrong for browser in browsers] == [[], [], [], []]
    assert max(browser.count for browser in browsers) > 5


async def come_back(world: World, browser: Browser, rng: random.Random) -> None:
    """Visit again and again, one page at a time, and sometimes after hours, but within the time to live."""
    for _ in range(20):
        await world.visit(browser=browser, took_s=rng.uniform(0, 2))
        await asyncio.sleep(rng.choice((rng.uniform(0, 1), rng.uniform(0, 3000))))


@pytest.mark.parametrize("seed", range(3))
def test_a_warm_request_starts_nothing_and_writes_next_to_nothing(seed: int) -> None:
    """7: thousands of requests cost one write each save interval, and no start."""
    rng = random.Random(seed)

    async def main() -> tuple[int, float, int]:
        world = World(Behaviour(listen_s=1))
        async with world.running():
            await world.visit()
            writes, began_s = world.store.write_count, world.clock.now_s()
            async with asyncio.TaskGroup() as tasks:
                for _ in range(1_000):
                    tasks.create_task(world.visit(took_s=rng.uniform(0, 3)))
                    await asyncio.sleep(rng.uniform(0, 0.2))
            return world.store.write_count - writes, world.clock.now_s() - began_s, world.workload.starts

    writes, took_s, starts = run(main(), seed=seed)
    assert starts == 1
    assert writes <= took_s / SAVE_INTERVAL_S + 1


@pytest.mark.parametrize("days", [-400, -1, 1, 400])
def test_a_step_of_the_wall_clock_neither_cuts_nor_keeps(days: int) -> None:
    """3 and 4: idleness is measured by a clock that nobody can set, also across a restart of the gateway."""

    async def main() -> tuple[Phase, Phase, Phase]:
        world = World(Behaviour(listen_s=1))
        async with world.running():
            await world.visit()
            await asyncio.sleep(100)
            world.clock.step += timedelta(days=days)
            await asyncio.sleep(199)
            before = world.service.phase
            await world.visit()
            await world.crash(down_s=1)
            await asyncio.sleep(250 if days < 0 else 0)
            after = world.service.phase
            await asyncio.sleep(310)
            return before, after, world.service.phase

    assert run(main()) == (Phase.AWAKE, Phase.AWAKE, Phase.ASLEEP)

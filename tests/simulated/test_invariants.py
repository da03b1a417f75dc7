"""The invariants of the design, for many seeds: each another traffic, another workload, another order of things."""

import asyncio
import random
from dataclasses import replace
from datetime import datetime
from math import inf

import pytest
from tests.simulated.world import PAUSED, SPEC, World, traffic, with_scale

from wakegate.core.phase import Phase
from wakegate.core.spec import ServiceSpec, SleepSpec
from wakegate.local.sleep.tick import SAVE_INTERVAL_S
from wakegate.sim.clock import START_S, STARTED_AT, run
from wakegate.sim.invariants import (
    check_back_to_zero,
    check_endings,
    check_grace,
    check_idle_stops,
    check_single_flight,
)
from wakegate.sim.workload import Behaviour

SEEDS = range(60)


def behaviours(rng: random.Random) -> list[Behaviour]:
    """Draw how the replicas behave: mostly well."""
    kinds = (
        Behaviour(listen_s=(0.1, 5)),
        Behaviour(listen_s=(0.1, 5), stop_s=(0, 8)),
        Behaviour(listen_s=2, ignores_term=True),
        Behaviour(listen_s=inf, dies_after_s=(0.1, 3)),
        Behaviour(listen_s=1, dies_after_s=(1.5, 900)),
        Behaviour(start_error="no such command"),
        Behaviour(listen_s=(20, 50)),
    )
    return rng.choices(kinds, weights=(8, 4, 2, 1, 2, 1, 2), k=30)


def paused_behaviours(rng: random.Random) -> list[Behaviour]:
    """Draw how the replicas of a service behave that pauses: most come back."""
    kinds = (
        Behaviour(listen_s=(0.1, 5), pause_s=(0, 0.1), resume_s=(0, 0.1)),
        Behaviour(listen_s=(0.1, 5), pause_s=(0, 20), resume_s=(0, 20)),
        Behaviour(listen_s=1, pause_error="its group may not be signalled"),
        Behaviour(listen_s=1, resume_error="the freezer is stuck", stop_s=(0, 8)),
        Behaviour(listen_s=1, wakes_deaf=True, ignores_term=True),
        Behaviour(listen_s=1, dies_after_s=(100, 2000)),
    )
    return rng.choices(kinds, weights=(3, 3, 2, 4, 4, 3), k=20) + behaviours(rng)[:10]


def gaps_s(spec: ServiceSpec) -> tuple[float, ...]:
    """Return the longest pauses of the traffic: some too short to sleep in, some too long to stay paused in."""
    return (5, 200, 700) if spec.sleep.mode == "stop" else (5, 900, 2500)


async def live(world: World, rng: random.Random) -> float:
    """Let traffic come and end, then wait until the service must be at zero; return when the last activity was."""
    async with world.running():
        await traffic(world, rng=rng, bursts=rng.randrange(3, 12), gap_s=(0, rng.choice(gaps_s(world.spec))))
        await asyncio.sleep(0)
        last_s = max(world.service.touch.touched_s, world.clock.now_s())
        sleep = world.spec.sleep
        await asyncio.sleep(sleep.idle_timeout_s + sleep.grace_s + 200)
        assert world.service.phase is Phase.ASLEEP
        if sleep.mode == "pause":
            await asyncio.sleep(sleep.then_stop_after_s)
        assert world.service.touch.in_flight == 0
        assert not len(world.service.hold)
    return last_s


@pytest.mark.parametrize("spec", [pytest.param(SPEC, id="stop"), pytest.param(PAUSED, id="pause")])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_invariants_hold(seed: int, spec: ServiceSpec) -> None:
    """1, 2, 3 and 4 with replicas that are slow, deaf, dead, or not there at all; and that do not come back."""
    rng = random.Random(seed)
    world: list[World] = []

    async def main() -> float:
        behave = behaviours if spec is SPEC else paused_behaviours
        world.append(World(*behave(rng), spec=spec))
        return await live(world[0], rng)

    last_s = run(main(), seed=seed)
    clients = world[0]
    check_endings(clients.visits)
    check_single_flight(clients.workload.history, wakes=len(clients.texts("woke")), per_wake=1)
    check_idle_stops(spec, clients.visits, drained_s(clients))
    check_grace(spec, clients.workload.history, drained_s(clients))
    # A wake that nobody waits for any more may still run when the traffic ends.
    ticks_s = 2 * SAVE_INTERVAL_S + SPEC.wake.timeout_s
    check_back_to_zero(spec, clients.workload.history, last_s=last_s, ticks_s=ticks_s)
    assert "bug" not in [notice.kind for notice in clients.notices]
    lost = [line for line in clients.store.wakes("web", limit=1000) if line.lost]
    assert not lost


def drained_s(world: World) -> list[float]:
    """Return when it was found idle, in the loop's time."""
    found = [notice for notice in world.notices if notice.kind == "draining" and notice.text.startswith("idle for")]
    return [_loop_s(notice.at) for notice in found]


def _loop_s(at: datetime) -> float:
    """Return the loop's time of a wall-clock stamp of the simulation."""
    return (at - STARTED_AT).total_seconds() + START_S


@pytest.mark.parametrize("sleep", [pytest.param(SPEC.sleep, id="stop"), pytest.param(PAUSED.sleep, id="pause")])
@pytest.mark.parametrize("seed", range(20))
def test_while_the_platform_can_start_a_replica_nobody_waits_longer_than_the_wake_timeout(
    seed: int, sleep: SleepSpec
) -> None:
    """Invariant 5, with several replicas; and with some that do not come back from their pause."""
    rng = random.Random(seed)

    async def main() -> World:
        scale = with_scale(replicas_max=3, metric="concurrency", target=2, interval_s=1, scale_out_cooldown_s=5).scale
        well = Behaviour(listen_s=(0.5, 20), stop_s=(0, 5), pause_s=(0, 2), resume_s=(0, 2))
        stuck, deaf = replace(well, resume_error="the freezer is stuck"), replace(well, wakes_deaf=True)
        world = World(*rng.choices((well, stuck, deaf), k=20), spec=replace(SPEC, scale=scale, sleep=sleep))
        await live(world, rng)
        return world

    world = run(main(), seed=seed)
    for visit in world.visits:
        assert visit.ended_s is not None
        assert visit.endings[0] in ("served", "gone")
        assert visit.ended_s - visit.arrived_s <= SPEC.wake.timeout_s + visit.took_s


def test_a_seed_decides_everything() -> None:
    """A failure must be replayable."""

    def once() -> list[tuple[float, str]]:
        rng = random.Random(7)

        async def main() -> World:
            world = World(*behaviours(rng))
            await live(world, rng)
            return world

        return [(visit.ended_s or 0.0, visit.endings[0]) for visit in run(main(), seed=7).visits]

    assert once() == once()

"""Scaling out and in on virtual time: by concurrency, memory and CPU, within bounds that may change."""

import asyncio
from dataclasses import replace

import pytest
from tests.simulated.world import World, traffic, with_scale

from wakegate.core.phase import Phase
from wakegate.core.spec import ContainerSpec
from wakegate.ports import Usage
from wakegate.sim.clock import VirtualLoop, run
from wakegate.sim.meter import steady
from wakegate.sim.workload import Behaviour

FAST = {"interval_s": 1, "window_s": 5, "scale_out_cooldown_s": 5, "scale_in_cooldown_s": 20}


def ready(world: World) -> int:
    """Count the replicas that may get requests."""
    return len(world.service.fleet.ready)


def test_load_brings_replicas_up_to_the_most_and_its_end_brings_them_back_to_one() -> None:
    """F2, F3: up and down again, and zero is for idleness to decide."""

    async def main() -> tuple[int, int, int, Phase]:
        world = World(Behaviour(listen_s=1), spec=with_scale(replicas_max=3, metric="concurrency", target=2, **FAST))
        async with world.running():
            for _ in range(20):
                world.beside(world.visit(took_s=60))
            await asyncio.sleep(50)
            out, most = ready(world), max(len(world.workload.alive), 0)
            await asyncio.sleep(100)
            return out, most, ready(world), world.service.phase

    assert run(main()) == (3, 3, 1, Phase.AWAKE)


@pytest.mark.parametrize(("metric", "usage"), [("cpu", {"cpu_percent": 90.0}), ("memory", {"memory_bytes": 95})])
def test_what_the_replicas_use_is_tracked(metric: str, usage: dict[str, int]) -> None:
    """F5: one at 90 % against a target of 70 asks for a second."""

    async def main() -> tuple[int, list[str]]:
        spec = with_scale(replicas_max=2, metric=metric, target=70, memory_bytes=100, **FAST)
        world = World(Behaviour(listen_s=1), spec=spec)
        world.meter.load = steady(**usage)
        async with world.running():
            await world.visit()
            await asyncio.sleep(10)
            return ready(world), world.texts("scaled-out")

    count, texts = run(main())
    assert count == 2
    assert texts[0].startswith("1 → 2 replicas · 9")


def test_the_memory_limit_of_a_container_is_what_100_percent_means() -> None:
    """`memory = "64 MiB"` is said once: the setting for processes need not repeat it."""

    async def main() -> int:
        spec = with_scale(replicas_max=2, metric="memory", target=70, memory_bytes=1000, **FAST)
        world = World(Behaviour(listen_s=1), spec=replace(spec, run=ContainerSpec(image="web", memory_bytes=100)))
        world.meter.load = steady(memory_bytes=95)
        async with world.running():
            await world.visit()
            await asyncio.sleep(10)
            return ready(world)

    assert run(main()) == 2


def test_a_replica_that_cannot_be_read_holds_a_decision_back() -> None:
    """Insufficient data never scales in: it may be the busy one."""

    async def main() -> int:
        spec = with_scale(replicas_max=2, metric="cpu", target=70, **FAST)
        world = World(Behaviour(listen_s=1), spec=spec)
        world.meter.load = steady(cpu_percent=90)
        async with world.running():
            await world.visit()
            await asyncio.sleep(10)
            blind = world.workload.replicas[0]
            world.meter.load = lambda replica, _: None if replica is blind else Usage(cpu_percent=1, memory_bytes=1)
            await asyncio.sleep(100)
            return ready(world)

    assert run(main()) == 2


def test_a_lost_replica_of_a_minimum_is_replaced() -> None:
    """With min = max there is nothing to sample, and still something to do."""

    async def main() -> tuple[int, int]:
        spec = with_scale(replicas_min=2, replicas_max=2, interval_s=1)
        world = World(Behaviour(listen_s=1), spec=spec)
        async with world.running():
            await asyncio.sleep(5)
            world.workload.replicas[1].die()
            await asyncio.sleep(5)
            return ready(world), world.workload.starts

    assert run(main()) == (2, 3)


def test_a_further_replica_that_does_not_start_is_told_and_takes_nothing_with_it() -> None:
    """The service goes on with what it has."""

    async def main() -> tuple[int, list[str]]:
        spec = with_scale(replicas_max=2, metric="cpu", target=70, **FAST)
        world = World(Behaviour(listen_s=1), Behaviour(start_error="no memory"), spec=spec)
        world.meter.load = steady(cpu_percent=90)
        async with world.running():
            await world.visit()
            await asyncio.sleep(5)
            return ready(world), world.texts("exited")

    count, texts = run(main())
    assert (count, texts[0]) == (1, "a further replica did not start: no memory")


def test_scaling_in_lets_the_replica_finish_first() -> None:
    """G5: no request is cut, and none goes to one that leaves."""

    async def main() -> tuple[set[str], int]:
        spec = with_scale(replicas_max=3, metric="concurrency", target=2, **FAST)
        world = World(Behaviour(listen_s=1), spec=spec)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        async with world.running():
            for _ in range(5):
                await traffic(world, rng=loop.rng, bursts=4, gap_s=(0, 40))
        return {ending for visit in world.visits for ending in visit.endings}, len(world.texts("scaled-in"))

    endings, count = run(main(), seed=3)
    assert endings <= {"served", "gone"}
    assert count


def test_a_service_that_sleeps_has_no_task_for_it() -> None:
    """Ten thousand of them would wake the processor two thousand times a second."""

    async def main() -> tuple[int, int, int]:
        world = World(Behaviour(listen_s=1))
        async with world.running():
            before = len(asyncio.all_tasks())
            await world.visit()
            awake = len(asyncio.all_tasks())
            world.service.put_to_sleep("asked to sleep")
            await asyncio.sleep(20)
            return before, awake, len(asyncio.all_tasks())

    before, awake, after = run(main())
    assert (after, awake > before) == (before, True)

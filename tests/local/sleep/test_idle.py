"""idle: the drain begins when it may, and says why."""

import asyncio

from tests.simulated.world import SPEC, World

from wakegate.core.phase import Phase
from wakegate.local.sleep.idle import idle
from wakegate.sim.clock import run
from wakegate.sim.workload import Behaviour


def test_a_no_says_when_to_ask_again_and_changes_nothing() -> None:
    """The scheduler sleeps exactly that long."""

    async def main() -> tuple[float | None, Phase]:
        world = World(Behaviour(listen_s=1))
        async with world.running():
            visit = await world.visit()
            await asyncio.sleep(100)
            assert visit.ended_s is not None
            return idle(world.service, now_s=visit.ended_s + 100), world.service.phase

    recheck_s, phase = run(main())
    assert recheck_s is not None
    assert abs(recheck_s - (SPEC.sleep.idle_timeout_s - 100)) < 1e-3
    assert phase is Phase.AWAKE


def test_a_yes_begins_the_drain_and_stops_nothing() -> None:
    """The reason goes to the timeline unchanged."""

    async def main() -> tuple[float | None, Phase, list[str], int]:
        world = World(Behaviour(listen_s=1))
        async with world.running():
            await world.visit()
            world.service.touch.touched_s -= SPEC.sleep.idle_timeout_s
            answer = idle(world.service, now_s=world.clock.now_s())
            return answer, world.service.phase, world.texts("draining"), len(world.workload.alive)

    assert run(main()) == (0.0, Phase.DRAINING, ["idle for 5m · draining"], 1)


def test_a_long_request_keeps_it_awake_to_its_last_byte() -> None:
    """E1: a download or a WebSocket is never cut by the idle timer, and its end is activity."""

    async def main() -> tuple[list[str], float]:
        world = World(Behaviour(listen_s=1))
        async with world.running():
            visit = await world.visit(took_s=20 * 60)
            assert world.service.phase is Phase.AWAKE
            await asyncio.sleep(SPEC.sleep.idle_timeout_s - 1)
            assert world.service.phase is Phase.AWAKE
            await asyncio.sleep(5)
            return visit.endings, len(world.workload.alive)

    assert run(main()) == (["served"], 0)

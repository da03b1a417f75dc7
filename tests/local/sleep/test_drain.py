"""drain: nothing is stopped yet; whatever happens during the grace cancels the sleep."""

import asyncio
from collections.abc import Callable

import pytest
from tests.simulated.world import SPEC, World

from wakegate.core.phase import Phase
from wakegate.sim.clock import run
from wakegate.sim.workload import Behaviour

IDLE_S, GRACE_S = SPEC.sleep.idle_timeout_s, SPEC.sleep.grace_s


async def draining(world: World) -> None:
    """Return in the middle of the grace."""
    await world.visit()
    await asyncio.sleep(IDLE_S + GRACE_S / 2)
    assert world.service.phase is Phase.DRAINING
    assert len(world.workload.alive) == 1


CANCELS: dict[str, Callable[[World], object]] = {
    "a request": lambda world: world.beside(world.visit()),
    "a keep": lambda world: world.keep(600),
    "wakegate wake": lambda world: world.beside(world.service.rouse(cause="wakegate wake")),
}


@pytest.mark.parametrize("what", CANCELS)
def test_the_sleep_is_cancelled_by(what: str) -> None:
    """The service is as awake as before: no cold start."""

    async def main() -> tuple[Phase, int]:
        world = World(Behaviour(listen_s=1))
        async with world.running():
            await draining(world)
            CANCELS[what](world)
            await asyncio.sleep(10)
            return world.service.phase, world.workload.starts

    assert run(main()) == (Phase.AWAKE, 1)


def test_a_request_that_does_not_count_cancels_nothing() -> None:
    """A health check keeps no service awake."""

    async def main() -> Phase:
        world = World(Behaviour(listen_s=1))
        async with world.running():
            await world.visit()
            for _ in range(70):
                await asyncio.sleep(5)
                await world.visit(agent="UptimeRobot/2.0")
            return world.service.phase

    assert run(main()) is Phase.AWAKE


def test_when_the_grace_has_passed_it_sleeps() -> None:
    """And not before."""

    async def main() -> tuple[Phase, Phase]:
        world = World(Behaviour(listen_s=1))
        async with world.running():
            await draining(world)
            await asyncio.sleep(GRACE_S / 2 - 0.05)
            before = world.service.phase
            await asyncio.sleep(0.1)
            return before, world.service.phase

    assert run(main()) == (Phase.DRAINING, Phase.ASLEEP)

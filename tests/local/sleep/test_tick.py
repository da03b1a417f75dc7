"""tick: it sleeps exactly until its next answer can differ, or something changes."""

import asyncio

from tests.simulated.world import SPEC, World, with_scale

from wakegate.core.phase import Phase
from wakegate.local.sleep.tick import SAVE_INTERVAL_S, look
from wakegate.sim.clock import START_S, run
from wakegate.sim.workload import Behaviour

IDLE_S, GRACE_S = SPEC.sleep.idle_timeout_s, SPEC.sleep.grace_s


def test_nothing_is_due_while_it_sleeps_or_wakes() -> None:
    """Only an event can change anything: no timer for each of ten thousand services."""

    async def main() -> list[float | None]:
        world = World(Behaviour(listen_s=5))
        async with world.running():
            asleep = look(world.service, now_s=world.clock.now_s())
            world.beside(world.visit())
            await asyncio.sleep(1)
            assert world.service.phase is Phase.WAKING
            return [asleep, look(world.service, now_s=world.clock.now_s())]

    assert run(main()) == [None, None]


def test_it_looks_again_when_the_idle_timeout_can_have_passed() -> None:
    """Not a poll, and not a second late."""

    async def main() -> list[float]:
        world = World(Behaviour(listen_s=1))
        async with world.running():
            visit = await world.visit()
            await asyncio.sleep(2 * IDLE_S)
            assert visit.ended_s is not None
            return [(one.at - world.clock.utc()).total_seconds() + world.clock.now_s() - visit.ended_s
                    for one in world.notices if one.kind in ("draining", "asleep")]  # fmt: skip

    draining_s, asleep_s = run(main())
    assert abs(draining_s - IDLE_S) < 1e-3
    assert abs(asleep_s - IDLE_S - GRACE_S) < 1e-3


def test_activity_is_stored_at_intervals_and_only_when_there_was_some() -> None:
    """One coalesced write an interval; a request that lasts is activity."""

    async def main() -> tuple[int, int]:
        world = World(Behaviour(listen_s=1))
        async with world.running():
            await world.visit()
            await asyncio.sleep(SAVE_INTERVAL_S)
            before = world.store.write_count
            await asyncio.sleep(100)
            quiet = world.store.write_count - before
            await world.visit(took_s=100)
            return quiet, world.store.write_count - before

    quiet, busy = run(main())
    assert quiet == 0
    assert 9 <= busy <= 12


def test_a_failure_is_forgiven_once_it_has_been_up_for_a_while() -> None:
    """The next crash, months later, does not back off as if it were the second in a row."""

    async def main() -> tuple[bool, bool]:
        world = World(Behaviour(start_error="no such command"), Behaviour(listen_s=1))
        async with world.running():
            await world.visit()
            await asyncio.sleep(5)
            await world.visit()
            before = world.service.keeper.record.failure is not None
            await asyncio.sleep(30)
            return before, world.service.keeper.record.failure is not None

    assert run(main()) == (True, False)


def test_a_minimum_is_tried_again_when_the_backoff_has_passed() -> None:
    """Nobody else would: no request comes to a service that is always awake to begin with."""

    async def main() -> list[float]:
        world = World(*[Behaviour(start_error="no")] * 3, Behaviour(listen_s=1), spec=with_scale(replicas_min=1))
        async with world.running():
            await asyncio.sleep(60)
            assert world.service.phase is Phase.AWAKE
        return [round(happened.at_s - START_S) for happened in world.workload.history[:8:2]]

    assert run(main()) == [0, 1, 3, 7]

"""stop: scale to zero; asleep is written after that was acknowledged."""

import asyncio

from tests.simulated.world import SPEC, World

from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.sim.clock import run
from wakegate.sim.store import SimStore
from wakegate.sim.workload import Behaviour, Happening


class Witness(SimStore):
    """A store that notes at each phase how many replicas had been told to end."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Phase, int]] = []
        self.world: World | None = None

    def save(self, record: ServiceRecord, *, expected_version: int) -> None:
        """Write and note."""
        super().save(record, expected_version=expected_version)
        assert self.world is not None
        told = sum(one.what is Happening.TERMINATED for one in self.world.workload.history)
        if not self.seen or self.seen[-1][0] is not record.phase:
            self.seen.append((record.phase, told))


def test_asleep_is_written_after_the_stop_was_acknowledged() -> None:
    """No late stop can then overtake the next wake."""

    async def main() -> list[tuple[Phase, int]]:
        store = Witness()
        world = store.world = World(Behaviour(listen_s=1), store=store)
        async with world.running():
            await world.visit()
            await asyncio.sleep(SPEC.sleep.idle_timeout_s + 5)
            assert world.service.keeper.record.targets == ()
            return store.seen[-3:]

    assert run(main()) == [(Phase.DRAINING, 0), (Phase.STOPPING, 0), (Phase.ASLEEP, 1)]


def test_it_says_how_long_it_was_awake_and_what_it_did() -> None:
    """The line of the timeline that people read in the evening."""

    async def main() -> list[str]:
        world = World(Behaviour(listen_s=1))
        async with world.running():
            for _ in range(3):
                await world.visit()
            await asyncio.sleep(SPEC.sleep.idle_timeout_s + 5)
            return world.texts("asleep")

    assert run(main()) == ["asleep · was awake 5m 01s · 3 requests · 0 lost"]

"""The schedule of a service: awake in its hours, asleep in the others, and asked for seldom."""

import asyncio
from dataclasses import replace
from datetime import UTC

from tests.simulated.world import SPEC, World

from wakegate.core.phase import Phase
from wakegate.core.schedule import Window
from wakegate.local.timetable import Timetable
from wakegate.sim.clock import SimClock, run
from wakegate.sim.workload import Behaviour

OFFICE = Window(days=(0, 1, 2, 3, 4), begin_min=8 * 60, end_min=18 * 60, zone=UTC)


def test_a_week_of_office_hours() -> None:
    """Nobody comes: it is the schedule alone that wakes it, early by what a wake takes, and lets it sleep."""

    async def main() -> None:
        world = World(*[Behaviour(listen_s=40)] * 20, spec=replace(SPEC, awake=(OFFICE,)))
        wrong = []
        async with world.running():
            await asyncio.sleep(10)  # to look beside the full minutes, at which things change
            for _ in range(6 * 24 * 60):
                await asyncio.sleep(60)
                now = world.clock.utc()
                is_office = now.weekday() < 5 and 8 <= now.hour < 18
                is_first = not world.service.waker.history.usual_s
                if is_office and not is_first and world.service.phase is not Phase.AWAKE:
                    wrong.append(f"{now:%a %H:%M} {world.service.phase}")
                # A wake begins a little early, and a sleep takes a grace.
                if not is_office and not (now.hour in (7, 18) and now.minute in (0, 59)):
                    wrong += [] if world.service.phase is Phase.ASLEEP else [f"{now:%a %H:%M} {world.service.phase}"]
        assert wrong == []
        assert len(world.texts("asleep")) in (4, 5)

    run(main())


def test_a_verdict_is_kept_for_as_long_as_it_holds() -> None:
    """A busy service asks with every request, and zones are not read for nothing."""

    async def main() -> None:
        table = Timetable(SimClock())
        first = table.look((OFFICE,), lead_s=0)
        assert first is not None
        assert table.look((OFFICE,), lead_s=0) is first
        await asyncio.sleep(table.left_s(first) - 1)
        assert table.look((OFFICE,), lead_s=0) is first
        await asyncio.sleep(2)
        later = table.look((OFFICE,), lead_s=0)
        assert later is not None
        assert later.is_on is not first.is_on
        assert table.look((), lead_s=0) is None

    run(main())

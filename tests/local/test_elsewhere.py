"""A service whose requests other processes let in: what they are told, and what is not done before they have heard."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from tests.simulated.world import World, with_sleep

from wakegate.core.phase import Phase
from wakegate.local.elsewhere import NOWHERE, Outlook
from wakegate.local.request.touch import Touch
from wakegate.sim.clock import SimClock, run
from wakegate.sim.workload import Behaviour

SLEEPY = with_sleep(idle_timeout_s=60, grace_s=1)


class Others:
    """The other processes: they hear when the test lets them, and have in flight what it says."""

    def __init__(self) -> None:
        self.outlooks: list[Outlook] = []
        self.is_deaf = False
        self.flying = 0
        self.served = 0
        self.newest_s = 0.0
        self.took: list[float] = []
        self.wakes = 0

    def publish(self, outlook: Outlook) -> None:
        """See `Elsewhere.publish`."""
        self.outlooks.append(outlook)

    def unheard(self) -> int:
        """See `Elsewhere.unheard`."""
        return int(self.is_deaf)

    def in_flight(self) -> int:
        """See `Elsewhere.in_flight`."""
        return self.flying

    def requests(self) -> int:
        """See `Elsewhere.requests`."""
        return self.served

    def touched_s(self) -> float:
        """See `Elsewhere.touched_s`."""
        return self.newest_s

    def last(self) -> str:
        """See `Elsewhere.last`."""
        return "GET /there"

    def woke(self) -> None:
        """See `Elsewhere.woke`."""
        self.wakes += 1

    def durations(self) -> Sequence[float]:
        """See `Elsewhere.durations`."""
        return self.took


def lived(test: Callable[[World, Others], Coroutine[Any, Any, None]]) -> None:
    """Run a service that sleeps after a minute, with others."""

    async def main() -> None:
        others = Others()
        world = World(Behaviour(listen_s=1), spec=SLEEPY, elsewhere=others)
        async with world.running():
            await test(world, others)

    run(main())


def phase(world: World) -> Phase:
    """Return the phase now."""
    return world.service.phase


def test_requests_may_go_ahead_only_while_the_service_is_awake() -> None:
    """And are told where to, from the first moment on."""

    async def test(world: World, others: Others) -> None:
        assert not others.outlooks[-1].is_warm
        await world.visit()
        newest = others.outlooks[-1]
        assert (newest.is_warm, newest.phase) == (True, Phase.AWAKE)
        assert [one.serial for one in newest.targets] == [one.serial for one in world.service.fleet.targets]
        await asyncio.sleep(60.5)
        newest = others.outlooks[-1]
        assert (newest.is_warm, newest.phase) == (False, Phase.DRAINING)

    lived(test)


def test_nothing_is_stopped_before_all_have_heard() -> None:
    """However long that takes; and at once when they have."""

    async def test(world: World, others: Others) -> None:
        await world.visit()
        others.is_deaf = True
        await asyncio.sleep(600)
        assert phase(world) is Phase.DRAINING
        assert world.workload.alive
        others.is_deaf = False
        world.service.heard()
        await asyncio.sleep(0.1)
        assert phase(world) is Phase.ASLEEP

    lived(test)


def test_what_they_have_in_flight_keeps_it_awake() -> None:
    """And so does what they had until just now."""

    async def test(world: World, others: Others) -> None:
        await world.visit()
        others.flying = 1
        await asyncio.sleep(600)
        assert phase(world) is Phase.AWAKE
        others.flying, others.newest_s = 0, world.clock.now_s()
        world.service.heard()
        await asyncio.sleep(50)
        assert phase(world) is Phase.AWAKE
        await asyncio.sleep(60)
        assert phase(world) is Phase.ASLEEP

    lived(test)


def test_a_request_that_they_let_in_before_they_heard_cancels_the_sleep() -> None:
    """It was on its way when the drain began."""

    async def test(world: World, others: Others) -> None:
        await world.visit()
        await asyncio.sleep(60.5)
        others.newest_s = world.clock.now_s()
        world.service.heard()
        await asyncio.sleep(0.1)
        assert phase(world) is Phase.AWAKE

    lived(test)


def test_a_close_waits_for_what_they_have_and_for_their_word() -> None:
    """A gateway that goes down cuts nobody."""

    async def test(world: World, others: Others) -> None:
        await world.visit()
        others.is_deaf, others.flying = True, 1
        closing = world.beside(world.service.close(reason="it goes down", drain_timeout_s=500))
        await asyncio.sleep(100)
        others.is_deaf = False
        world.service.heard()
        await asyncio.sleep(100)
        assert world.workload.alive
        others.flying = 0
        world.service.heard()
        await closing
        assert not world.workload.alive

    lived(test)


def test_in_a_hush_nobody_goes_ahead() -> None:
    """So that what is in flight is all there is; after it they may again."""

    async def test(world: World, others: Others) -> None:
        await world.visit()
        others.is_deaf = True
        seen: list[bool] = []

        async def hush() -> None:
            async with world.service.hushed():
                seen.append(others.outlooks[-1].is_warm)

        hushing = world.beside(hush())
        await asyncio.sleep(5)
        assert seen == []
        others.is_deaf = False
        world.service.heard()
        await hushing
        assert seen == [False]
        assert others.outlooks[-1].is_warm

    lived(test)


def test_a_suspect_is_offered_to_nobody_until_it_answers() -> None:
    """One of them has found its port closed."""

    async def test(world: World, others: Others) -> None:
        await world.visit()
        (target,) = world.service.fleet.targets
        assert world.service.find(target.serial) is target
        world.service.suspect(target.serial, "refused")
        assert (others.outlooks[-1].is_warm, others.outlooks[-1].targets) == (False, ())
        await asyncio.sleep(1)
        assert others.outlooks[-1].is_warm
        world.service.suspect(-1, "of a replica that is gone")

    lived(test)


def test_readings_are_of_all_processes() -> None:
    """Status, scale and sleep see one number."""

    async def main() -> None:
        others, clock = Others(), SimClock()
        touch = Touch(clock=clock, elsewhere=others)
        touch.in_flight, touch.requests = 1, 2
        others.flying, others.served, others.took = 3, 4, [9.0]
        assert (touch.all_in_flight, touch.all_requests, touch.p99_s()) == (4, 6, 9.0)
        assert touch.activity(held=0, cpu_percent=None).in_flight == 4
        others.newest_s = clock.now_s() + 5
        assert (touch.newest_s, touch.last()) == (others.newest_s, "GET /there")
        touch.woke(for_somebody=True)
        assert (touch.requests_before, others.wakes) == (6, 1)

    run(main())


def test_where_there_is_nobody_nothing_is_counted_and_nothing_said() -> None:
    """The one process of a gateway without workers."""
    assert (NOWHERE.unheard(), NOWHERE.in_flight(), NOWHERE.requests(), NOWHERE.touched_s()) == (0, 0, 0, 0.0)
    assert (NOWHERE.last(), list(NOWHERE.durations())) == ("", [])

"""Who waits for room at a service that is awake, and who waits while it falls asleep: each hears how it ended."""

import asyncio
from dataclasses import replace

from tests.local.test_service import later, lived
from tests.simulated.world import SPEC, Client, World, with_scale, with_sleep

from wakegate.core.phase import Phase
from wakegate.core.spec import IgnoreSpec
from wakegate.sim.workload import Behaviour

ONE_AT_ONCE = with_scale(concurrency_max=1)
HEALTH = IgnoreSpec(paths=("/healthz",), status=204)


def test_a_browser_waits_for_room_and_gets_no_waking_page() -> None:
    """The service is awake: "Waking up" would be a lie, however long a wake usually takes."""

    async def test(world: World) -> list[str]:
        await world.visit()
        busy = later(world, took_s=5)
        await asyncio.sleep(0.1)
        page = await world.visit(is_navigation=True)
        await busy
        return page.endings

    assert lived(test, Behaviour(listen_s=3), spec=ONE_AT_ONCE) == ["served"]


def test_who_waited_too_long_for_room_is_told_of_no_wake() -> None:
    """There is none that goes on."""

    async def test(world: World) -> list[str]:
        await world.visit()
        busy = later(world, took_s=100)
        await asyncio.sleep(0.1)
        visit = await world.visit()
        await busy
        return visit.endings

    assert lived(test, spec=ONE_AT_ONCE) == ["HoldFullError"]


def test_a_forced_sleep_answers_those_who_wait_for_room() -> None:
    """Nobody would begin the wake that they would wait for."""

    async def test(world: World) -> tuple[list[str], int]:
        first = later(world, took_s=5)
        await asyncio.sleep(1)
        second = later(world)
        await asyncio.sleep(1)
        world.service.put_to_sleep("asked to sleep")
        endings = (await second).visit.endings
        await first
        return endings, len(world.service.hold)

    assert lived(test, spec=ONE_AT_ONCE) == (["WakeFailedError"], 0)


def test_a_request_whose_replica_died_in_a_crash_loop_is_answered_at_once() -> None:
    """It was on its way when the second one died: the backoff lets nobody wake, so it must not wait for a wake."""

    async def test(world: World) -> tuple[list[str], float]:
        await world.visit()
        service = world.service
        first = Client(world)
        target = service.admit(first)
        assert target is not None
        world.workload.alive[0].die()
        await asyncio.sleep(1)
        second = Client(world)
        on_its_way = service.admit(second)
        assert on_its_way is not None
        world.workload.alive[0].die()
        await asyncio.sleep(0.01)
        assert service.phase is Phase.ASLEEP
        began_s = world.clock.now_s()
        service.unreachable(on_its_way, second, "refused")
        await second.target()
        took_s = world.clock.now_s() - began_s
        service.answered(target, first)
        service.finished(target, first)
        return second.visit.endings, took_s

    assert lived(test) == (["WakeFailedError"], 0.0)


def test_an_ignored_request_that_meets_a_closed_port_wakes_nothing() -> None:
    """A monitor's request is forwarded while it is awake; it must not be the one that wakes it again."""

    async def test(world: World) -> tuple[Phase, list[str]]:
        await world.visit()
        service = world.service
        client = Client(world, path="/healthz")
        target = service.admit(client)
        assert target is not None
        service.put_to_sleep("asked to sleep")
        service.unreachable(target, client, "refused")
        return service.phase, client.visit.endings

    assert lived(test, spec=replace(SPEC, ignore=HEALTH)) == (Phase.ASLEEP, ["AsleepError"])


def test_a_service_that_lived_to_its_sleep_has_no_failure_left() -> None:
    """Failures of different days are not in a row, and a health check must not alarm for ever."""

    async def test(world: World) -> tuple[list[str], int]:
        await world.visit()
        await asyncio.sleep(5)
        good = await world.visit()
        await asyncio.sleep(86_400)
        assert world.service.phase is Phase.ASLEEP
        await world.visit()
        failure = world.service.keeper.record.failure
        assert failure is not None
        return good.endings, failure.count

    dies = Behaviour(dies_after_s=0.1)
    assert lived(test, dies, Behaviour(), dies, spec=with_sleep(idle_timeout_s=5)) == (["served"], 1)


def test_the_newest_request_is_named_also_on_the_short_way() -> None:
    """`explain` says who keeps it awake: the last one that woke it is not the one."""

    async def test(world: World) -> str:
        await world.visit(path="/a")
        await asyncio.sleep(20)
        await world.visit(path="/b")
        return world.service.touch.last()

    assert lived(test) == "GET /b from test"


def test_a_keep_that_is_not_there_is_ended_without_a_write() -> None:
    """An app may send `Wakegate-Keep-Awake: 0` with every answer."""

    async def test(world: World) -> int:
        await world.visit()
        version = world.service.keeper.record.version
        for _ in range(100):
            world.service.keep_awake(0, reason="the app asked for it")
        return world.service.keeper.record.version - version

    assert lived(test) == 0


def test_the_wake_of_a_gateway_that_was_killed_is_settled() -> None:
    """Its line would say "waking" for ever."""

    async def test(world: World) -> list[tuple[str, str]]:
        later(world)
        await asyncio.sleep(0.3)
        await world.crash(down_s=1)
        return [(line.outcome, line.reason) for line in world.store.wakes("web", limit=5)]

    assert lived(test, Behaviour(listen_s=3)) == [("failed", "its gateway was killed")]

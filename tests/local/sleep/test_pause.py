"""pause: a service that sleeps keeps its replica frozen; the next request finds it, or a fresh one in its place.

Over 300 lines because each way in which a pause can end is told here: a request, time, a person, a crash, a death.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from tests.local.test_service import IDLE_S, later, lived
from tests.simulated.world import PAUSED, World

from wakegate.core.phase import Phase
from wakegate.core.spec import ServiceSpec
from wakegate.local.sleep.pause import paused
from wakegate.local.sleep.tick import look
from wakegate.sim.workload import Behaviour, Happening, SimWorkload

WINDOW_S = PAUSED.sleep.then_stop_after_s
ASLEEP_S = IDLE_S + PAUSED.sleep.grace_s + 1


def spec(**sleep: object) -> ServiceSpec:
    """Return the spec of a service that pauses, with another sleep."""
    return replace(PAUSED, sleep=replace(PAUSED.sleep, **sleep))  # type: ignore[arg-type]  # fields of SleepSpec


async def asleep(world: World) -> None:
    """Return a moment after it was paused."""
    await world.visit()
    await asyncio.sleep(ASLEEP_S)
    assert world.service.phase is Phase.ASLEEP
    assert [replica.is_paused for replica in world.workload.alive] == [True]


def happened(world: World) -> list[Happening]:
    """Return what was done to the replicas, in order."""
    starts = (Happening.CALLED, Happening.STARTED)
    return [one.what for one in world.workload.history if one.what not in starts]


# -- to sleep


def test_an_idle_service_is_paused_and_says_so() -> None:
    """Asleep is asleep for everybody who looks at the phase; how it sleeps stands beside it."""

    async def test(world: World) -> tuple[list[str], list[str], list[Happening]]:
        await asleep(world)
        return world.texts("asleep"), world.texts("paused"), happened(world)

    assert lived(test, Behaviour(listen_s=1), spec=PAUSED) == (
        ["asleep · paused · was awake 5m 01s · 1 request · 0 lost"],
        ["replica 1 is paused, keeps 84 MB (was 96 MB), uses no CPU"],
        [Happening.PAUSED],
    )


def test_a_request_during_the_grace_finds_it_awake() -> None:
    """Nothing is frozen before the grace has passed, as nothing is stopped."""

    async def test(world: World) -> tuple[Phase, list[Happening]]:
        await world.visit()
        await asyncio.sleep(IDLE_S + PAUSED.sleep.grace_s / 2)
        await world.visit()
        await asyncio.sleep(5)
        return world.service.phase, happened(world)

    assert lived(test, spec=PAUSED) == (Phase.AWAKE, [])


def test_of_several_replicas_one_is_kept() -> None:
    """What the load of an hour ago asked for is not what the next visitor needs."""
    many = replace(PAUSED, scale=replace(PAUSED.scale, replicas_max=3, metric="concurrency", target=1, interval_s=1))

    async def test(world: World) -> tuple[int, int]:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(world.visit(took_s=10))
        assert len(world.service.fleet.ready) == 3
        world.service.put_to_sleep("asked to sleep", may_pause=True)
        await asyncio.sleep(1)
        return len(world.workload.alive), len(world.service.fleet.paused)

    assert lived(test, spec=many) == (1, 1)


def test_where_nothing_can_be_paused_it_is_stopped() -> None:
    """It was to sleep, and does."""

    async def test(world: World) -> tuple[list[str], int]:
        world.workload.can_pause = False
        await world.visit()
        await asyncio.sleep(ASLEEP_S)
        return world.texts("asleep"), len(world.workload.alive)

    texts, alive = lived(test, spec=PAUSED)
    assert (texts, alive) == (["asleep · was awake 5m 01s · 1 request · 0 lost"], 0)


def test_a_forced_sleep_cuts_what_is_in_flight_instead_of_freezing_it() -> None:
    """Half an answer from a frozen app is an answer that never ends."""

    async def test(world: World) -> tuple[list[str], int, list[str]]:
        slow = later(world, took_s=60)
        await asyncio.sleep(5)
        world.service.put_to_sleep("asked to sleep", may_pause=True)
        endings = (await slow).visit.endings
        return endings, len(world.workload.alive), world.texts("asleep")

    endings, alive, texts = lived(test, spec=PAUSED)
    assert (endings, alive) == (["cut"], 0)
    assert texts[0].startswith("asleep · was awake")


# -- awake again


def test_the_next_request_resumes_it() -> None:
    """No start: the same replica answers, at once, and the ledger says how it was woken."""

    async def test(world: World) -> tuple[list[int | None], int, list[str], list[str]]:
        await asleep(world)
        began_s = world.clock.now_s()
        await world.visit()
        assert world.clock.now_s() - began_s < 0.1
        wakes = [line.outcome for line in world.store.wakes("web", limit=9)]
        return [visit.replica for visit in world.visits], world.workload.starts, wakes, world.texts("starting")

    replicas, starts, wakes, texts = lived(test, Behaviour(listen_s=4), spec=PAUSED)
    assert (replicas, starts, wakes) == ([1_000, 1_000], 1, ["resumed", "ready"])
    assert texts == ["starting replica 1 on :20000", "resuming replica 1 on :20000"]


def test_a_request_in_the_moment_of_the_pause_is_served_as_soon_as_that_is_over() -> None:
    """The daemon of containers takes its time; a resume that overtook the pause would be undone by it."""

    async def test(world: World) -> tuple[list[str], list[Happening]]:
        await world.visit()
        await asyncio.sleep(ASLEEP_S)
        assert not world.workload.replicas[0].is_paused
        return (await world.visit()).endings, happened(world)

    assert lived(test, Behaviour(listen_s=1, pause_s=3), spec=PAUSED) == (
        ["served"],
        [Happening.PAUSED, Happening.RESUMED],
    )


@pytest.mark.parametrize(
    "trouble",
    [
        Behaviour(resume_error="the freezer is stuck"),
        Behaviour(wakes_deaf=True),
        Behaviour(resume_s=(20, 30)),
        Behaviour(dies_after_s=ASLEEP_S - 0.5),
    ],
)
@pytest.mark.parametrize("has_one_port", [False, True])
def test_where_it_does_not_come_back_the_same_wake_starts_a_fresh_one(trouble: Behaviour, has_one_port: bool) -> None:
    """Nothing is lost: all who wait are served by the wake that they wait for, also where only one can run at once."""

    async def test(world: World) -> tuple[list[str], list[str], int]:
        await world.visit()
        await asyncio.sleep(ASLEEP_S)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(20):
                tasks.create_task(world.visit())
        endings = [ending for visit in world.visits for ending in visit.endings]
        wakes = world.store.wakes("web", limit=9)
        assert [line.lost for line in wakes] == [0, 0]
        return endings, [line.outcome for line in wakes], world.workload.starts

    assert lived(test, trouble, Behaviour(listen_s=2), spec=PAUSED, has_one_port=has_one_port) == (
        ["served"] * 21,
        ["ready", "ready"],
        2,
    )


def test_a_wake_that_resumes_teaches_nothing_about_one_that_starts() -> None:
    """After the second window somebody must be told that it takes a minute, though it took no time twenty times."""

    async def test(world: World) -> tuple[float | None, float | None]:
        await world.visit()
        for _ in range(25):
            await asyncio.sleep(ASLEEP_S)
            await world.visit()
        await asyncio.sleep(ASLEEP_S)
        while_paused_s = world.service.waker.history.usual_s
        await asyncio.sleep(WINDOW_S + 1)
        return while_paused_s, world.service.waker.history.usual_s

    while_paused_s, then_s = lived(test, Behaviour(listen_s=60), spec=PAUSED)
    assert while_paused_s == pytest.approx(0, abs=0.1)
    assert then_s == pytest.approx(60, abs=0.1)


def test_a_new_gateway_knows_how_long_both_take() -> None:
    """The first visitor after an update is told the time of a resume, or of a start, as it will be."""

    async def test(world: World) -> tuple[float | None, float | None]:
        await asleep(world)
        await world.visit()
        await asyncio.sleep(ASLEEP_S)
        await world.crash(down_s=1)
        while_paused_s = world.service.waker.history.usual_s
        await asyncio.sleep(WINDOW_S + 1)
        return while_paused_s, world.service.waker.history.usual_s

    while_paused_s, then_s = lived(test, Behaviour(listen_s=60, resume_s=0.25), spec=PAUSED)
    assert while_paused_s == pytest.approx(0.25, abs=0.1)
    assert then_s == pytest.approx(60, abs=0.1)


# -- the second window


def test_when_it_was_paused_for_long_enough_it_is_stopped() -> None:
    """To the moment, without a poll; it stays asleep, and the next request starts it as ever."""

    async def test(world: World) -> tuple[list[bool], list[str], list[str]]:
        await asleep(world)
        since_s = world.service.phase_since_s
        recheck_s = look(world.service, now_s=since_s + 100)
        assert recheck_s == pytest.approx(WINDOW_S - 100)
        await asyncio.sleep(since_s + WINDOW_S - world.clock.now_s() - 0.01)
        before = bool(world.workload.alive)
        await asyncio.sleep(0.5)
        after = bool(world.workload.alive)
        texts = world.texts("asleep")[1:]
        return [before, after], texts, (await world.visit()).endings

    assert lived(test, spec=PAUSED) == (
        [True, False],
        ["asleep · its paused replica is stopped: paused for 15m"],
        ["served"],
    )


def test_without_a_second_window_nothing_is_due() -> None:
    """No timer for each of ten thousand paused services."""

    async def test(world: World) -> tuple[float | None, int]:
        await asleep(world)
        await asyncio.sleep(100 * WINDOW_S)
        return paused(world.service, now_s=world.clock.now_s()), len(world.workload.alive)

    assert lived(test, spec=spec(then_stop_after_s=0)) == (None, 1)


# -- people


def back_to_stop(world: World) -> None:
    """The file says stop now."""
    world.service.configure(spec(mode="stop"))


def another_command(world: World) -> None:
    """The file names another command: what is frozen is the old one."""
    world.service.replace_workload(SimWorkload())


def by_hand(world: World) -> None:
    """`wakegate sleep --stop`."""
    world.service.put_to_sleep("asked to sleep")


@pytest.mark.parametrize("change", [back_to_stop, another_command, by_hand])
def test_what_is_paused_is_stopped_by(change: Callable[[World], None]) -> None:
    """At once, and with the reason."""

    async def test(world: World) -> tuple[int, Phase, int]:
        await asleep(world)
        old = world.workload
        change(world)
        await asyncio.sleep(1)
        return len(old.alive), world.service.phase, len(world.texts("asleep"))

    assert lived(test, spec=PAUSED) == (0, Phase.ASLEEP, 2)


def test_to_ask_it_to_sleep_again_changes_nothing() -> None:
    """It does already."""

    async def test(world: World) -> tuple[int, int]:
        await asleep(world)
        world.service.put_to_sleep("asked to sleep", may_pause=True)
        await asyncio.sleep(1)
        return len(world.workload.alive), len(world.texts("asleep"))

    assert lived(test, spec=PAUSED) == (1, 1)


def test_a_minimum_that_is_raised_resumes_it() -> None:
    """What is frozen is the first to be asked."""

    async def test(world: World) -> tuple[Phase, int]:
        await asleep(world)
        world.service.configure(replace(PAUSED, scale=replace(PAUSED.scale, replicas_min=1)))
        await asyncio.sleep(1)
        return world.service.phase, world.workload.starts

    assert lived(test, spec=PAUSED) == (Phase.AWAKE, 1)


def test_a_gateway_that_goes_down_ends_what_it_paused() -> None:
    """By SIGTERM, with time to clean up: it is frozen, not forgotten."""

    async def test(world: World) -> list[Happening]:
        await asleep(world)
        await world.service.close(reason="the gateway is going down", drain_timeout_s=30)
        return happened(world)

    assert lived(test, Behaviour(stop_s=3), spec=PAUSED) == [
        Happening.PAUSED,
        Happening.TERMINATED,
        Happening.EXITED,
    ]


# -- coming back after kill -9


async def while_paused(world: World) -> None:
    """All is quiet."""
    await asleep(world)


async def while_pausing(world: World) -> None:
    """Asleep is written, nothing is frozen yet."""
    await world.visit()
    await asyncio.sleep(ASLEEP_S)
    assert not world.workload.replicas[0].is_paused


async def while_resuming(world: World) -> None:
    """A request waits for it."""
    await asleep(world)
    world.workload.replicas[0].behaviour = Behaviour(resume_s=3)
    later(world)
    await asyncio.sleep(1)
    assert world.service.phase is Phase.WAKING


@pytest.mark.parametrize(
    ("moment", "behaviour", "phase"),
    [
        (while_paused, Behaviour(), Phase.ASLEEP),
        (while_pausing, Behaviour(pause_s=10), Phase.AWAKE),  # it runs, so it is taken over; idleness ends it
        (while_resuming, Behaviour(), Phase.ASLEEP),
    ],
)
def test_a_gateway_killed(moment: Callable[[World], Awaitable[None]], behaviour: Behaviour, phase: Phase) -> None:
    """The next one finds the replica as it was left, and no visitor pays for a start."""

    async def test(world: World) -> tuple[Phase, list[str], int]:
        await moment(world)
        await world.crash(down_s=5)
        came = world.service.phase
        return came, (await world.visit()).endings, world.workload.starts

    assert lived(test, behaviour, spec=PAUSED) == (phase, ["served"], 1)


def test_a_gateway_killed_between_pausing_and_asleep_keeps_what_is_paused() -> None:
    """Its record still says stopping; nobody may run behind a service that is asleep."""

    async def test(world: World) -> tuple[Phase, list[bool], list[str]]:
        await asleep(world)
        other = await world.workload.start(number=2)
        world.service.keeper.write(phase=Phase.STOPPING)
        await world.crash(down_s=0)
        await asyncio.sleep(1)
        assert not other.is_alive
        return world.service.phase, [replica.is_paused for replica in world.workload.alive], world.texts("adopted")

    phase, frozen, texts = lived(test, spec=PAUSED)
    assert (phase, frozen) == (Phase.ASLEEP, [True])
    assert texts == ["1 paused replica taken over"]


def test_what_is_paused_beside_a_replica_that_runs_is_stopped() -> None:
    """A wake was cut off half-way, or somebody sent a SIGSTOP: nobody else would end it while the service is awake."""

    async def test(world: World) -> tuple[Phase, bool]:
        await asleep(world)
        other = await world.workload.start(number=2)
        await asyncio.sleep(1)
        await world.crash(down_s=0)
        await asyncio.sleep(1)
        return world.service.phase, world.workload.alive == [other]

    assert lived(test, spec=PAUSED) == (Phase.AWAKE, True)


def test_the_second_window_goes_on_across_a_restart() -> None:
    """A gateway that is restarted each quarter of an hour would otherwise keep the memory for ever."""

    async def test(world: World) -> tuple[int, int]:
        await asleep(world)
        await asyncio.sleep(WINDOW_S - 60)
        await world.crash(down_s=30)
        before = len(world.workload.alive)
        await asyncio.sleep(60)
        return before, len(world.workload.alive)

    assert lived(test, spec=PAUSED) == (1, 0)

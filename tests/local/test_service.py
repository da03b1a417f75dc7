"""One service, where request, sleep and scale meet: the races, the reloads, and what outlives what.

Over 300 lines because `service.py` is: all that may happen at once is tested with all the rest of it running.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest
from tests.simulated.world import SPEC, Client, World, with_scale, with_sleep

from wakegate.core.errors import StoppingError, WakeFailedError
from wakegate.core.phase import Phase
from wakegate.core.spec import IgnoreSpec, ServiceSpec, SessionSpec, WakeSpec
from wakegate.local.lane import Target
from wakegate.local.service import BROKEN_S
from wakegate.local.sleep.tick import SAVE_INTERVAL_S
from wakegate.sim.clock import run
from wakegate.sim.store import SimStore
from wakegate.sim.workload import Behaviour, Happening, SimReplica, SimWorkload

T = TypeVar("T")
IDLE_S = SPEC.sleep.idle_timeout_s
ONE_PORT = {"replicas_max": 1}


def lived(
    test: Callable[[World], Awaitable[T]],
    *behaviours: Behaviour,
    spec: ServiceSpec = SPEC,
    store: SimStore | None = None,
    has_one_port: bool = False,
) -> T:
    """Run a test in a world that lives."""

    async def main() -> T:
        world = World(*behaviours, spec=spec, store=store)
        if has_one_port:
            world.workload.replicas_max = 1
        async with world.running():
            result = await test(world)
        assert [notice.detail for notice in world.notices if notice.kind == "bug"] == []
        return result

    return run(main())


def later(world: World, **how: object) -> asyncio.Task[Client]:
    """Let a client visit beside the test; return its task, whose result is the client."""
    client = Client(world, **how)  # type: ignore[arg-type]  # the fields of Client

    async def visit() -> Client:
        await client.run()
        return client

    return world.beside(visit())


# -- a wake and a stop at the same time


def test_a_request_while_the_last_replica_stops_is_served_at_once() -> None:
    """The old one may take its time to end; the new one runs beside it."""

    async def test(world: World) -> tuple[float, int | None]:
        await world.visit()
        world.service.put_to_sleep("asked to sleep")
        visit = await world.visit()
        assert visit.ended_s is not None
        return visit.ended_s - visit.arrived_s, visit.replica

    took_s, replica = lived(test, Behaviour(listen_s=1, stop_s=8))
    assert (took_s < 2, replica) == (True, 1_001)


def test_with_a_fixed_port_it_waits_until_the_old_one_is_gone() -> None:
    """Only one can listen there: the request is held, and served by the new one."""

    async def test(world: World) -> tuple[float, int | None]:
        await world.visit()
        world.service.put_to_sleep("asked to sleep")
        visit = await world.visit()
        assert visit.ended_s is not None
        return visit.ended_s - visit.arrived_s, visit.replica

    took_s, replica = lived(test, Behaviour(listen_s=1, stop_s=8), has_one_port=True)
    assert (9 <= took_s < 10, replica) == (True, 1_001)


def test_a_wake_trusts_no_replica_that_was_told_to_stop() -> None:
    """The one of the wake before still answers its probe while it ends; a request given to it would be cut."""

    async def test(world: World) -> tuple[list[str], int | None]:
        first = later(world)
        await asyncio.sleep(1)
        world.service.put_to_sleep("asked to sleep")
        visit = await world.visit()
        return (await first).visit.endings, visit.replica

    endings, replica = lived(test, Behaviour(listen_s=2, stop_s=5))
    assert (endings, replica) == (["WakeFailedError"], 1_001)


def test_a_start_that_waits_for_the_port_does_not_outlive_the_sleep() -> None:
    """It would run for ever: nobody asks again whether a service that sleeps may sleep."""

    async def test(world: World) -> list[int]:
        await world.visit()
        world.service.put_to_sleep("asked to sleep")
        held = later(world)
        await asyncio.sleep(1)
        world.service.put_to_sleep("asked to sleep")
        assert (await held).visit.endings == ["WakeFailedError"]
        await asyncio.sleep(60)
        return [replica.pid for replica in world.workload.alive]

    assert lived(test, Behaviour(stop_s=8), has_one_port=True) == []


def test_a_request_during_the_drain_cancels_the_sleep() -> None:
    """No cold start for whoever comes a moment too late."""

    async def test(world: World) -> tuple[list[str], int]:
        await world.visit()
        await asyncio.sleep(IDLE_S + 0.5)
        assert world.service.phase is Phase.DRAINING
        await world.visit()
        await asyncio.sleep(10)
        return world.texts("awake"), world.workload.starts

    texts, starts = lived(test)
    assert (texts, starts) == (["a request arrived · the sleep is cancelled"], 1)


def test_a_last_replica_that_ends_during_the_drain_starts_nothing() -> None:
    """It was about to sleep: an app would be started for nobody."""

    async def test(world: World) -> tuple[Phase, int]:
        await world.visit()
        await asyncio.sleep(IDLE_S + 0.5)
        world.workload.replicas[0].die()
        await asyncio.sleep(0.1)
        return world.service.phase, world.workload.starts

    assert lived(test) == (Phase.ASLEEP, 1)


# -- a reload


def test_a_changed_workload_takes_what_is_new_and_drops_nothing() -> None:
    """The old replica finishes what it has; the new one gets what comes."""

    async def test(world: World) -> tuple[list[str], int, list[int]]:
        slow = later(world, took_s=20)
        await asyncio.sleep(5)
        new = SimWorkload(Behaviour(listen_s=2))
        world.service.replace_workload(new)
        client = Client(world)
        target = world.service.admit(client)
        assert target is None
        assert isinstance(await client.target(), Target)
        old = (await slow).visit
        await asyncio.sleep(1)
        return old.endings, new.starts, [replica.pid for replica in world.workload.alive]

    assert lived(test) == (["served"], 1, [])


def test_a_changed_workload_that_cannot_start_cuts_nobody_off() -> None:
    """A typo in the file must not end the requests that are in flight."""

    async def test(world: World) -> list[str]:
        slow = later(world, took_s=20)
        await asyncio.sleep(5)
        world.service.replace_workload(SimWorkload(Behaviour(start_error="no such command")))
        return (await slow).visit.endings

    assert lived(test, Behaviour(stop_s=0)) == ["served"]


def test_a_workload_that_changes_during_a_wake_serves_those_who_wait() -> None:
    """The change may be the mending of a command that never listens: nobody waits for that to time out."""

    async def test(world: World) -> tuple[int, int, list[str]]:
        client, other = Client(world), asyncio.Event()
        assert world.service.admit(client) is None

        async def rouse() -> None:
            await world.service.rouse(cause="wakegate wake")
            other.set()

        world.beside(rouse())
        await asyncio.sleep(3)
        new = SimWorkload(Behaviour(listen_s=1))
        world.service.replace_workload(new)
        assert isinstance(await client.target(), Target)
        await other.wait()
        await asyncio.sleep(20)
        outcomes = [line.outcome for line in world.store.wakes("web", limit=9)]
        return new.starts, len(world.workload.alive), outcomes

    assert lived(test, Behaviour(listen_s=float("inf"))) == (1, 0, ["ready", "failed"])


def test_a_minimum_that_is_raised_wakes_and_one_that_is_lowered_lets_sleep() -> None:
    """F4: honoured, and changed live."""

    async def test(world: World) -> list[int]:
        counts = []
        for minimum in (2, 1, 0):
            world.service.configure(with_scale(replicas_min=minimum, replicas_max=2, interval_s=1))
            await asyncio.sleep(3 * IDLE_S)
            counts.append(len(world.workload.alive))
        return counts

    assert lived(test, spec=with_scale(replicas_max=2)) == [2, 1, 0]


@pytest.mark.parametrize("maximum", [1, 2])
def test_a_maximum_that_is_lowered_is_honoured_while_awake(maximum: int) -> None:
    """Down to one as well, where nothing is sampled any more."""

    async def test(world: World) -> int:
        world.service.configure(with_scale(replicas_min=maximum, replicas_max=maximum, interval_s=1))
        await asyncio.sleep(30)
        return len(world.workload.alive)

    assert lived(test, spec=with_scale(replicas_min=3, replicas_max=3, interval_s=1)) == maximum


def test_sessions_can_be_turned_on_and_off() -> None:
    """What an answer on its way still has to say of its session is said."""

    async def test(world: World) -> list[bool]:
        service, have = world.service, []
        for cookie in ("uuid", "", "sid"):
            service.configure(replace(SPEC, session=SessionSpec(cookie=cookie)))
            have.append(service.sessions is not None)
        assert service.sessions is not None
        assert (service.sessions.visit(None).set_cookie or b"").startswith(b"sid=")
        return have

    assert lived(test, spec=replace(SPEC, session=SessionSpec(cookie=""))) == [True, False, True]


def test_other_rules_hold_for_the_next_request() -> None:
    """`ignore` and `wake.methods` are read at every admission."""

    async def test(world: World) -> list[str]:
        endings = []
        for spec in (
            replace(SPEC, ignore=IgnoreSpec(paths=("/health",))),
            replace(SPEC, wake=WakeSpec(on_methods=("POST",))),
            SPEC,
        ):
            world.service.configure(spec)
            endings += (await world.visit(path="/health")).endings
        return endings

    assert lived(test) == ["AsleepError", "AsleepError", "served"]


# -- closing


def test_closing_refuses_who_waits_finishes_what_is_in_flight_and_stops_all() -> None:
    """With the reason; then nothing is left."""

    async def test(world: World) -> tuple[list[str], list[str], list[int], list[str]]:
        slow = later(world, took_s=10)
        await asyncio.sleep(2)
        closing = world.beside(world.service.close(reason="it was removed", drain_timeout_s=30))
        await asyncio.sleep(0)
        refused = await world.visit()
        with pytest.raises(StoppingError, match="it was removed"):
            await world.service.rouse(cause="wakegate wake")
        await closing
        return (
            (await slow).visit.endings,
            refused.endings,
            [one.pid for one in world.workload.alive],
            world.texts("asleep"),
        )

    slow, refused, alive, _ = lived(test)
    assert (slow, refused, alive) == (["served"], ["StoppingError"], [])


def test_closing_during_a_wake_answers_the_held_and_leaves_nothing() -> None:
    """A process that is started after its gateway has ended is nobody's."""

    async def test(world: World) -> tuple[list[str], int]:
        held = later(world)
        await asyncio.sleep(1)
        await world.service.close(reason="the gateway is going down", drain_timeout_s=30)
        return (await held).visit.endings, len(world.workload.alive)

    assert lived(test, Behaviour(listen_s=5)) == (["StoppingError"], 0)


def test_closing_waits_no_longer_than_it_may() -> None:
    """A download of an hour ends with the drain timeout."""

    async def test(world: World) -> float:
        later(world, took_s=3_600)
        await asyncio.sleep(2)
        began_s = world.clock.now_s()
        await world.service.close(reason="the gateway is going down", drain_timeout_s=30)
        return world.clock.now_s() - began_s

    assert 30 <= lived(test) < 31


def test_in_a_hurry_closing_waits_for_nothing() -> None:
    """Ctrl-C twice."""

    async def test(world: World) -> float:
        later(world, took_s=3_600)
        await asyncio.sleep(2)
        began_s = world.clock.now_s()
        closing = world.beside(world.service.close(reason="the gateway is going down", drain_timeout_s=30))
        await asyncio.sleep(1)
        world.service.hurry()
        await closing
        return world.clock.now_s() - began_s

    assert lived(test, Behaviour(ignores_term=True)) == 1


# -- coming back after kill -9


@pytest.mark.parametrize(
    ("before", "wait_s", "after", "alive"),
    [
        (Phase.WAKING, 1, Phase.ASLEEP, 0),  # half started: it is stopped, the next request begins anew
        (Phase.AWAKE, 50, Phase.AWAKE, 1),
        (Phase.DRAINING, 2.1 + IDLE_S + 0.5, Phase.DRAINING, 1),
    ],
)
def test_a_killed_gateway_comes_back_in_every_phase(before: Phase, wait_s: float, after: Phase, alive: int) -> None:
    """What runs is taken over, what is half done is undone, and all of it can be used again at once."""

    async def test(world: World) -> tuple[Phase, Phase, int, list[str]]:
        later(world)
        await asyncio.sleep(wait_s)
        found = world.service.phase
        await world.crash(down_s=0)
        came = world.service.phase
        await asyncio.sleep(0.2)
        count = len(world.workload.alive)
        return found, came, count, (await world.visit()).endings

    assert lived(test, Behaviour(listen_s=2)) == (before, after, alive, ["served"])


def test_replicas_that_ended_while_the_gateway_was_down_are_not_missed() -> None:
    """After a crash of the whole machine everything sleeps until somebody comes."""

    async def test(world: World) -> tuple[Phase, int]:
        await world.visit()
        world.workload.replicas[0].die()
        await world.crash(down_s=5)
        return world.service.phase, world.workload.starts

    assert lived(test) == (Phase.ASLEEP, 1)


def test_what_runs_of_a_service_that_sleeps_is_taken_over_and_ended_by_idleness() -> None:
    """The record may be behind the world: a full disk, and then a crash."""

    async def test(world: World) -> tuple[Phase, Phase, int]:
        world.store.is_full = True
        await world.visit()
        world.store.is_full = False
        await world.crash(down_s=5)
        came = world.service.phase
        await asyncio.sleep(IDLE_S + 5)
        return came, world.service.phase, len(world.workload.alive)

    assert lived(test) == (Phase.AWAKE, Phase.ASLEEP, 0)


def test_a_restart_forgets_no_activity() -> None:
    """It is stored at intervals, so the newest is taken to be as new as it may have been."""

    async def test(world: World) -> Phase:
        await world.visit()
        await asyncio.sleep(IDLE_S - 20)
        await world.visit()
        await world.crash(down_s=1)
        await asyncio.sleep(IDLE_S - 2)
        return world.service.phase

    assert lived(test) is Phase.AWAKE


def test_a_keep_lives_on_and_a_shorter_one_does_not_cut_it() -> None:
    """`wakegate keep web 2h`, and an app that asks for a minute with every answer; then a restart."""

    async def test(world: World) -> tuple[Phase, Phase, str]:
        await world.visit()
        world.service.keep_awake(7200, reason="a demo")
        world.service.keep_awake(60, reason="the app asked for it")
        await world.crash(down_s=1)
        await asyncio.sleep(7100)
        kept, reason = world.service.phase, world.service.activity().keep_reason
        await asyncio.sleep(200)
        return kept, world.service.phase, reason

    assert lived(test) == (Phase.AWAKE, Phase.ASLEEP, "a demo")


def test_an_app_that_asks_with_every_answer_costs_no_write_each() -> None:
    """A warm request makes at most one coalesced write."""

    async def test(world: World) -> int:
        await world.visit()
        before = world.store.write_count
        for _ in range(1_000):
            world.service.keep_awake(60, reason="the app asked for it")
            await asyncio.sleep(0.01)
        return world.store.write_count - before

    assert lived(test) <= 10 / SAVE_INTERVAL_S + 2


def test_a_keep_can_be_ended() -> None:
    """`wakegate keep web off`, also across a restart."""

    async def test(world: World) -> Phase:
        await world.visit()
        world.service.keep_awake(7200, reason="a demo")
        world.service.keep_awake(0, reason="")
        await world.crash(down_s=1)
        await asyncio.sleep(IDLE_S + SAVE_INTERVAL_S + 5)
        return world.service.phase

    assert lived(test) is Phase.ASLEEP


def test_an_app_at_work_is_not_stopped() -> None:
    """`unless_cpu_above`: background work after a 202 is what others kill."""

    async def main() -> list[Phase]:
        spec = with_sleep(unless_cpu_above=20)
        phases = []
        for cpu_percent in (10.0, 30.0):
            world = World(Behaviour(listen_s=1), spec=spec, cpu_percent=cpu_percent)
            async with world.running():
                await world.visit()
                await asyncio.sleep(4 * IDLE_S)
                phases.append(world.service.phase)
        return phases

    assert run(main()) == [Phase.ASLEEP, Phase.AWAKE]


# -- a bug


class Broken(SimWorkload):
    """A workload with a bug: the next replica that is asked for ends the task that asks."""

    def __init__(self, *behaviours: Behaviour) -> None:
        super().__init__(*behaviours)
        self.bugs = 0

    async def adopt(self) -> Sequence[SimReplica]:
        """Break as often as told."""
        if self.bugs:
            self.bugs -= 1
            raise RuntimeError("a bug")
        return await super().adopt()


def test_a_service_that_breaks_says_so_and_starts_over() -> None:
    """As after a crash of the gateway: what runs is taken over, and the other services hear nothing of it."""

    async def main() -> tuple[list[str], list[str], list[str], int]:
        workload = Broken(Behaviour(listen_s=1))
        world = World(Behaviour(listen_s=1))
        world.workload = workload
        world.service.fleet.workload = workload
        async with world.running():
            await world.visit()
            workload.bugs = 2
            world.breaks()
            await asyncio.sleep(0.1)
            refused = (await world.visit()).endings
            with pytest.raises(WakeFailedError, match="broke"):
                await world.service.rouse(cause="wakegate wake")
            await asyncio.sleep(3 * BROKEN_S)
            served = (await world.visit()).endings
            await asyncio.sleep(IDLE_S + 5)
            assert world.service.phase is Phase.ASLEEP
        lines = [line for notice in world.notices if notice.kind == "bug" for line in notice.detail]
        return refused, served, [line for line in lines if "a bug" in line], workload.starts

    refused, served, lines, starts = run(main())
    assert (refused, served, starts) == (["WakeFailedError"], ["served"], 1)
    assert len(lines) >= 3


def test_those_who_wait_for_a_wake_that_breaks_are_answered() -> None:
    """Not left to their timeouts."""

    async def main() -> tuple[list[str], list[int]]:
        world = World(Behaviour(listen_s=5))
        async with world.running():
            held = later(world)
            await asyncio.sleep(1)
            world.breaks()
            await asyncio.sleep(0.1)
            endings = list((await held).visit.endings)
            await asyncio.sleep(10)
            assert world.service.phase is Phase.ASLEEP
            return endings, [one.pid for one in world.workload.alive]

    assert run(main()) == (["WakeFailedError"], [])


def test_closing_a_service_that_is_broken_stops_what_it_left() -> None:
    """It starts over first, to find its replicas."""

    async def main() -> int:
        world = World(Behaviour(listen_s=1))
        async with world.running():
            await world.visit()
            world.breaks()
            await asyncio.sleep(0.1)
            await world.service.close(reason="the gateway is going down", drain_timeout_s=30)
            return len(world.workload.alive)

    assert run(main()) == 0


def test_try_now_is_heard_after_a_failure_and_whatever_the_clock_says() -> None:
    """But not ten times a second."""

    async def test(world: World) -> list[bool]:
        await world.visit()
        heard = [world.service.retry()]
        await asyncio.sleep(3)
        heard.append(world.service.retry())
        await asyncio.sleep(1)
        world.clock.step -= (world.clock.utc() - world.service.keeper.record.since) * 1_000
        heard.append(world.service.retry())
        return heard

    assert lived(test, Behaviour(start_error="no such command")) == [False, True, True]


def test_a_herd_is_one_start() -> None:
    """50 first requests, and the first of them hangs up."""

    async def test(world: World) -> tuple[int, set[str]]:
        clients = [later(world, patience_s=0.1 if number == 0 else 1e9) for number in range(50)]
        endings = {ending for client in clients for ending in (await client).visit.endings}
        calls = [one for one in world.workload.history if one.what is Happening.CALLED]
        return len(calls), endings

    assert lived(test, Behaviour(listen_s=2)) == (1, {"served", "gone"})

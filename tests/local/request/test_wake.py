"""Waking: one wake for all, that belongs to none of them; and what becomes of those who wait when it fails.

Over 300 lines because every way in which a wake can end is told here, and told apart from the others.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from math import inf

import pytest
from tests.simulated.world import SPEC, Client, World, with_scale

from wakegate.core.errors import RequestError, WakeFailedError
from wakegate.core.ledger import WakeLine
from wakegate.core.phase import Phase
from wakegate.core.spec import ServiceSpec, WakeSpec
from wakegate.local.request.wake import CRASH_WINDOW_S
from wakegate.sim.clock import run
from wakegate.sim.invariants import check_endings
from wakegate.sim.workload import Behaviour, SimReplica, SimWorkload

FAILS = Behaviour(start_error="no such command")
NEVER = Behaviour(listen_s=inf)


class Scene:
    """A world after its play, for a look at what is left."""

    def __init__(
        self, play: Callable[[World], Awaitable[None]], *behaviours: Behaviour, spec: ServiceSpec = SPEC
    ) -> None:
        async def main() -> None:
            self.world = World(*behaviours, spec=spec)
            async with self.world.running():
                await play(self.world)
                self.phase = self.world.service.phase
                self.failure = self.world.service.keeper.record.failure

        run(main())
        check_endings(self.world.visits)
        self.endings = [visit.endings[0] for visit in self.world.visits]

    @property
    def lines(self) -> list[WakeLine]:
        """Return the ledger, the oldest wake first; nobody may be lost in it."""
        lines = sorted(self.world.store.wakes("web", limit=99), key=lambda line: line.at)
        assert [line.lost for line in lines] == [0] * len(lines)
        return lines


async def herd(world: World, count: int, *, first_patience_s: float = 1e9) -> None:
    """Let many come in the same moment."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(world.visit(patience_s=first_patience_s))
        for _ in range(count - 1):
            tasks.create_task(world.visit())


# -- one wake


def test_fifty_first_requests_start_one_replica() -> None:
    """One scale call, however many come at once."""
    scene = Scene(lambda world: herd(world, 50), Behaviour(listen_s=3))
    assert scene.endings == ["served"] * 50
    assert scene.world.workload.starts == 1
    (line,) = scene.lines
    assert (line.outcome, line.held, line.served) == ("ready", 50, 50)
    assert line.listen_s == pytest.approx(3, abs=0.1)


def test_the_first_client_hanging_up_cancels_nothing() -> None:
    """The wake belongs to the service, not to whoever caused it."""
    scene = Scene(lambda world: herd(world, 5, first_patience_s=0.1), Behaviour(listen_s=3))
    assert scene.endings == ["gone"] + ["served"] * 4
    assert scene.world.workload.starts == 1
    (line,) = scene.lines
    assert (line.held, line.served, line.gone) == (5, 4, 1)


def test_a_wake_goes_on_when_everybody_has_left() -> None:
    """The next visitor finds the service awake."""

    async def play(world: World) -> None:
        await world.visit(patience_s=0.1)
        await asyncio.sleep(5)

    scene = Scene(play, Behaviour(listen_s=3))
    assert (scene.endings, scene.phase) == (["gone"], Phase.AWAKE)


def test_a_service_with_several_replicas_is_awake_with_the_first() -> None:
    """The others come behind; one that cannot be started costs nobody an answer."""
    spec = with_scale(replicas_min=3, replicas_max=3)
    behaviours = (FAILS, Behaviour(listen_s=8), Behaviour(listen_s=2))
    scene = Scene(lambda world: herd(world, 3), *behaviours, spec=spec)
    assert (scene.endings, scene.phase) == (["served"] * 3, Phase.AWAKE)
    assert scene.world.visits[0].ended_s == pytest.approx(scene.world.visits[0].arrived_s + 2, abs=0.1)
    assert scene.lines[0].outcome == "ready"


def test_a_wake_has_failed_when_every_start_has() -> None:
    """And not before."""
    spec = with_scale(replicas_min=2, replicas_max=2)

    async def play(world: World) -> None:
        await world.visit()

    scene = Scene(play, FAILS, Behaviour(listen_s=inf, dies_after_s=2), spec=spec)
    assert (scene.endings, scene.phase) == (["WakeFailedError"], Phase.ASLEEP)
    assert scene.world.visits[0].ended_s == pytest.approx(scene.world.visits[0].arrived_s + 2, abs=0.1)
    assert "exited with status 1" in scene.lines[0].reason


# -- a wake that fails


@pytest.mark.parametrize(
    ("behaviour", "ending", "reason", "after_s"),
    [
        (FAILS, "WakeFailedError", "no such command", 0),
        (Behaviour(listen_s=inf, dies_after_s=2, status=3), "WakeFailedError", "exited with status 3", 2),
        (NEVER, "WakeTimeoutError", "not ready after 20 s: it never listened on its port", 20),
        (Behaviour(start_s=inf), "WakeTimeoutError", "not ready after 20 s: it never listened on its port", 20),
    ],
    ids=["not started", "died", "never ready", "start hangs"],
)
def test_who_waits_for_a_wake_that_fails_hears_why_and_when(
    behaviour: Behaviour, ending: str, reason: str, after_s: float
) -> None:
    """As soon as it is known; what was started is stopped."""

    async def play(world: World) -> None:
        await herd(world, 3)
        await asyncio.sleep(0.2)
        assert world.workload.alive == []

    scene = Scene(play, behaviour, spec=replace(SPEC, wake=WakeSpec(timeout_s=20)))
    assert (scene.endings, scene.phase) == ([ending] * 3, Phase.ASLEEP)
    assert [visit.ended_s for visit in scene.world.visits] == pytest.approx(
        [scene.world.visits[0].arrived_s + after_s] * 3, abs=0.1
    )
    (line,) = scene.lines
    assert (line.outcome, line.held, line.refused) == ("failed", 3, 3)
    assert reason in line.reason
    assert scene.failure is not None
    assert "3 requests answered with the reason" in scene.world.texts("asleep")[0]


def test_a_service_that_keeps_failing_is_tried_less_and_less() -> None:
    """Each request would start an app that dies: the verdict is kept, and told."""
    tried_s: list[float] = []

    async def play(world: World) -> None:
        began_s = world.clock.now_s()
        for _ in range(160):
            starts = world.workload.starts
            await world.visit()
            if world.workload.starts > starts:
                tried_s.append(round(world.clock.now_s() - began_s, 1))
            await asyncio.sleep(0.1)

    scene = Scene(play, FAILS)
    assert set(scene.endings) == {"WakeFailedError"}
    assert tried_s == pytest.approx([0, 1, 3, 7, 15], abs=0.3)
    assert scene.failure is not None
    assert scene.failure.count == 5


def test_a_wake_after_the_backoff_is_a_new_chance() -> None:
    """What was wrong may have been mended."""

    async def play(world: World) -> None:
        await world.visit()
        await world.visit()
        await asyncio.sleep(1.1)
        await world.visit()
        await asyncio.sleep(CRASH_WINDOW_S + 20)

    scene = Scene(play, FAILS, Behaviour())
    assert scene.endings == ["WakeFailedError", "WakeFailedError", "served"]
    assert scene.failure is None  # forgiven once it had been up for long enough
    assert [line.outcome for line in scene.lines] == ["failed", "ready"]


class Broken(SimWorkload):
    """A workload with a bug."""

    async def start(self, *, number: int) -> SimReplica:
        """See `Workload.start`."""
        raise ZeroDivisionError("a bug")


def test_a_bug_in_a_start_answers_those_who_wait() -> None:
    """Nobody waits until the timeout for a task that is dead; the trace goes to the operator."""

    async def play(world: World) -> None:
        world.service.fleet.workload = Broken()
        await herd(world, 2)

    scene = Scene(play)
    assert (scene.endings, scene.phase) == (["WakeFailedError"] * 2, Phase.ASLEEP)
    assert scene.lines[0].reason == "the gateway could not start it; its log says why"
    (bug,) = [notice for notice in scene.world.notices if notice.kind == "bug"]
    assert bug.detail[-1] == "ZeroDivisionError: a bug"


# -- a wake that is called off


@pytest.mark.parametrize("behaviour", [Behaviour(listen_s=5), Behaviour(start_s=5)], ids=["listening", "starting"])
def test_a_wake_that_is_called_off_leaves_nothing(behaviour: Behaviour) -> None:
    """Neither somebody who waits, nor a replica that nobody would ever stop; and it is no failure to back off from."""

    async def play(world: World) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(herd(world, 3))
            await asyncio.sleep(1)
            world.service.put_to_sleep("an operator asked")
        await asyncio.sleep(10)
        assert (world.workload.alive, world.service.phase) == ([], Phase.ASLEEP)
        await world.visit()

    scene = Scene(play, behaviour)
    assert scene.endings == ["WakeFailedError"] * 3 + ["served"]
    assert [(line.outcome, line.reason) for line in scene.lines] == [("failed", "an operator asked"), ("ready", "")]


class Pipelined(Client):
    """A client whose next request is in the gateway before the answer to this one is out."""

    def refuse(self, error: RequestError) -> None:
        """See `Waiter.refuse`."""
        super().refuse(error)
        self.next = Client(self._world)
        self.told = None
        try:
            self._world.service.admit(self.next)
        except RequestError as refusal:
            self.told = refusal
            self.next.visit.end(type(refusal).__name__, now_s=self._world.clock.now_s())

    told: RequestError | None


def test_a_request_behind_one_that_the_wake_failed_is_not_left_waiting() -> None:
    """An answer lets the next request of its connection in at once: it must find the service asleep, not in between."""

    async def play(world: World) -> None:
        client = Pipelined(world)
        await client.run()
        assert isinstance(client.told, WakeFailedError)
        assert not len(world.service.hold)

    assert Scene(play, FAILS).endings == ["WakeFailedError"] * 2


def test_a_request_behind_one_whose_wake_was_called_off_wakes_anew() -> None:
    """It came after the operator asked, so it is what wakes the service again."""

    async def play(world: World) -> None:
        clients = [Pipelined(world), Client(world)]
        async with asyncio.TaskGroup() as tasks:
            for client in clients:
                tasks.create_task(client.run())
            await asyncio.sleep(1)
            world.service.put_to_sleep("an operator asked")
        assert clients[1].visit.endings == ["WakeFailedError"]
        assert (world.service.phase, len(world.service.hold)) == (Phase.WAKING, 1)
        target = await clients[0].next._target  # type: ignore[attr-defined]  # of Pipelined
        assert target is not None
        clients[0].next.visit.end("served", now_s=world.clock.now_s())  # type: ignore[attr-defined]  # of Pipelined
        mine = clients[0].next  # type: ignore[attr-defined]  # of Pipelined
        world.service.answered(target, mine)
        world.service.finished(target, mine)

    scene = Scene(play, Behaviour(listen_s=3))
    assert [line.outcome for line in scene.lines] == ["failed", "ready"]
    assert sum(line.held for line in scene.lines) == 3


# -- replicas that end on their own


def test_who_waited_for_room_is_handed_to_the_next_wake() -> None:
    """The only replica dies under one while two wait for it to have room: each is answered, and counted once."""

    async def play(world: World) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(world.visit(took_s=3))
                await asyncio.sleep(0)
            await asyncio.sleep(2)
            world.workload.replicas[0].die()

    scene = Scene(play, Behaviour(listen_s=1), spec=with_scale(concurrency_max=1))
    assert scene.endings == ["cut", "served", "served"]
    first, second = scene.lines
    assert (first.held, second.held, second.served) == (0, 3, 3)


def test_who_waits_for_room_at_a_warm_replica_waits_for_the_wake_that_replaces_it() -> None:
    """Its wake counts them too, though it was not they who caused it."""

    async def play(world: World) -> None:
        await world.visit()
        await asyncio.sleep(60)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(world.visit(took_s=3))
                await asyncio.sleep(0)
            await asyncio.sleep(1)
            world.workload.replicas[0].die()

    scene = Scene(play, Behaviour(listen_s=1), spec=with_scale(concurrency_max=1))
    assert scene.endings == ["served", "cut", "served", "served"]
    assert [(line.held, line.served) for line in scene.lines] == [(1, 1), (2, 2)]
    assert scene.lines[1].cause == "replica 1 exited with status 1 after 62.0 s"


def test_a_replica_that_dies_while_awake_is_replaced_at_once() -> None:
    """Awake means that the next request is served warm."""

    async def play(world: World) -> None:
        await world.visit()
        await asyncio.sleep(60)
        world.workload.replicas[0].die()
        await asyncio.sleep(2)
        assert world.service.phase is Phase.AWAKE

    scene = Scene(play, Behaviour(listen_s=1))
    assert scene.world.workload.starts == 2
    assert scene.failure is None


def test_a_replica_that_keeps_dying_soon_after_it_was_ready_backs_off() -> None:
    """A crash loop would start an app each second for ever, with nobody there to see it."""

    async def play(world: World) -> None:
        await world.visit()
        await asyncio.sleep(100)

    scene = Scene(play, Behaviour(listen_s=0.5, dies_after_s=2))
    assert scene.endings == ["served"]
    assert scene.world.workload.starts == 2  # the one that was asked for, and one to replace it
    assert scene.phase is Phase.ASLEEP
    assert scene.failure is not None
    assert (scene.failure.count, "after it was ready" in scene.failure.reason) == (2, True)


def test_one_crash_in_a_long_life_is_no_crash_loop() -> None:
    """It was up for long in between: what was before is forgotten."""

    async def play(world: World) -> None:
        await world.visit()
        for _ in range(5):
            await asyncio.sleep(CRASH_WINDOW_S + 5)
            world.workload.alive[0].die()
            await asyncio.sleep(1)
            assert world.service.phase is Phase.AWAKE

    assert Scene(play, Behaviour(listen_s=0.5)).world.workload.starts == 6


# -- what those who wait are told


def test_a_waiting_page_can_tell_how_far_the_wake_is() -> None:
    """Elapsed and usual while it wakes; afterwards how long another would take."""

    async def play(world: World) -> None:
        before = world.service.progress()
        assert (before.phase, before.elapsed_s, before.usual_s, before.failure) == (Phase.ASLEEP, 0.0, None, "")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(world.visit())
            await asyncio.sleep(3)
            during = world.service.progress()
        assert (during.phase, during.usual_s) == (Phase.WAKING, None)
        assert during.elapsed_s == pytest.approx(3)
        after = world.service.progress()
        assert (after.phase, after.elapsed_s) == (Phase.AWAKE, 0.0)
        assert after.usual_s == pytest.approx(8, abs=0.1)

    Scene(play, Behaviour(listen_s=8))


def test_a_waiting_page_can_tell_what_went_wrong_and_when_it_is_tried_again() -> None:
    """Until the next wake begins."""

    async def play(world: World) -> None:
        await world.visit()
        await asyncio.sleep(0.25)
        told = world.service.progress()
        assert told.failure == "no such command"
        assert told.retry_after_s == pytest.approx(0.75)
        await asyncio.sleep(1)
        assert world.service.progress().retry_after_s == 0.0
        waking = asyncio.create_task(world.visit())
        await asyncio.sleep(0.1)
        assert world.service.progress().failure == ""
        await waking

    Scene(play, FAILS, Behaviour(listen_s=1))

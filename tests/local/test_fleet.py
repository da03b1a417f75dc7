"""The small life of replicas: starting, ready, draining, stopping, gone."""

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeVar

import pytest
from tests.simulated.world import SPEC

from wakegate.core.errors import WorkloadError
from wakegate.local.fleet import DOUBT_S, Fleet
from wakegate.local.lane import Target
from wakegate.local.member import Life, Member, Steps
from wakegate.sim.clock import SimClock, run
from wakegate.sim.workload import Behaviour, Happening, SimWorkload

T = TypeVar("T")
TIMEOUT_S = 30.0


class Yard:
    """A fleet and what it told."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self.workload = SimWorkload(*behaviours)
        self.lost: list[str] = []
        self.told: list[str] = []
        self.shut: list[Target] = []
        self.opened = 0
        self.fleet = Fleet(
            SPEC,
            workload=self.workload,
            clock=SimClock(),
            lost=self._lost,
            opened=self._open,
            shut=self.shut.append,
            tell=lambda kind, text, **_: self.told.append(f"{kind}: {text}"),
        )

    def _lost(self, member: Member, reason: str, log_tail: tuple[str, ...]) -> None:
        self.lost.append(reason)

    def _open(self, member: Member) -> None:
        self.opened += 1

    async def add(self) -> Steps:
        """Start one more."""
        return await self.fleet.add(timeout_s=TIMEOUT_S, starting=lambda _: None)

    def lives(self) -> list[Life]:
        """Return where each is."""
        return [member.life for member in self.fleet.members]


def in_yard(test: Callable[[Yard, asyncio.TaskGroup], Awaitable[T]], *behaviours: Behaviour) -> T:
    """Run a test with a fleet that lives."""

    async def main() -> T:
        yard = Yard(*behaviours)
        async with asyncio.TaskGroup() as tasks:
            yard.fleet.begin(tasks)
            result = await test(yard, tasks)
            yard.fleet.stop(is_patient=False)
            yard.fleet.kill()
            await yard.fleet.gone()
        return result

    return run(main())


def test_one_is_started_probed_and_opened() -> None:
    """And it says where the time went."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[list[str], int, bool]:
        steps = await yard.add()
        assert steps.start_s == pytest.approx(1, abs=0.01)
        assert steps.listen_s == pytest.approx(2, abs=0.1)
        return [target.key for target in yard.fleet.targets], yard.opened, len(yard.fleet) == 1

    assert in_yard(test, Behaviour(start_s=1, listen_s=2)) == (["127.0.0.1:20000"], 1, True)


def test_an_app_that_is_known_is_asked_when_it_is_about_to_listen() -> None:
    """How soon that is the ones before have shown; of one that is quicker than they were it is learnt."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> list[float]:
        return [(await yard.add()).listen_s for _ in range(4)]

    seen_s = in_yard(test, *(Behaviour(listen_s=listen_s) for listen_s in (0.3, 0.3, 0.11, 0.11)))
    assert seen_s == pytest.approx([0.3, 0.3, 0.142, 0.11], abs=0.003)


@pytest.mark.parametrize(
    ("behaviour", "error", "says"),
    [
        (Behaviour(start_error="no such command"), WorkloadError, "no such command"),
        (
            Behaviour(listen_s=inf, dies_after_s=3),
            WorkloadError,
            "exited with status 1 after 3.0 s, before it listened",
        ),
        (Behaviour(listen_s=inf), TimeoutError, None),
        (Behaviour(start_s=inf), TimeoutError, None),
    ],
)
def test_one_that_does_not_come_up_leaves_nothing(
    behaviour: Behaviour, error: type[Exception], says: str | None
) -> None:
    """B5, B8: the error says how it ended, and what is half started is stopped."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[int, int, list[str]]:
        with pytest.raises(error, match=says):
            await yard.add()
        await asyncio.sleep(SPEC.sleep.stop_grace_s + 1)
        return len(yard.fleet), len(yard.workload.alive), yard.lost

    assert in_yard(test, behaviour) == (0, 0, [])


@pytest.mark.parametrize("wait_s", [0.5, 3])
def test_a_stop_reaches_what_is_only_being_started(wait_s: float) -> None:
    """In the start call itself, or before its probe passed: it never becomes ready, and it ends."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[int, int]:
        async def add() -> None:
            with pytest.raises(WorkloadError, match="stopped before it was ready"):
                await yard.add()

        adding = tasks.create_task(add())
        await asyncio.sleep(wait_s)
        yard.fleet.stop()
        await adding
        await asyncio.sleep(9)
        return yard.opened, len(yard.workload.alive)

    assert in_yard(test, Behaviour(start_s=2, listen_s=2, stop_s=5)) == (0, 0)


def test_one_that_ends_by_itself_is_told_and_its_number_is_free() -> None:
    """Its target is shut first: no request goes to what is gone."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[list[str], list[Target], int]:
        await yard.add()
        yard.workload.replicas[0].die()
        await asyncio.sleep(0.1)
        assert yard.shut[0].shut
        await yard.add()
        return yard.lost, list(yard.fleet.targets), yard.fleet.targets[0].number

    lost, targets, number = in_yard(test)
    assert len(lost) == len(targets) == number == 1
    assert lost[0].startswith("exited with status 1")


def test_one_that_was_asked_to_end_is_not_lost() -> None:
    """Nobody starts another for it."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[list[str], int]:
        await yard.add()
        yard.fleet.stop()
        yard.fleet.stop()
        assert yard.lives() == [Life.STOPPING]
        await yard.fleet.gone()
        return yard.lost, sum(one.what is Happening.TERMINATED for one in yard.workload.history)

    assert in_yard(test) == ([], 1)


def test_the_deaf_are_killed_after_the_stop_grace() -> None:
    """SIGTERM, stop grace, SIGKILL."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> float:
        await yard.add()
        began_s = asyncio.get_running_loop().time()
        yard.fleet.stop()
        await yard.fleet.gone()
        return asyncio.get_running_loop().time() - began_s

    assert in_yard(test, Behaviour(ignores_term=True)) == SPEC.sleep.stop_grace_s


def test_a_retired_one_finishes_what_it_has() -> None:
    """G1: no new request, and its end when the last one has gone."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> list[Life]:
        await yard.add()
        (member,) = yard.fleet.members
        member.target.in_flight = 1
        yard.fleet.retire(member)
        assert (yard.fleet.targets, yard.shut, len(yard.fleet)) == ([], [member.target], 0)
        await asyncio.sleep(20)
        lives = yard.lives()
        member.target.in_flight = 0
        yard.fleet.ended(member.target)
        await asyncio.sleep(0.01)
        return lives + yard.lives()

    assert in_yard(test) == [Life.DRAINING, Life.STOPPING]


@pytest.mark.parametrize("is_patient", [True, False])
def test_a_stop_may_let_the_retired_finish(*, is_patient: bool) -> None:
    """A wake of their successor that fails must not cut their requests; the end of the gateway does."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> Life:
        await yard.add()
        (member,) = yard.fleet.members
        member.target.in_flight = 1
        yard.fleet.retire(member)
        yard.fleet.stop(is_patient=is_patient)
        return member.life

    assert in_yard(test) is (Life.DRAINING if is_patient else Life.STOPPING)


def test_a_retired_one_is_cut_after_the_drain_timeout() -> None:
    """A download of an hour does not keep it for an hour."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[list[Life], list[Life]]:
        await yard.add()
        (member,) = yard.fleet.members
        member.target.in_flight = 1
        yard.fleet.retire(member)
        await asyncio.sleep(SPEC.sleep.drain_timeout_s - 0.01)
        before = yard.lives()
        await asyncio.sleep(0.02)
        return before, yard.lives()

    assert in_yard(test) == ([Life.DRAINING], [Life.STOPPING])


@pytest.mark.parametrize("comes_back", [True, False])
def test_one_that_refuses_gets_nothing_until_it_answers_again(*, comes_back: bool) -> None:
    """A restart inside the replica is no reason to start another; a hanging one is."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[int, int, list[str]]:
        await yard.add()
        replica, target = yard.workload.replicas[0], yard.fleet.targets[0]
        replica._listens_s += 3 if comes_back else 3_000
        yard.fleet.doubt(target)
        yard.fleet.doubt(target)
        assert yard.fleet.targets == []
        await asyncio.sleep(DOUBT_S + 1)
        return len(yard.fleet.targets), len(yard.workload.alive), yard.lost

    lost = [] if comes_back else ["refused connections for 10 s"]
    assert in_yard(test) == (int(comes_back), int(comes_back), lost)


def test_a_doubted_one_that_is_stopped_stays_so() -> None:
    """It answers its probe until it is gone, and must neither be opened again nor called lost."""

    async def test(yard: Yard, tasks: asyncio.TaskGroup) -> tuple[int, list[str]]:
        await yard.add()
        yard.workload.replicas[0]._listens_s += 1
        yard.fleet.doubt(yard.fleet.targets[0])
        yard.fleet.stop()
        await asyncio.sleep(9)
        return yard.opened, yard.lost

    assert in_yard(test, Behaviour(stop_s=5)) == (1, [])


def test_where_only_one_can_run_the_bound_is_one() -> None:
    """A fixed port."""
    fleet = Yard().fleet
    assert fleet.replicas_max == 1
    fleet.workload.replicas_max = 1  # type: ignore[misc]  # the simulated one can be set
    assert fleet.replicas_max == 1

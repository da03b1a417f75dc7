"""The invariants of services that need each other, for many seeds: chains, shared needs, diamonds, and their faults.

`WAKEGATE_SEEDS` says how many seeds there are; it is also what to set to run one that failed: "4711:4712".
"""

import asyncio
import os
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import pytest
from tests.simulated.group import SHAPES, Group, Part, draw_spec
from tests.simulated.test_faults import keep, kill, mode, reload, retry, stop, wake
from tests.simulated.test_invariants import drained_s
from tests.simulated.world import SPEC, traffic

from wakegate.core.phase import Phase
from wakegate.local.sleep.tick import SAVE_INTERVAL_S
from wakegate.sim.clock import START_S, run
from wakegate.sim.invariants import (
    check_back_to_zero,
    check_endings,
    check_idle_stops,
    check_keeps,
    check_single_flight,
)
from wakegate.sim.workload import Behaviour

QUIET_S = 3_000.0  # longer than any of them takes to sleep and to be stopped after its pause
SILENT_S = 4_000.0  # then nothing may wake any more

Fault = Callable[[Group, Part, random.Random], Coroutine[Any, Any, None]]


def seeds() -> range:
    """Return the seeds to run: their count, or "first:end"."""
    first, _, end = os.environ.get("WAKEGATE_SEEDS", "100").rpartition(":")
    return range(int(first or 0), int(end))


async def crash(group: Group, part: Part, rng: random.Random) -> None:
    """The gateway is killed, and another starts."""
    await group.crash(down_s=rng.choice((0, rng.uniform(0, 20))))


async def relink(group: Group, part: Part, rng: random.Random) -> None:
    """What it needs has changed in the file."""
    needs = group.shape[part.name]
    group.reload(part, wakes=[name for name in needs if rng.random() < 0.6])


async def replaced(group: Group, part: Part, rng: random.Random) -> None:
    """Its command in the file has changed."""
    with part.by_hand():
        await reload(part, rng)


async def put_to_sleep(group: Group, part: Part, rng: random.Random) -> None:
    """Somebody types `wakegate sleep --force`."""
    with part.by_hand():
        await stop(part, rng)


def of_one(fault: Callable[[Part, random.Random], Coroutine[Any, Any, None]]) -> Fault:
    """Let what can happen to one service happen to one of a group."""

    async def happen(group: Group, part: Part, rng: random.Random) -> None:
        await fault(part, rng)

    return happen


FAULTS: dict[str, tuple[Fault, ...]] = {
    "nothing": (),
    "crashes": (crash,),
    "reloads": (relink, replaced, of_one(mode)),
    "people": (of_one(wake), put_to_sleep, of_one(keep), of_one(retry)),
    "deaths": (of_one(kill),),
    "everything": (
        *(crash, relink, replaced, put_to_sleep),
        *(of_one(wake), of_one(keep), of_one(retry), of_one(kill), of_one(mode)),
    ),
}


async def suffer(group: Group, rng: random.Random, faults: tuple[Fault, ...]) -> None:
    """Let faults happen for ever, one after the other, and rather to a service that wakes."""
    while faults:
        await asyncio.sleep(rng.choice((rng.uniform(0, 3), rng.uniform(0, 30), rng.uniform(0, 300))))
        if group.is_up:
            waking = [part for part in group.all if part.service.phase is Phase.WAKING]
            await rng.choice(faults)(group, rng.choice(waking or group.all), rng)


WELL = Behaviour(start_s=(0, 3), listen_s=(0.1, 2), stop_s=(0, 8), pause_s=(0, 1), resume_s=(0, 1))
OTHERS = (  # short, as each second that a start takes is ten attempts of its probe
    replace(WELL, stop_s=(0, 20), ignores_term=True),
    replace(WELL, listen_s=(4, 9)),
    replace(WELL, listen_s=inf, dies_after_s=(0.1, 3)),
    replace(WELL, listen_s=inf),
    replace(WELL, start_error="no such command"),
    replace(WELL, listen_s=1, dies_after_s=(1.5, 300)),
    replace(WELL, pause_s=(0, 20), resume_s=(0, 20)),
    replace(WELL, pause_error="its group may not be signalled"),
    replace(WELL, resume_error="the freezer is stuck"),
    replace(WELL, wakes_deaf=True),
)


def draw(rng: random.Random) -> Group:
    """Draw what there is, and how it behaves: some are well throughout, so that long chains come up too."""
    shape = SHAPES[rng.choice(tuple(SHAPES))]
    specs = {name: draw_spec(SPEC, rng) for name in shape}
    drawn = {name: [WELL] if rng.random() < 0.5 else rng.choices((WELL, *OTHERS), k=30) for name in shape}
    return Group(shape, specs, drawn)


async def live(group: Group, rng: random.Random, faults: tuple[Fault, ...]) -> float:
    """Let traffic and faults come and end, then wait until all must sleep; return when the last activity was."""
    async with group.running():
        async with asyncio.TaskGroup() as tasks:
            suffering = tasks.create_task(suffer(group, rng, faults))
            async with asyncio.TaskGroup() as visits:
                for part in group.all:
                    if not group.users(part.name) or rng.random() < 0.3:
                        gap_s = (0, rng.choice((5, 100, 400, 900)))
                        visits.create_task(traffic(part, rng=rng, bursts=rng.randrange(2, 7), gap_s=gap_s))
            suffering.cancel()
        if not group.is_up:
            await group.crash(down_s=0)
        last_s = max(group.clock.now_s(), *(ends_s(part) for part in group.all))
        await asyncio.sleep(last_s - group.clock.now_s() + QUIET_S)
        for part in group.all:
            service = part.service
            assert (service.phase, service.touch.in_flight, len(service.hold)) == (Phase.ASLEEP, 0, 0), part.name
            assert part.workload.alive == [], part.name
            assert service.fleet.members == (), part.name
        woken = [len(part.texts("woke")) for part in group.all]
        await asyncio.sleep(SILENT_S)
        assert woken == [len(part.texts("woke")) for part in group.all], "it woke without a cause"
    return last_s


def ends_s(part: Part) -> float:
    """Return when the last of its own reasons to be awake ends: a request, a keep, its schedule."""
    windows_s = (START_S + 60 * one.end_min for one in part.spec.awake)
    return max(part.service.touch.touched_s, part.up_since_s, part.kept_until_s, *windows_s)


@dataclass(kw_only=True)
class Lived:
    """A group whose time is over."""

    group: Group
    what: str
    last_s: float


def simulate(seed: int) -> Lived:
    """Let everything happen that a seed decides."""
    rng = random.Random(seed)
    what = rng.choice(tuple(FAULTS))
    groups: list[Group] = []

    async def main() -> float:
        groups.append(draw(rng))
        return await live(groups[0], rng, FAULTS[what])

    try:
        last_s = run(main(), seed=seed)
    except BaseException as error:
        error.add_note(f"{what}; {groups[0].watch.breaches}")
        raise
    return Lived(group=groups[0], what=what, last_s=last_s)


@pytest.mark.parametrize("seed", seeds())
def test_the_invariants_of_groups_hold(seed: int) -> None:
    """What is needed is awake before its users, and until nothing of them is left; and 1 to 4 hold for each."""
    lived = simulate(seed)
    group, last_s = lived.group, lived.last_s
    assert group.watch.breaches == [], f"{lived.what}: {group.watch.breaches}"
    for part in group.all:
        assert [notice.detail for notice in part.notices if notice.kind == "bug"] == []
        check_endings(part.visits)
        outs = [text.split(" ")[:3:2] for text in part.texts("scaled-out")]
        scaled_out = sum(int(after) - int(before) for before, after in outs)
        check_single_flight(part.workload.history, wakes=len(part.texts("woke")), per_wake=1, besides=scaled_out)
        check_idle_stops(part.spec, part.visits, drained_s(part))
        check_keeps(part.keeps, drained_s(part), forgotten_s=SAVE_INTERVAL_S if group.crashes else 0.0)
        # Its users may have been awake for longer than itself was used, and a wake may outlive its visitors.
        users_s = max((user.phase_s.get(Phase.ASLEEP, 0.0) for user in group.users(part.name)), default=0.0)
        ticks_s = 2 * SAVE_INTERVAL_S + part.spec.wake.timeout_s
        check_back_to_zero(part.spec, part.workload.history, last_s=max(last_s, users_s), ticks_s=ticks_s)


def test_a_seed_decides_everything() -> None:
    """A failure must be replayable."""

    def once() -> list[tuple[float, str, str]]:
        return [
            (notice.at.timestamp(), notice.service, notice.text)
            for part in simulate(7).group.all
            for notice in part.notices
        ]

    assert once() == once()

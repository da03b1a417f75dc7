"""The simulations: how many interleavings a core goes through in a second.

An interleaving is a request that the real code takes, in virtual time, at a moment that the seed has put between the
steps of everything else: other requests, wakes, drains, stops, crashes and lost calls. Counted in the worlds of the
tests, with all their checks, in processor time; the local gateway and the functions on AWS apart.
"""

import random
import time
from collections.abc import Callable
from statistics import median

from tests.simulated.aws.check import problems
from tests.simulated.aws.traffic import live as live_on_aws
from tests.simulated.test_invariants import behaviours, live
from tests.simulated.world import SPEC, World

from bench.options import Options
from bench.peers import BenchError
from bench.table import Goal, Row
from wakegate.sim.clock import run

PER_S_MIN = 500.0
SEEDS_A_ROUND = 20


def measure(options: Options, *, seeds: int = SEEDS_A_ROUND) -> list[Row]:
    """Go through as many seeds a round, other ones each time."""
    return [
        _row(substrate, once, rounds=options.rounds, seeds=seeds)
        for substrate, once in (("the local gateway", _local), ("the functions on AWS", _aws))
    ]


def _row(substrate: str, once: Callable[[int], int], *, rounds: int, seeds: int) -> Row:
    per_s, worlds_per_s = [], []
    for turn in range(rounds):
        began_s = time.process_time()
        count = sum(once(seed) for seed in range(turn * seeds, (turn + 1) * seeds))
        took_s = time.process_time() - began_s
        per_s.append(count / took_s)
        worlds_per_s.append(seeds / took_s)
    reached = median(per_s)
    goal = Goal(reached=f"{reached:,.0f}/s", wanted=f"≥ {PER_S_MIN:g}/s", met=reached >= PER_S_MIN)
    claim, samples = f"sim: interleavings per core-second, {substrate}", {"wakegate": per_s, "worlds": worlds_per_s}
    note = f"{sum(worlds_per_s) / rounds:.0f} worlds a second, each with its whole traffic"
    return Row(claim=claim, unit="/s", samples=samples, goals=(goal,), notes=(note,))


def _local(seed: int) -> int:
    """Return how many requests one world had."""
    rng = random.Random(seed)
    worlds: list[World] = []

    async def main() -> None:
        worlds.append(World(*behaviours(rng), spec=SPEC))
        await live(worlds[0], rng)

    run(main(), seed=seed)
    return len(worlds[0].visits)


def _aws(seed: int) -> int:
    world, traffic, is_faultless = live_on_aws(seed)
    if found := problems(world, traffic, is_faultless=is_faultless):
        raise BenchError(f"seed {seed}: {found[0]}")
    return len(world.runs)

"""The invariants of the design, for many seeds of the account: each another traffic, other faults, another order."""

import os

import pytest
from tests.simulated.aws.check import problems
from tests.simulated.aws.traffic import live

from wakegate.sim.cloud_ecs import Luck

SEEDS = int(os.environ.get("WAKEGATE_SEEDS", "150"))  # more of them find more


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_invariants_hold(seed: int) -> None:
    """All eight, with calls that are lost, invocations that die, tasks that crash, and an adversary at each step."""
    world, traffic, is_faultless = live(seed)
    found = problems(world, traffic, is_faultless=is_faultless)
    assert not found, "\n".join([f"seed {seed}", *found[:5], *world.log[-200:]])


@pytest.mark.parametrize("seed", range(20))
def test_where_nothing_fails_nobody_waits_longer_than_the_wake_timeout(seed: int) -> None:
    """Invariant 5, and 2 to the letter: one scale call a wake."""
    world, traffic, is_faultless = live(seed, faults=0.0, luck=Luck())
    assert not problems(world, traffic, is_faultless=is_faultless)
    assert is_faultless
    for client in traffic.clients:
        waited_s = client.ended_s - client.began_s - client.takes_s
        assert waited_s <= 180


def test_a_seed_decides_everything() -> None:
    """A failure must be replayable."""

    def once() -> tuple[list[str], list[float]]:
        world, traffic, _ = live(7)
        return world.log, [client.ended_s for client in traffic.clients]

    assert once() == once()

"""The hub of the simulated account: whose turn it is, which calls are lost, who dies."""

from functools import partial

import pytest

from wakegate.sim.cloud import Hub, Invocation


class LostError(Exception):
    """A call without an answer."""


def hub(seed: int = 0, **how: float) -> Hub:
    """Return a hub."""
    return Hub(seed, lost=LostError, **how)


def test_actors_take_turns_at_every_call() -> None:
    """What two of them read and write is interleaved: that is what the simulation is for."""
    world, steps = hub(), list[str]()

    def actor(name: str) -> None:
        for step in range(3):
            world.call("step", lambda: steps.append(f"{name}{step}"), takes_s=(1.0, 2.0))  # noqa: B023  called at once

    for name in "ab":
        world.spawn(partial(world.invoke, Invocation(name, end_s=100), partial(actor, name)))
    world.run(100)
    assert sorted(steps) == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert steps != sorted(steps)


@pytest.mark.parametrize(("kill_after", "effects"), [(False, 1), (True, 2)])
def test_an_invocation_dies_at_the_call_that_it_is_told(kill_after: bool, effects: int) -> None:
    """Before its effect, or right after it: nothing that catches exceptions, or cleans up, gets in between."""
    world, done = hub(), list[int]()

    def actor() -> None:
        for step in range(5):
            try:
                world.call("step", lambda: done.append(step), takes_s=(1.0, 1.0))  # noqa: B023  called at once
            except Exception:  # noqa: BLE001  as careless code would
                continue

    invocation = Invocation("a", end_s=100, kill_at=1, kill_after=kill_after)
    world.spawn(lambda: world.invoke(invocation, actor))
    world.run(100)
    assert len(done) == effects
    assert invocation.calls == ["step", "step"]


def test_the_dead_do_nothing_more() -> None:
    """A `finally` runs here, and would not run in a process that was killed."""
    world, done = hub(), list[str]()

    def actor() -> None:
        try:
            world.call("die", lambda: done.append("die"), takes_s=(1.0, 1.0))
        finally:
            world.call("clean up", lambda: done.append("clean up"), takes_s=(1.0, 1.0))

    invocation = Invocation("a", end_s=100, kill_at=0)
    world.spawn(lambda: world.invoke(invocation, actor))
    world.run(100)
    assert (done, invocation.calls) == ([], ["die"])


def test_an_invocation_dies_when_its_time_is_up() -> None:
    """Also in its sleep."""
    world, ends = hub(), list[float]()

    def actor() -> None:
        try:
            world.sleep(60)
        finally:
            ends.append(world.now_s)

    world.spawn(lambda: world.invoke(Invocation("a", end_s=10), actor))
    world.run(100)
    assert ends == [pytest.approx(10, abs=0.01)]


def test_a_lost_call_may_have_had_its_effect() -> None:
    """Both kinds come: nobody may conclude from a silence that nothing happened."""
    world, done, lost = hub(faults=0.3), list[int](), list[bool]()

    def actor() -> None:
        for step in range(200):
            before = len(done)
            try:
                world.call("step", lambda: done.append(step), takes_s=(0.1, 0.1))  # noqa: B023  called at once
            except LostError:
                lost.append(len(done) > before)

    while len(lost) < 20:
        world.spawn(lambda: world.invoke(Invocation("a", end_s=1e9), actor))
        world.run(world.now_s + 100)
    assert set(lost) == {True, False}


def test_a_seed_decides_the_order() -> None:
    """A failure must be replayable, and another seed must try something else."""

    def once(seed: int) -> list[str]:
        world, steps = hub(seed), list[str]()
        for name in "abcd":
            work = partial(world.call, "step", partial(steps.append, name), takes_s=(0.0, 1.0))
            world.spawn(partial(world.invoke, Invocation(name, end_s=100), work))
        world.run(100)
        return steps

    assert once(3) == once(3)
    assert len({tuple(once(seed)) for seed in range(10)}) > 3

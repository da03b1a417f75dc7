"""The simulated platform: tasks follow the desired count, late, and are seen later still."""

import pytest

from wakegate.sim.cloud import Hub, Invocation
from wakegate.sim.cloud_ecs import FOLLOW_S, STALE_S, Luck, SimFleet


class World:
    """A fleet, and what it complains of."""

    def __init__(self, luck: Luck = Luck(ready_s=(10.0, 10.0)), *, seed: int = 0) -> None:  # noqa: B008  a frozen value
        self.hub = Hub(seed, lost=RuntimeError)
        self.failures: list[str] = []
        self.fleet = SimFleet(self.hub, luck=luck, idle_timeout_s=300, failed=self.failures.append)

    def scale(self, desired: int) -> None:
        """Set the desired count, as an invocation."""
        self.hub.spawn(lambda: self.hub.invoke(Invocation("me", end_s=1e9), lambda: self.fleet.scale(desired)))
        self.hub.run(self.hub.now_s)


def test_tasks_follow_the_desired_count() -> None:
    """Some seconds later, and ready some time after that."""
    world = World()
    world.scale(2)
    assert world.fleet.tasks == {}
    world.hub.run(FOLLOW_S[1] * 2)
    assert len(world.fleet.tasks) == 2
    target = world.fleet.tasks[0].target
    assert not world.fleet.connects(target)
    world.hub.run(30)
    assert world.fleet.connects(target)
    world.scale(0)
    world.hub.run(60)
    assert world.fleet.tasks == {}


def test_a_decision_on_an_older_count_may_still_be_carried_out() -> None:
    """A task that was to be stopped may be stopped though it is wanted again: then another is started."""
    fates = set()
    for seed in range(20):
        world = World(seed=seed)
        world.scale(1)
        world.hub.run(30)
        world.scale(0)
        world.scale(1)
        world.hub.run(60)
        assert len(world.fleet.tasks) == 1
        fates.add(min(world.fleet.tasks))
    assert fates == {0, 1}


def test_a_read_may_be_old_and_never_shows_what_is_not_yet() -> None:
    """Two seconds, as is seen of ECS."""
    world, seen = World(), set[int]()
    world.scale(1)
    for _ in range(40):
        world.hub.run(world.hub.now_s + STALE_S / 40)
        seen.add(world.fleet.seen()[0])
    assert seen == {0, 1}
    world.hub.run(10)
    assert {world.fleet.seen()[0] for _ in range(20)} == {1}


def test_a_crash_is_seen_late_and_only_by_who_asks_for_its_time() -> None:
    """As ECS tells of tasks that have stopped."""
    world = World()
    world.scale(1)
    world.hub.run(FOLLOW_S[1] * 2)
    created_s = world.fleet.tasks[0].created_s
    world.fleet.crash(0)
    world.hub.run(world.hub.now_s + STALE_S)
    assert world.fleet.seen_crashes(created_s) == [(created_s, FOLLOW_S[1] * 2)]
    assert world.fleet.seen_crashes(created_s + 0.1) == []


def test_a_crashed_task_is_replaced() -> None:
    """By the scheduler, unasked."""
    world = World()
    world.scale(1)
    world.hub.run(30)
    world.fleet.crash(0)
    assert not world.fleet.connects("10.0.0.0:80")
    world.hub.run(60)
    assert min(world.fleet.tasks) == 1


@pytest.mark.parametrize("is_busy", [True, False])
def test_a_task_that_is_stopped_with_a_request_in_it_is_noticed(is_busy: bool) -> None:
    """Invariant 3."""
    world = World()
    world.scale(1)
    world.hub.run(30)
    world.fleet.enter(0)
    if not is_busy:
        assert world.fleet.leave(0)
    world.scale(0)
    world.hub.run(60)
    assert len(world.failures) == is_busy


def test_a_stop_too_soon_after_a_request_is_noticed() -> None:
    """Invariant 3 again: within the idle timeout."""
    world = World()
    world.scale(1)
    world.hub.run(30)
    world.fleet.enter(0)
    world.fleet.leave(0)
    world.hub.run(329)
    world.fleet.check_idle()
    assert len(world.failures) == 1
    world.hub.run(331)
    world.fleet.check_idle()
    assert len(world.failures) == 1

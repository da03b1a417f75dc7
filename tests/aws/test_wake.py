"""One wake, whoever makes it: begun once, watched by its owner, given up in time, handed on."""

from datetime import timedelta

import pytest
from tests.aws.actor import act
from tests.simulated.aws.world import SETTINGS, World

from wakegate.aws.record import Keeper
from wakegate.aws.wake import Waker
from wakegate.core.errors import ConflictError, WakeFailedError
from wakegate.core.phase import Event, Phase
from wakegate.core.record import ServiceRecord
from wakegate.sim.cloud_ecs import Luck

TIMEOUT_S = SETTINGS.spec.wake.timeout_s
READY = Luck(ready_s=(10.0, 10.0))


def waker(world: World, me: str = "me") -> Waker:
    """Return what an invocation of this name does."""
    keeper = Keeper(world.cloud, name="web")
    return Waker(world.cloud, world.settings, keeper=keeper, me=me, cause="GET /orders", agent="curl/8.5.0")


def begun(world: World, me: str = "me") -> ServiceRecord:
    """Let somebody begin a wake."""
    keeper = Keeper(world.cloud, name="web")
    return act(world, lambda: waker(world, me).advance(keeper.load()))


def reloaded(world: World) -> ServiceRecord:
    """Return the record as it is."""
    return act(world, Keeper(world.cloud, name="web").load)


def test_who_loses_the_race_calls_nothing() -> None:
    """One scale call, however many first requests."""
    world = World(0)
    asleep = reloaded(world)
    begun(world, "first")
    with pytest.raises(ConflictError):
        act(world, lambda: waker(world, "second").begin(asleep, Event.REQUEST_ARRIVED))
    assert [by for _, _, by in world.fleet.scales] == ["me"]
    assert reloaded(world).owner == "first"


def test_a_ready_replica_is_published_and_the_wake_remembered() -> None:
    """The next estimate comes from it."""
    world = World(0, luck=READY)
    record = begun(world)
    world.hub.run(20)
    awake = act(world, lambda: waker(world).watch(record))
    assert (awake.phase, awake.owner, awake.wake_by, len(awake.targets)) == (Phase.AWAKE, "", None, 1)
    (line,) = act(world, world.table.wakes)
    assert line.duration_s == pytest.approx(20.5, abs=1)
    assert (line.cause, line.agent, line.outcome) == ("GET /orders", "curl/8.5.0", "ready")


def test_a_task_from_before_the_wake_is_not_trusted_at_once() -> None:
    """A stop may still be at work on it: rule 6."""
    world = World(0, luck=READY)
    world.fleet.operator_scales(1)
    world.hub.run(30)
    record = begun(world)
    assert act(world, lambda: waker(world).watch(record)).phase is Phase.WAKING
    world.hub.run(30 + SETTINGS.trust_s + 2)
    assert act(world, lambda: waker(world).watch(record)).phase is Phase.AWAKE


def test_a_desired_count_of_zero_is_corrected_when_it_is_no_old_reading() -> None:
    """A late sleeper may have overtaken the wake; a reading that is younger proves nothing (rule 7)."""
    world = World(0)
    record = begun(world)
    world.fleet.operator_scales(0)
    world.hub.run(3)
    act(world, lambda: waker(world).watch(record))
    assert len(world.fleet.scales) == 1
    world.hub.run(SETTINGS.settle_s + 3)
    act(world, lambda: waker(world).watch(record))
    assert [desired for _, desired, _ in world.fleet.scales] == [1, 1]


def test_a_lease_is_renewed_before_it_runs_out() -> None:
    """Nobody takes over from an owner that is at work."""
    world = World(0)
    record = begun(world)
    world.hub.run(6)
    renewed = act(world, lambda: waker(world).watch(record))
    assert renewed.owner_until is not None
    assert renewed.owner_until > world.hub.now() + timedelta(seconds=SETTINGS.lease_s / 2)


def test_a_wake_whose_owner_is_gone_is_taken_over() -> None:
    """An invocation that dies leaves a lease, and nothing else."""
    world = World(0)
    record = begun(world, "gone")
    assert act(world, lambda: waker(world).advance(record)) == record
    world.hub.run(SETTINGS.lease_s + 1)
    assert act(world, lambda: waker(world).advance(record)).owner == "me"


def test_a_wake_that_is_never_ready_is_given_up_and_backs_off() -> None:
    """No minutes of Fargate for an image that cannot start; the reason says what was seen."""
    world = World(0, luck=Luck(never_ready=1.0))
    record, mine = begun(world), waker(world)
    world.hub.run(TIMEOUT_S - 5)
    record = act(world, lambda: mine.watch(record))
    world.hub.run(TIMEOUT_S + 1)
    asleep = act(world, lambda: mine.watch(record))
    assert (asleep.phase, world.fleet.desired) == (Phase.ASLEEP, 0)
    assert asleep.failure is not None
    assert asleep.failure.reason == "not ready after 3m: 1 task started, the probe never passed"
    with pytest.raises(WakeFailedError) as caught:
        act(world, lambda: waker(world, "next").advance(asleep))
    assert 0 < caught.value.retry_after_s <= SETTINGS.spec.wake.backoff_min_s
    assert len(world.fleet.scales) == 2


def crash_after(world: World, *seconds: float) -> None:
    """Let the newest task crash at each of these times from now."""
    for after_s in seconds:
        world.hub.at(after_s, lambda: world.fleet.crash(max(world.fleet.tasks)))


def watched(world: World, record: ServiceRecord, *, until_s: float) -> ServiceRecord:
    """Watch, as the owner does, each second, until the wake is over or the time is."""
    mine = waker(world)
    while record.phase is Phase.WAKING and world.hub.now_s < until_s:
        record = act(world, lambda: mine.watch(record))  # noqa: B023  called at once
        world.hub.run(world.hub.now_s + 1)
    return record


def test_a_task_that_crashes_once_is_waited_for() -> None:
    """The replacement answers: nobody hears of it."""
    world = World(0, luck=Luck(ready_s=(20.0, 20.0)))
    record = begun(world)
    crash_after(world, 12)
    awake = watched(world, record, until_s=60)
    assert awake.phase is Phase.AWAKE
    assert len(world.fleet.crashes) == 1


def test_tasks_that_keep_crashing_end_the_wake_early_with_what_ecs_says() -> None:
    """Not after three minutes of Fargate, in which everybody holds the line for an image that cannot start."""
    world = World(0, luck=Luck(never_ready=1.0))
    record = begun(world)
    crash_after(world, 12, 24)
    asleep = watched(world, record, until_s=TIMEOUT_S)
    assert asleep.failure is not None
    assert asleep.failure.reason == "2 tasks ended before they were ready, the newest: exit code 3"
    assert world.hub.now_s < 40
    assert (asleep.phase, world.fleet.desired) == (Phase.ASLEEP, 0)
    (line,) = act(world, world.table.wakes)
    assert (line.outcome, line.reason, line.cause) == ("failed", asleep.failure.reason, "GET /orders")


def test_a_crash_before_the_wake_is_none_of_its_own() -> None:
    """What ended in the life before says nothing about this one."""
    world = World(0, luck=Luck(never_ready=1.0))
    world.fleet.operator_scales(1)
    crash_after(world, 5, 15)
    world.hub.run(20)
    world.fleet.operator_scales(0)
    world.hub.run(40)
    record = watched(world, begun(world), until_s=100)
    assert (record.phase, len(world.fleet.crashes)) == (Phase.WAKING, 2)


def test_failures_in_a_row_wait_longer() -> None:
    """And a good wake forgets them."""
    world = World(0, luck=Luck(never_ready=1.0))
    for count in (1, 2):
        record, mine = begun(world), waker(world)
        world.hub.run(world.hub.now_s + TIMEOUT_S + 1)
        asleep = act(world, lambda: mine.watch(record))  # noqa: B023  called at once
        assert asleep.failure is not None
        assert asleep.failure.count == count
        world.hub.run(world.hub.now_s + 60)
    world.fleet.luck = READY
    record = begun(world)
    world.hub.run(world.hub.now_s + 20)
    assert act(world, lambda: waker(world).watch(record)).failure is None


def test_a_request_in_the_drain_cancels_the_sleep() -> None:
    """Nothing was stopped yet: no cold start, no call to ECS."""
    world = World(0, luck=READY)
    record = begun(world)
    world.hub.run(20)
    keeper = Keeper(world.cloud, name="web")
    draining = act(world, lambda: keeper.go(waker(world).watch(record), Event.IDLE_PASSED))
    awake = act(world, lambda: waker(world).advance(draining))
    assert (awake.phase, awake.targets) == (Phase.AWAKE, draining.targets)
    assert len(world.fleet.scales) == 1


def test_a_stop_whose_owner_is_gone_is_turned_into_a_wake_by_a_request() -> None:
    """A request waits for the stopper as long as that can act, and not longer."""
    world = World(0, luck=READY)
    record = begun(world)
    world.hub.run(20)
    keeper = Keeper(world.cloud, name="web")
    draining = act(world, lambda: keeper.go(waker(world).watch(record), Event.IDLE_PASSED))
    until = world.hub.now() + timedelta(seconds=SETTINGS.life_s)
    stopping = act(world, lambda: keeper.go(draining, Event.GRACE_PASSED, owner="gone", owner_until=until))
    assert act(world, lambda: waker(world).advance(stopping)) == stopping
    world.hub.run(world.hub.now_s + SETTINGS.life_s + 1)
    assert act(world, lambda: waker(world).advance(stopping)).phase is Phase.WAKING


def test_what_is_newer_than_now_stays_the_newest_activity() -> None:
    """The clock of an operator's laptop was ahead: the record never moves back."""
    world = World(0, luck=READY)
    keeper, mine, ahead = Keeper(world.cloud, name="web"), waker(world), world.hub.now() + timedelta(minutes=4)
    asleep = act(world, lambda: keeper.write(keeper.load(), last_active_at=ahead))
    waking = act(world, lambda: mine.begin(asleep, Event.REQUEST_ARRIVED))
    assert waking.last_active_at == ahead
    world.hub.run(20)
    awake = act(world, lambda: mine.watch(waking))
    draining = act(world, lambda: keeper.go(awake, Event.IDLE_PASSED))
    assert act(world, lambda: mine.advance(draining)).last_active_at == ahead


def test_a_wake_is_handed_on_only_by_its_owner() -> None:
    """Who leaves a wake that is not its own changes nothing."""
    world = World(0)
    record = begun(world, "other")
    act(world, lambda: waker(world).hand_on(record))
    assert reloaded(world).owner == "other"
    act(world, lambda: waker(world, "other").hand_on(record))
    assert reloaded(world).owner == ""

"""The tick: puts to sleep what nobody uses, adopts what somebody started, mends what an invocation has left."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.aws.actor import act, ask
from tests.simulated.aws.clients import make_event
from tests.simulated.aws.world import RULE, SAFETY_RULE, SETTINGS, Context, World

from wakegate.aws.cleanup import Cleanup
from wakegate.aws.record import Keeper
from wakegate.core.errors import ConflictError
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.sim.cloud_ecs import Luck
from wakegate.sim.cloud_table import SimTable

READY = Luck(ready_s=(10.0, 10.0))
IDLE_S = SETTINGS.spec.sleep.idle_timeout_s


def awake() -> World:
    """Return a world whose service is awake, and no schedule."""
    world = World(0, luck=READY)
    ask(world, make_event())
    return world


def tick(world: World, rule: str = RULE) -> list[str]:
    """Let one tick come and end; return what it called."""
    world.hub.spawn(lambda: world.tick(rule))
    world.hub.run(world.hub.now_s + 15)
    return world.ticks[-1].calls


def change(world: World, **changes: Any) -> None:
    """Write the record."""
    keeper = Keeper(world.cloud, name="web")
    act(world, lambda: keeper.write(keeper.load(), **changes))


class Hasty(SimTable):
    """Somebody else writes between a look at the record and what follows from it."""

    def save(self, record: ServiceRecord, *, expected_version: int) -> None:
        """Lose the race."""
        raise ConflictError("version 1 is not the newest any more")


def test_who_was_slower_has_nothing_to_do_and_no_error() -> None:
    """Many tasks end at once, each with an event: a traceback for each would look like trouble, and be retried."""
    world = awake()
    slower = World(0, table=Hasty)
    slower.table.record = world.table.record
    slower.hub.run(1000)
    cleanup = Cleanup(Context(slower.hub, "tick"), cloud=slower.cloud, settings=SETTINGS)
    did = act(slower, lambda: cleanup.tick({}))
    assert did == {"service": "web", "phase": "awake", "did": "somebody else was faster"}
    assert slower.fleet.scales == []


def test_an_idle_service_is_put_to_sleep_in_one_tick() -> None:
    """Drain, grace, stop; and the schedule goes off with the next."""
    world = awake()
    world.hub.run(IDLE_S + 20)
    tick(world)
    assert (world.phase(), world.fleet.desired, world.fleet.rule_is_on) == (Phase.ASLEEP, 0, True)
    tick(world)
    assert not world.fleet.rule_is_on


def test_a_service_in_use_is_left_alone() -> None:
    """A tick then reads, looks, and writes nothing."""
    world = awake()
    world.hub.run(60)
    assert tick(world) == ["table.load", "platform.look", "network.connects"]


def test_a_keep_holds() -> None:
    """Somebody asked for it."""
    world = awake()
    until = world.hub.now() + timedelta(seconds=2 * IDLE_S)
    act(world, lambda: world.table.keep(until, reason="demo"))
    world.hub.run(IDLE_S + 60)
    tick(world)
    assert world.phase() is Phase.AWAKE
    world.hub.run(2 * IDLE_S + 60)
    tick(world)
    assert world.phase() is Phase.ASLEEP


def test_a_tick_that_comes_twice_stops_once() -> None:
    """EventBridge delivers at least once."""
    world = awake()
    world.hub.run(IDLE_S + 20)
    for _ in range(3):
        world.hub.spawn(world.tick)
    world.hub.run(world.hub.now_s + 30)
    assert [desired for _, desired, _ in world.fleet.scales] == [1, 0]


def test_a_request_while_it_decides_wins() -> None:
    """The tick has read an idle record, the touch comes before it writes: the drain fails."""
    world = awake()
    world.hub.run(IDLE_S + 20)
    world.hub.spawn(world.tick)
    world.table.readers.append(lambda: act_touch(world))
    world.hub.run(world.hub.now_s + 20)
    assert world.phase() is Phase.AWAKE
    assert world.fleet.desired == 1


def act_touch(world: World) -> None:
    """Touch between the reading and the write of whoever is reading."""
    world.table.readers.clear()
    world.hub.sleep(0.0)
    world.table.touch(world.hub.now())


def test_a_scaled_out_task_becomes_a_target() -> None:
    """Auto Scaling adds tasks that no request knows of."""
    world = awake()
    world.fleet.operator_scales(3)
    world.hub.run(world.hub.now_s + 20)
    tick(world)
    assert world.table.record is not None
    assert len(world.table.record.targets) == 3


def test_a_crashed_task_is_dropped_when_ecs_tells_of_it() -> None:
    """By its event, and not by the requests that run into it; the last one, too: the next request wakes it."""
    world = awake()
    world.start_task_events()
    world.fleet.crash(0)
    world.hub.run(world.hub.now_s + 14)
    assert world.table.record is not None
    assert (world.table.record.phase, world.table.record.targets) == (Phase.AWAKE, ())
    assert ask(world, make_event())["statusCode"] == 200


def test_what_an_operator_has_started_is_adopted() -> None:
    """And put to sleep again when nobody uses it."""
    world = World(0, luck=READY)
    world.fleet.operator_scales(1)
    world.hub.run(20)
    tick(world, SAFETY_RULE)
    assert (world.phase(), world.fleet.rule_is_on) == (Phase.AWAKE, True)
    world.start_schedule()
    world.hub.run(800)
    assert (world.phase(), world.fleet.desired, world.fleet.rule_is_on) == (Phase.ASLEEP, 0, False)


def test_what_an_operator_has_started_gets_the_time_that_a_wake_has() -> None:
    """It is not stopped because it is not ready yet, and not left to run if it never is."""
    world = World(0, luck=Luck(never_ready=1.0))
    world.start_schedule()
    world.fleet.operator_scales(1)
    world.hub.run(20)
    tick(world, SAFETY_RULE)
    assert (world.phase(), world.fleet.desired) == (Phase.WAKING, 1)
    world.hub.run(20 + SETTINGS.spec.wake.timeout_s + 3 * 60)
    assert (world.phase(), world.fleet.desired) == (Phase.ASLEEP, 0)


def test_a_wake_that_nobody_owns_is_watched() -> None:
    """Its client has gone, and the app is ready: it is published, and put to sleep in its time."""
    world = World(0, luck=READY)
    ask(world, make_event(is_page=True))
    world.hub.run(30)
    tick(world)
    assert world.phase() is Phase.AWAKE


def test_a_stop_whose_owner_is_gone_is_ended() -> None:
    """It died between the record and the scale call."""
    world = awake()
    change(world, phase=Phase.STOPPING, owner="gone", owner_until=world.hub.now() + timedelta(seconds=60))
    assert tick(world) == ["table.load"]
    world.hub.run(world.hub.now_s + 60)
    tick(world)
    assert (world.phase(), world.fleet.desired) == (Phase.ASLEEP, 0)


@pytest.mark.parametrize("rule", [SAFETY_RULE, "container-cleanup-tasks"])
def test_a_schedule_that_is_off_while_it_is_awake_is_turned_on(rule: str) -> None:
    """The invocation that should have done it died."""
    world = awake()
    world.fleet.set_rule(enabled=False)
    tick(world, rule)
    assert world.fleet.rule_is_on


def test_asleep_the_hourly_tick_makes_two_reads() -> None:
    """The floor of what sleeping costs."""
    world = awake()
    world.hub.run(IDLE_S + 20)
    tick(world)
    world.hub.run(world.hub.now_s + 60)
    assert tick(world, SAFETY_RULE) == ["table.load", "platform.look"]


def woken(world: World) -> None:
    """Let somebody wake it at this very moment, all at once."""
    record = world.table.record
    assert record is not None
    lease = world.hub.now() + timedelta(seconds=10)
    wake_by = world.hub.now() + timedelta(seconds=180)
    world.table.record = replace(
        record, version=record.version + 1, phase=Phase.WAKING, owner="somebody", owner_until=lease, wake_by=wake_by
    )
    world.fleet.set_rule(enabled=True)
    world.fleet.operator_scales(1)


@pytest.mark.parametrize("load", [1, 2, 3])
def test_a_tick_that_is_overtaken_by_a_wake_leaves_it_alone(load: int) -> None:
    """After its first look at the record, its second, and between turning the schedule off and looking again."""
    world = awake()
    world.hub.run(IDLE_S + 20)
    tick(world)
    world.hub.run(world.hub.now_s + 10)
    loads = []

    def hear() -> None:
        loads.append(world.hub.who())
        if len(loads) == load:
            woken(world)

    if load < 3:
        world.table.readers.append(hear)
    else:
        world.fleet.off.append(lambda: woken(world))
    calls = tick(world)
    assert ("platform.set_rule(False)" in calls) is (load > 1)
    assert world.table.record is not None
    assert (world.table.record.phase, world.table.record.owner) == (Phase.WAKING, "somebody")
    assert (world.fleet.desired, world.fleet.rule_is_on) == (1, True)

"""The record: compare-and-swap, and phases only by the table."""

import pytest
from tests.aws.actor import act
from tests.simulated.aws.world import World

from wakegate.aws.change import read_change
from wakegate.aws.record import NEVER, Keeper, is_routable
from wakegate.core.errors import ConflictError
from wakegate.core.phase import Event, Phase
from wakegate.core.record import Woken


def test_a_service_never_seen_is_asleep_since_ever() -> None:
    """The first request finds no item, and what runs already may be adopted at once."""
    world = World(0)
    record = act(world, Keeper(world.cloud, name="web").load)
    assert (record.phase, record.version, record.since) == (Phase.ASLEEP, 0, NEVER)


def test_of_two_who_decided_on_the_same_reading_one_writes() -> None:
    """Everything else rests on this."""
    world = World(0)
    keeper = Keeper(world.cloud, name="web")
    record = act(world, keeper.load)
    act(world, lambda: keeper.go(record, Event.REQUEST_ARRIVED, owner="a"))
    with pytest.raises(ConflictError):
        act(world, lambda: keeper.go(record, Event.REQUEST_ARRIVED, owner="b"))
    assert act(world, keeper.load).owner == "a"


def test_a_phase_change_that_is_no_row_of_the_table_is_a_bug() -> None:
    """Also where it would work."""
    world = World(0)
    keeper = Keeper(world.cloud, name="web")
    with pytest.raises(AssertionError, match="no row"):
        act(world, lambda: keeper.go(keeper.load(), Event.GRACE_PASSED))


def test_a_change_of_phase_is_logged_after_it_was_written_and_another_write_is_not() -> None:
    """A log that tells of a change which somebody else's write prevented would be worse than none."""
    world = World(0)
    keeper = Keeper(world.cloud, name="web")
    asleep = act(world, keeper.load)
    began_at = world.hub.now()
    woken = Woken(cause="GET /", at=began_at)
    waking = act(world, lambda: keeper.go(asleep, Event.REQUEST_ARRIVED, since=NEVER, woken=woken, reason="GET /"))
    world.hub.run(world.hub.now_s + 30)
    act(world, lambda: keeper.write(waking, owner="b"))
    with pytest.raises(ConflictError):
        act(world, lambda: keeper.go(waking, Event.REPLICA_READY))
    lines = [read_change(line) for line in world.lines]
    assert [(one.to, one.reason, one.version) for one in lines if one] == [(Phase.WAKING, "GET /", 1)]
    act(world, lambda: keeper.go(keeper.load(), Event.REPLICA_READY))
    last = read_change(world.lines[-1])
    assert last is not None
    assert last.duration_s == pytest.approx(31, abs=1), "while waking, `since` is not when it began"


def test_only_an_awake_service_with_targets_is_routable() -> None:
    """A drain still has targets, and must not get requests that cancel nothing."""
    world = World(0)
    keeper = Keeper(world.cloud, name="web")
    asleep = act(world, keeper.load)
    awake = act(world, lambda: keeper.go(asleep, Event.REPLICAS_SEEN, targets=("10.0.0.1:80",)))
    draining = act(world, lambda: keeper.go(awake, Event.IDLE_PASSED))
    assert [is_routable(record) for record in (asleep, awake, draining)] == [False, True, False]

"""What an environment remembers, and for how long."""

from datetime import timedelta

from wakegate.aws.instance import Instance
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.sim.clock import STARTED_AT as NOW

RECORD = ServiceRecord(
    name="web", version=1, phase=Phase.AWAKE, since=NOW, last_active_at=NOW, targets=("10.0.0.1:80",)
)


def seconds(count: float) -> timedelta:
    """Return a duration."""
    return timedelta(seconds=count)


def test_a_route_is_used_until_its_time_is_up() -> None:
    """Counted from before the read: a slow one must not lengthen it."""
    instance = Instance()
    assert instance.route(NOW) is None
    instance.learn(RECORD, read_at=NOW, ttl_s=5)
    assert instance.route(NOW + seconds(4.9)) is RECORD
    assert instance.route(NOW + seconds(5)) is None


def test_a_route_that_is_forgotten_is_gone_at_once() -> None:
    """Its targets refuse, or its phase is over."""
    instance = Instance()
    instance.learn(RECORD, read_at=NOW, ttl_s=5)
    instance.forget()
    assert instance.route(NOW) is None


def test_a_touch_of_somebody_else_stands_for_ours_as_long_as_it_is_recent() -> None:
    """The record says when it was touched; an older one than ours says nothing."""
    instance = Instance()
    instance.learn(RECORD, read_at=NOW + seconds(9), ttl_s=5)
    assert instance.may_skip_touch(NOW + seconds(10), coalesce_s=10)
    assert not instance.may_skip_touch(NOW + seconds(10.1), coalesce_s=10)
    instance.touched_at = NOW + seconds(3)
    instance.learn(RECORD, read_at=NOW + seconds(9), ttl_s=5)
    assert instance.touched_at == NOW + seconds(3)


def test_a_touch_stands_for_those_that_follow_it_soon() -> None:
    """One write in the interval, and none that is skipped where it is not known whether the last one was written."""
    instance = Instance()
    assert not instance.may_skip_touch(NOW, coalesce_s=10)
    instance.touched_at = NOW
    assert instance.may_skip_touch(NOW + seconds(10), coalesce_s=10)
    assert not instance.may_skip_touch(NOW + seconds(10.1), coalesce_s=10)

"""An operator's wake: the protocol of a request, with nobody waiting for an answer."""

import pytest
from tests.account.account import Account
from tests.aws.operate.conftest import Meanwhile

from wakegate.aws.operate.remote import Remote
from wakegate.aws.operate.sleep import sleep
from wakegate.aws.operate.stack import Stack
from wakegate.aws.operate.wake import wake
from wakegate.core.errors import WakegateError
from wakegate.core.phase import Event, Phase


def test_it_ends_awake_with_one_scale_call_and_the_schedule_on(deployed: Account, stack: Stack) -> None:
    """What an operator wakes must be put to sleep like everything else."""
    remote = Remote(stack)
    before = len([call for call in deployed.calls if call.name == "ecs:UpdateService"])
    assert wake(remote)
    record = remote.keeper.load()
    assert record.phase is Phase.AWAKE
    assert record.targets
    scaled = [call for call in deployed.calls if call.name == "ecs:UpdateService"][before:]
    assert len(scaled) == 1
    rule = deployed.client("events").describe_rule(Name=stack.output("CleanupRule"))
    assert rule["State"] == "ENABLED"


def test_one_that_is_awake_is_left_alone(stack: Stack) -> None:
    """A script may say it twice."""
    remote = Remote(stack)
    wake(remote)
    version = remote.keeper.load().version
    assert not wake(remote)
    assert remote.keeper.load().version == version


class Broken(Remote):
    """A service whose functions find that it cannot be woken."""

    def tick(self) -> bool:
        """Give the wake up, as a function does when its time is over."""
        record = self.waker.watch(self.waker.take_over(self.keeper.load()))
        self.waker.abandon(record, reason="not ready after 3m: its task ended before it was ready: exit code 3")
        return True


def test_a_failed_wake_is_an_error_with_its_reason_and_is_tried_again_at_once(stack: Stack) -> None:
    """Whoever has mended the image does not wait for a backoff that protects visitors; nor for an answer for ever."""
    remote = Broken(stack)
    sleep(remote, force=True)
    for count in (1, 2):
        with pytest.raises(WakegateError, match=r"my-scaling-service: not ready after 3m.*wakegate doctor shop"):
            wake(remote)
        record = remote.keeper.load()
        assert record.phase is Phase.ASLEEP
        assert record.failure is not None
        assert record.failure.count == count
    assert stack.describe_service()["desiredCount"] == 0


def test_a_stop_under_way_is_waited_for(stack: Stack) -> None:
    """What somebody else stops just now is woken after it has stopped, and not against it."""
    remote, other = Remote(stack), Remote(stack)
    wake(remote)
    record = remote.keeper.go(remote.keeper.load(), Event.SLEEP_ASKED)
    until = remote.waker.lease(30)
    record = remote.keeper.go(record, Event.GRACE_PASSED, targets=(), owner=other.me, owner_until=until)
    remote.clock = Meanwhile(lambda: other.waker.stop(record))
    assert wake(remote)
    assert remote.keeper.load().phase is Phase.AWAKE

"""An operator's sleep: drained like any other, cancelled by a request, unless it is forced."""

from datetime import timedelta

import pytest
from tests.account.account import Account
from tests.aws.operate.conftest import Meanwhile, visit

from wakegate.aws.operate.keep import keep
from wakegate.aws.operate.remote import Remote
from wakegate.aws.operate.sleep import sleep
from wakegate.aws.operate.stack import Stack
from wakegate.core.errors import WakegateError
from wakegate.core.phase import Phase


def test_it_drains_and_ends_asleep_without_tasks(deployed: Account, stack: Stack) -> None:
    """It goes the way of every sleep: nothing is stopped under a request that the record does not know yet."""
    assert visit(deployed) == 200
    remote = Remote(stack)
    sleep(remote)
    assert remote.keeper.load().phase is Phase.ASLEEP
    assert stack.describe_service()["desiredCount"] == 0
    sleep(remote)


def test_it_ends_a_keep(deployed: Account, stack: Stack) -> None:
    """Who says "sleep now" means now, and not after the keep of this morning."""
    assert visit(deployed) == 200
    remote = Remote(stack)
    keep(remote, 3600, reason="demo")
    sleep(remote, force=True)
    record = remote.keeper.load()
    assert (record.phase, record.keep_until, record.keep_reason) == (Phase.ASLEEP, None, "")


def test_a_request_during_the_drain_cancels_it(deployed: Account, stack: Stack) -> None:
    """A visitor must not pay for the operator's hurry; who means it has --force."""
    assert visit(deployed) == 200
    remote = Remote(stack)
    touch = Meanwhile(lambda: remote.table.touch(remote.clock.now() + timedelta(seconds=1)))
    with pytest.raises(WakegateError, match="a request came while it was draining; with --force it is cut"):
        sleep(Remote(stack, clock=touch))
    assert remote.keeper.load().phase is Phase.AWAKE
    sleep(remote, force=True)
    assert remote.keeper.load().phase is Phase.ASLEEP


def test_a_wake_under_way_is_given_up(deployed: Account, stack: Stack) -> None:
    """Nobody has to wait for a broken image until the wake timeout."""
    remote = Remote(stack)
    sleep(remote, force=True)
    remote.waker.advance(remote.keeper.load())
    assert remote.keeper.load().phase is Phase.WAKING
    sleep(remote)
    assert remote.keeper.load().phase is Phase.ASLEEP
    assert stack.describe_service()["desiredCount"] == 0
    assert deployed.denied == []

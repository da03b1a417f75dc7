"""The record, compared with what ECS runs."""

from datetime import timedelta
from typing import Any

from tests.account.account import Account
from tests.aws.operate.conftest import visit

from wakegate.aws.operate.check import Check, Verdict
from wakegate.aws.operate.checks.record import check_record
from wakegate.aws.operate.remote import Remote
from wakegate.aws.operate.sleep import sleep
from wakegate.aws.operate.stack import Stack
from wakegate.core.phase import Phase
from wakegate.core.record import Failure


def seen(stack: Stack, phase: Phase, *, age_s: float = 1000.0, **changes: Any) -> Check:
    """Write a record of this age and return what is said of it."""
    remote = Remote(stack)
    now = remote.clock.now()
    remote.keeper.write(remote.keeper.load(), phase=phase, since=now - timedelta(seconds=age_s), **changes)
    (found,) = check_record(stack)
    return found


def test_nobody_has_come_yet_and_somebody_has(deployed: Account, stack: Stack) -> None:
    """Neither is anything to look at."""
    assert check_record(stack)[0].saw == "nobody has come yet; 0 of 0 tasks run"
    assert visit(deployed) == 200
    (found,) = check_record(stack)
    assert (found.verdict, found.saw) == (Verdict.OK, "awake; 1 of 1 tasks run")
    sleep(Remote(stack), force=True)


def test_what_differs_for_long_is_seen_and_what_differs_for_a_moment_is_not(stack: Stack) -> None:
    """The functions mend it by themselves, within two looks."""
    for phase in (Phase.AWAKE, Phase.DRAINING, Phase.STOPPING):
        assert seen(stack, phase, age_s=5.0).verdict is Verdict.OK
    assert seen(stack, Phase.AWAKE).verdict is Verdict.WARN
    assert seen(stack, Phase.DRAINING).verdict is Verdict.FAIL
    stuck = seen(stack, Phase.STOPPING)
    assert (stuck.verdict, stuck.mend) == (Verdict.FAIL, "wakegate sleep --aws shop")


def test_a_wake_that_nobody_ends_is_a_failure(stack: Stack) -> None:
    """Neither function looks any more: the schedule is off, or may not call."""
    now = Remote(stack).clock.now()
    assert seen(stack, Phase.WAKING, wake_by=now + timedelta(seconds=9)).verdict is Verdict.OK
    found = seen(stack, Phase.WAKING, wake_by=now - timedelta(minutes=10))
    assert (found.verdict, "given up 10m" in found.saw) == (Verdict.FAIL, True)


def test_tasks_that_run_while_it_sleeps_cost_and_are_seen(deployed: Account, stack: Stack) -> None:
    """Somebody has scaled it by hand, an hour before the safety net looks."""
    assert seen(stack, Phase.ASLEEP, wake_by=None).verdict is Verdict.OK
    deployed.fargate.start_delay_s = 60.0  # once it runs, the cleanup hears of it and adopts it
    deployed.client("ecs").update_service(cluster=stack.cluster, service=stack.service, desiredCount=1)
    found = seen(stack, Phase.ASLEEP)
    assert (found.verdict, "until then they cost" in found.saw) == (Verdict.WARN, True)
    deployed.client("ecs").update_service(cluster=stack.cluster, service=stack.service, desiredCount=0)
    deployed.fargate.start_delay_s = 0.0


def test_the_last_failure_is_shown(stack: Stack) -> None:
    """It is the first thing that one wants to know of a service that does not answer."""
    failure = Failure(reason="not ready after 3m", count=2, at=Remote(stack).clock.now())
    found = seen(stack, Phase.ASLEEP, failure=failure)
    assert (found.verdict, found.saw) == (Verdict.WARN, "asleep; the last 2 wakes failed: not ready after 3m")

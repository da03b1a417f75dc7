"""Scaling: registered from zero, with a policy."""

from typing import Any

from tests.account.account import Account

from wakegate.aws.operate.check import Verdict
from wakegate.aws.operate.checks.scaling import DIMENSION, check_scaling
from wakegate.aws.operate.stack import Stack

WHERE = {"ServiceNamespace": "ecs", "ScalableDimension": DIMENSION}


def register(account: Account, stack: Stack, **changes: Any) -> None:
    """Register the service anew."""
    resource = f"service/{stack.cluster}/{stack.service}"
    given = {**WHERE, "ResourceId": resource, "MinCapacity": 0, "MaxCapacity": 3} | changes
    account.client("application-autoscaling").register_scalable_target(**given)


def test_it_is_in_order_as_deployed(stack: Stack) -> None:
    """From zero to as many as the template says."""
    (found,) = check_scaling(stack)
    assert (found.verdict, found.saw) == (Verdict.OK, "0 to 3 tasks, by cpu-target")


def test_a_minimum_above_zero_is_a_failure(deployed: Account, stack: Stack) -> None:
    """Auto Scaling would start a task whenever the service has gone to sleep: it never costs nothing."""
    register(deployed, stack, MinCapacity=1)
    (found,) = check_scaling(stack)
    register(deployed, stack)
    assert (found.verdict, "may not go below 1" in found.saw) == (Verdict.FAIL, True)
    assert "--min-capacity 0 --max-capacity 3" in found.mend


def test_what_is_suspended_is_seen(deployed: Account, stack: Stack) -> None:
    """Switched off for an afternoon, a year ago."""
    names = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    register(deployed, stack, SuspendedState=dict.fromkeys(names, False) | {names[1]: True})
    (found,) = check_scaling(stack)
    register(deployed, stack, SuspendedState=dict.fromkeys(names, False))
    assert (found.verdict, names[1] in found.saw, names[0] in found.saw) == (Verdict.WARN, True, False)


def test_without_a_policy_it_stays_at_one(deployed: Account, stack: Stack) -> None:
    """It works until there is load."""
    scaling = deployed.client("application-autoscaling")
    resource = f"service/{stack.cluster}/{stack.service}"
    scaling.delete_scaling_policy(**WHERE, ResourceId=resource, PolicyName="cpu-target")
    (found,) = check_scaling(stack)
    assert found.verdict is Verdict.WARN
    assert "no policy says when" in found.saw


def test_what_is_not_registered_is_a_failure(deployed: Account, stack: Stack) -> None:
    """The command that registers it is the guide's own."""
    scaling = deployed.client("application-autoscaling")
    scaling.deregister_scalable_target(**WHERE, ResourceId=f"service/{stack.cluster}/{stack.service}")
    (found,) = check_scaling(stack)
    assert found.verdict is Verdict.FAIL
    assert found.mend.startswith("aws application-autoscaling register-scalable-target --service-namespace ecs ")

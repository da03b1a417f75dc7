"""What became of the newest tasks, in ECS's words and in ours."""

import pytest
from tests.account.account import Account
from tests.account.sample.made import until
from tests.aws.operate.conftest import visit

from wakegate.aws.operate.check import Check, Verdict
from wakegate.aws.operate.checks.tasks import check_tasks
from wakegate.aws.operate.remote import Remote
from wakegate.aws.operate.sleep import sleep
from wakegate.aws.operate.stack import Stack
from wakegate.core.phase import Event


def checked(stack: Stack, mark: str) -> Check:
    """Return the check once it shows this."""
    found: list[Check] = []

    def shows() -> bool:
        found[:] = check_tasks(stack)
        return mark in found[0].saw

    until(shows)
    return found[0]


def test_tasks_that_were_scaled_in_are_no_trouble(deployed: Account, stack: Stack) -> None:
    """A service that sleeps has stopped tasks all the time."""
    assert visit(deployed) == 200
    sleep(Remote(stack), force=True)
    assert checked(stack, "0 running").verdict is Verdict.OK


def test_an_app_that_has_ended_by_itself_is_named_with_its_exit_code(deployed: Account, stack: Stack) -> None:
    """The most common of all: and if another runs since, it is something to look at, not an alarm."""
    assert visit(deployed) == 200
    (task,) = deployed.fargate.running(stack.service)
    deployed.crash(task)
    assert "the app has ended by itself" in checked(stack, "1 task ended badly").saw
    assert checked(stack, "since then another has started").verdict is Verdict.WARN
    sleep(Remote(stack), force=True)


@pytest.mark.parametrize("by", ["image", "role"])
def test_a_task_that_cannot_start_is_a_failure_with_the_cause(deployed: Account, stack: Stack, by: str) -> None:
    """The guide's own list: the image cannot be pulled; the execution role may not."""
    images = deployed.fargate.images
    iam = deployed.client("iam")
    name = "ECSTaskExecutionRole"
    policy = deployed.moto.iam.roles
    remote = Remote(stack)
    role = next(one for one in policy.values() if one.name == name)
    kept = dict(role.policies)
    if by == "image":
        deployed.fargate.images = {}
    else:
        iam.delete_role_policy(RoleName=name, PolicyName="start-a-task")
    try:
        remote.waker.begin(remote.keeper.load(), Event.REQUEST_ARRIVED, is_forced=True)
        mark = "the image could not be pulled" if by == "image" else "could not be reached or was refused"
        found = checked(stack, mark)
        assert found.verdict is Verdict.FAIL
        assert ("CannotPullContainerError" if by == "image" else "ecr:GetAuthorizationToken") in found.saw
    finally:
        deployed.fargate.images = images
        role.policies.update(kept)
        sleep(remote, force=True)

"""Roles: each call that is made in their name, against their own documents."""

import json

import pytest
from tests.account.account import Account
from tests.account.sample.made import policy

from wakegate.aws.operate.check import Check, Verdict
from wakegate.aws.operate.checks.roles import check_roles
from wakegate.aws.operate.stack import Stack

ROLES = {
    "startup role": "LambdaStartupRole",
    "cleanup role": "LambdaCleanupRole",
    "execution role": "ECSTaskExecutionRole",
}
OWN = {"startup role": "serve-requests", "cleanup role": "put-to-sleep", "execution role": "start-a-task"}
SIDS = [
    ("startup role", "Record"), ("startup role", "Scale"), ("startup role", "FindTasks"), ("startup role", "ReadTasks"),
    ("startup role", "FindAddresses"), ("startup role", "Arm"), ("startup role", "WriteLog"), ("cleanup role", "Arm"),
    ("cleanup role", "Record"), ("execution role", "LogIn"), ("execution role", "Pull"), ("execution role", "WriteLog"),
]  # fmt: skip


def check_of(stack: Stack, name: str) -> Check:
    """Return one of the checks."""
    return next(check for check in check_roles(stack) if check.name == name)


def test_all_three_are_in_order_as_deployed(stack: Stack) -> None:
    """The template's policies allow what the handlers do: by their own words, conditions included."""
    assert {check.name: check.verdict for check in check_roles(stack)} == dict.fromkeys(ROLES, Verdict.OK)


@pytest.mark.parametrize(("name", "sid"), SIDS)
def test_a_statement_that_is_missing_is_missed(deployed: Account, stack: Stack, name: str, sid: str) -> None:
    """Somebody has tightened a role: the actions that it needs and has not are named, so that nobody has to guess."""
    iam, role, own = deployed.client("iam"), ROLES[name], OWN[name]
    document = iam.get_role_policy(RoleName=role, PolicyName=own)["PolicyDocument"]
    dropped = next(one for one in document["Statement"] if one["Sid"] == sid)
    rest = [one for one in document["Statement"] if one["Sid"] != sid]
    iam.put_role_policy(RoleName=role, PolicyName=own, PolicyDocument=policy(rest))
    found = check_of(stack, name)
    iam.put_role_policy(RoleName=role, PolicyName=own, PolicyDocument=json.dumps(document))
    actions = dropped["Action"] if isinstance(dropped["Action"], list) else [dropped["Action"]]
    assert found.verdict is Verdict.FAIL
    assert found.saw.startswith(f"{role} may not ")
    assert any(action in found.saw for action in actions)
    assert check_of(stack, name).verdict is Verdict.OK


def test_a_managed_policy_counts_and_a_denial_counts_more(deployed: Account, stack: Stack) -> None:
    """Accounts have boundaries of their own; what one policy allows, another takes away."""
    iam = deployed.client("iam")
    denial = [{"Effect": "Deny", "Action": "ecs:Update*", "Resource": "*"}]
    arn = iam.create_policy(PolicyName="no-updates", PolicyDocument=policy(denial))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="LambdaStartupRole", PolicyArn=arn)
    found = check_of(stack, "startup role")
    assert (found.verdict, found.saw) == (Verdict.FAIL, "LambdaStartupRole may not ecs:UpdateService")
    iam.detach_role_policy(RoleName="LambdaStartupRole", PolicyArn=arn)


def test_a_role_that_trusts_somebody_else_is_a_failure(deployed: Account, stack: Stack) -> None:
    """Lambda cannot act as it, whatever it is allowed."""
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    deployed.client("iam").update_assume_role_policy(RoleName="LambdaCleanupRole", PolicyDocument=policy([trust]))
    found = check_of(stack, "cleanup role")
    assert (found.verdict, found.saw) == (Verdict.FAIL, "LambdaCleanupRole does not trust lambda.amazonaws.com")


def test_a_role_that_is_gone_is_a_failure(deployed: Account, stack: Stack) -> None:
    """Deleted by hand, with a stack that still says CREATE_COMPLETE."""
    iam = deployed.client("iam")
    iam.delete_role_policy(RoleName="ECSTaskExecutionRole", PolicyName="start-a-task")
    iam.delete_role(RoleName="ECSTaskExecutionRole")
    found = check_of(stack, "execution role")
    assert (found.verdict, found.saw) == (Verdict.FAIL, "there is no role ECSTaskExecutionRole")

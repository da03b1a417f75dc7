"""IAM: who may do what, and how a refusal is written."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.account.account import Account
from tests.account.iam import SECRET, allows
from tests.account.sample import made

CLUSTER = "arn:aws:ecs:eu-central-1:123456789012:cluster/c"


def statement(effect: str = "Allow", **parts: Any) -> dict[str, Any]:
    """Return a statement that allows everything but for these parts."""
    return {"Effect": effect, "Action": "*", "Resource": "*", **parts}


@pytest.mark.parametrize(
    ("statements", "is_allowed"),
    [
        ([], False),
        ([statement()], True),
        ([statement(Action="ecs:Update*", Resource=["arn:other", "arn:aws:ecs:*:service/c/*"])], True),
        ([statement(Action="ECS:updateservice")], True),
        ([statement(Action="ecs:UpdateService", Resource="arn:aws:ecs:x:service/c/other")], False),
        ([statement(Action="ecs:DeleteService")], False),
        ([statement(), statement("Deny", Action="ecs:Update*")], False),
        ([{"Effect": "Allow", "NotAction": "ecs:*", "Resource": "*"}], False),
        ([statement(Condition={"ArnEquals": {"ecs:cluster": CLUSTER}})], True),
        ([statement(Condition={"ArnEquals": {"ecs:cluster": CLUSTER + "2"}})], False),
        ([statement(Condition={"StringLike": {"ECS:Cluster": "*/c"}})], True),
        ([statement(Condition={"StringEquals": {"aws:unknown": "x"}})], False),
        ([statement(Condition={"StringEqualsIfExists": {"aws:unknown": "x"}})], True),
    ],
)
def test_a_call_is_allowed_by_action_resource_and_condition(statements: list[dict[str, Any]], is_allowed: bool) -> None:
    """moto's own enforcement looks at the action only: a policy with a wrong resource would pass."""
    context = {"ecs:cluster": [CLUSTER]}
    assert allows(statements, "ecs:UpdateService", "arn:aws:ecs:x:service/c/s", context) is is_allowed


def test_a_condition_that_is_not_emulated_is_an_error_not_an_answer() -> None:
    """A policy that is judged by half proves nothing."""
    with pytest.raises(NotImplementedError, match="IpAddress"):
        allows([statement(Condition={"IpAddress": {"aws:SourceIp": "x"}})], "a:B", "*", {})


@pytest.mark.parametrize(
    ("service", "operation", "given", "code"),
    [
        ("dynamodb", "get_item", {"TableName": "t", "Key": {"uuid": {"S": "x"}}}, "AccessDeniedException"),
        ("ecs", "update_service", {"cluster": "c", "service": "s"}, "AccessDeniedException"),
        ("ec2", "describe_network_interfaces", {}, "UnauthorizedOperation"),
        ("events", "enable_rule", {"Name": "r"}, "AccessDeniedException"),
        ("lambda", "get_function", {"FunctionName": "f"}, "AccessDeniedException"),
        ("iam", "list_roles", {}, "AccessDenied"),
        ("s3", "get_object", {"Bucket": "b", "Key": "k"}, "AccessDenied"),
    ],
)
def test_a_refusal_is_written_as_each_service_writes_it(
    account: Account, service: str, operation: str, given: dict[str, Any], code: str
) -> None:
    """A handler knows a refusal by its code."""
    arn = made.role(account, [statement(Action="sts:*")])
    account.iam.issue("ASIATESTTESTTESTTEST", role_arn=arn, environment="")
    client = client_of(account, service)
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**given)
    client.close()
    assert caught.value.response["Error"]["Code"] == code
    (call,) = account.denied
    assert (call.principal, call.action.lower()) == (arn, operation.replace("_", ""))


def test_managed_policies_of_aws_count(account: Account) -> None:
    """The execution role of a task has little else."""
    arn = made.role(account, [statement(Action="sts:*")])
    policy = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    account.client("iam").attach_role_policy(RoleName="made", PolicyArn=policy)
    assert account.iam.permits(arn, "ecr:BatchGetImage", "arn:aws:ecr:x:repository/r")
    assert not account.iam.permits(arn, "ecr:PutImage", "arn:aws:ecr:x:repository/r")


def test_a_key_that_nobody_gave_out_is_refused(account: Account) -> None:
    """Credentials left over from another account must not work here."""
    client = client_of(account, "dynamodb")
    with pytest.raises(ClientError, match="security token"):
        client.list_tables()
    client.close()


def client_of(account: Account, service: str) -> Any:
    """Return a client with a role's key."""
    session = boto3.Session("ASIATESTTESTTESTTEST", SECRET, "token", region_name=account.region)
    return session.client(service, endpoint_url=account.endpoint_url)  # type: ignore[call-overload]  # any service

"""policy: what documents allow, for roles and for functions."""

from typing import Any

import pytest

from wakegate.aws.operate.policy import allows, permits, statements, trusts

TABLE = "arn:aws:dynamodb:eu-central-1:1:table/t"
CLUSTER = "arn:aws:ecs:eu-central-1:1:cluster/c"


def allow(action: Any = "dynamodb:GetItem", resource: Any = TABLE, **more: Any) -> dict[str, Any]:
    """Return a statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ([allow()], True),
        ([allow("DynamoDB:getitem")], True),
        ([allow("dynamodb:Get*", "*")], True),
        ([allow("dynamodb:Get?tem", TABLE[:-1] + "?")], True),
        ([allow(["dynamodb:PutItem", "dynamodb:GetItem"], ["x", TABLE])], True),
        ([allow("dynamodb:PutItem")], False),
        ([allow(resource=TABLE + "2")], False),
        ([allow("dynamodb:Get[I]tem")], False),
        ([{"Effect": "Allow", "NotAction": "dynamodb:DeleteTable", "Resource": "*"}], True),
        ([{"Effect": "Allow", "NotAction": "dynamodb:*", "Resource": "*"}], False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": TABLE}], False),
        ([allow(), {"Effect": "Deny", "Action": "*", "Resource": "*"}], False),
        ([], False),
    ],
)
def test_actions_and_resources_are_matched_as_iam_does(given: list[dict[str, Any]], verdict: bool) -> None:
    """Actions in any case, stars and question marks, a denial above all."""
    assert allows(given, "dynamodb:GetItem", TABLE) is verdict


@pytest.mark.parametrize(
    ("condition", "is_allowed", "is_denied"),
    [
        ({"ArnEquals": {"ecs:cluster": CLUSTER}}, True, True),
        ({"ArnEquals": {"ECS:Cluster": [CLUSTER[:-1] + "*"]}}, True, True),
        ({"ArnEquals": {"ecs:cluster": "arn:aws:ecs:eu-central-1:1:cluster/other"}}, False, False),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, True, False),
        ({"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}, True, False),
    ],
)
def test_a_condition_that_is_not_known_alarms_nobody(
    condition: dict[str, Any], is_allowed: bool, is_denied: bool
) -> None:
    """What depends on more than is known here counts for the role: a doctor who cries wolf is not listened to."""
    context = {"ecs:cluster": CLUSTER}
    conditional = allow("ecs:ListTasks", "*", Condition=condition)
    assert allows([conditional], "ecs:ListTasks", "x", context) is is_allowed
    denial = {**conditional, "Effect": "Deny"}
    assert allows([allow("*", "*"), denial], "ecs:ListTasks", "x", context) is not is_denied


def test_a_trust_is_of_a_service_by_its_name() -> None:
    """A role for EC2 is none for Lambda; a single statement may stand without its list."""
    trust = {"Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com"]}, "Action": "sts:AssumeRole"}
    assert trusts({"Statement": trust}, "lambda.amazonaws.com")
    assert not trusts({"Statement": [trust]}, "ecs-tasks.amazonaws.com")
    assert not trusts({"Statement": [{**trust, "Principal": "*"}]}, "lambda.amazonaws.com")
    assert statements({}) == []


@pytest.mark.parametrize(
    ("source", "verdict"), [("arn:aws:events:r:1:rule/a", True), ("arn:aws:events:r:1:rule/b", False)]
)
def test_a_function_lets_in_the_source_that_it_names(source: str, verdict: bool) -> None:
    """A permission for one rule is none for another."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:events:r:1:rule/a"}},
    }
    action = "lambda:InvokeFunction"
    document = {"Statement": [statement]}
    assert permits(document, principal="events.amazonaws.com", action=action, source_arn=source) is verdict
    assert not permits(document, principal="apigateway.amazonaws.com", action=action, source_arn=source)
    assert not permits(document, principal="events.amazonaws.com", action="lambda:GetFunction", source_arn=source)
    assert not permits({}, principal="events.amazonaws.com", action=action, source_arn=source)

"""What a request asks for, as IAM names it."""

import json
from typing import Any

import pytest
from tests.account.calls import read
from tests.account.wire import Request

ARN = "arn:aws:{}:eu-central-1:123456789012:"


def request(service: str, target: str = "", body: Any = None, *, method: str = "POST", path: str = "/") -> Request:
    """Return a request signed for a service."""
    scope = f"AWS4-HMAC-SHA256 Credential=KEY/20260101/eu-central-1/{service}/aws4_request, SignedHeaders=host"
    headers = [("Authorization", scope)] + ([("X-Amz-Target", target)] if target else [])
    data = body.encode() if isinstance(body, str) else json.dumps(body or {}).encode()
    return Request(method=method, target=path, headers=headers, body=data)


@pytest.mark.parametrize(
    ("asked", "checks"),
    [
        (request("dynamodb", "DynamoDB_20120810.UpdateItem", {"TableName": "t"}), [("dynamodb:UpdateItem", "table/t")]),
        (
            request("dynamodb", "D.TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "t"}}]}),
            [("dynamodb:PutItem", "table/t")],
        ),
        (
            request("ecs", "E.UpdateService", {"cluster": "c", "service": "s"}),
            [("ecs:UpdateService", "service/c/s")],
        ),
        (
            request("ecs", "E.DescribeTasks", {"cluster": f"{ARN.format('ecs')}cluster/c", "tasks": ["a", "x/c/b"]}),
            [("ecs:DescribeTasks", "task/c/a"), ("ecs:DescribeTasks", "task/c/b")],
        ),
        (request("ecs", "E.ListTasks", {"cluster": "c", "serviceName": "s"}), [("ecs:ListTasks", "*")]),
        (request("events", "AWSEvents.EnableRule", {"Name": "r"}), [("events:EnableRule", "rule/r")]),
        (request("ec2", body="Action=DescribeNetworkInterfaces"), [("ec2:DescribeNetworkInterfaces", "*")]),
        (
            request("lambda", path="/2015-03-31/functions/f/invocations"),
            [("lambda:Invoke", "function:f")],
        ),
        (
            request("logs", "L.PutLogEvents", {"logGroupName": "g", "logStreamName": "s"}),
            [("logs:PutLogEvents", "log-group:g:log-stream:s")],
        ),
    ],
)
def test_a_request_names_its_action_and_resources(asked: Request, checks: list[tuple[str, str]]) -> None:
    """Each protocol hides them elsewhere."""
    call = read(asked, region="eu-central-1")
    whole = [
        (action, resource if resource == "*" else ARN.format(call.service) + resource) for action, resource in checks
    ]
    assert call.checks == whole
    assert call.key == "KEY"


def test_calls_about_a_cluster_carry_it_for_conditions() -> None:
    """ListTasks knows no resource: only this condition narrows it down."""
    call = read(request("ecs", "E.ListTasks", {"cluster": "c"}), region="eu-central-1")
    assert call.context == {"ecs:cluster": [f"{ARN.format('ecs')}cluster/c"]}

"""Stacks, roles and functions made in an account, as a deployer would make them."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.account.account import Account

TEMPLATE = (Path(__file__).parent / "template.yaml").read_text(encoding="utf-8")
HELLO = str(Path(__file__).parent / "hello.py")
ANYTHING = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]


def until(is_so: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
    """Wait for another process; fail when it takes too long."""
    end_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end_s, f"not so after {timeout_s} s"
        time.sleep(0.02)


def network(account: Account) -> dict[str, str]:
    """Return the default VPC and its subnets, as parameters of a stack."""
    ec2 = account.client("ec2")
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]]
    return {"Vpc": ec2.describe_vpcs()["Vpcs"][0]["VpcId"], "Subnets": ",".join(subnets)}


def parameters(values: dict[str, str]) -> list[dict[str, str]]:
    """Write parameters as CloudFormation wants them."""
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def deploy(account: Account, template: str = TEMPLATE, *, kind: str = "CREATE", **values: str) -> dict[str, Any]:
    """Create or update the stack "tiny" by a change set and wait for its end; return the stack."""
    stacks = account.client("cloudformation")
    name = f"change-{time.monotonic_ns()}"
    stacks.create_change_set(
        StackName="tiny",
        ChangeSetName=name,
        ChangeSetType=kind,
        TemplateBody=template,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=parameters(values),
    )
    stacks.execute_change_set(StackName="tiny", ChangeSetName=name)
    until(lambda: not stack(account)["StackStatus"].endswith("_IN_PROGRESS"))
    return stack(account)


def stack(account: Account) -> dict[str, Any]:
    """Return the stack "tiny"."""
    found: dict[str, Any] = account.client("cloudformation").describe_stacks(StackName="tiny")["Stacks"][0]
    return found


def role(account: Account, statements: list[dict[str, Any]], *, name: str = "made", trusted: str = "lambda") -> str:
    """Make a role with one inline policy; return its ARN."""
    iam = account.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": f"{trusted}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy([trust]))
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy(statements))
    arn: str = made["Role"]["Arn"]
    return arn


def policy(statements: list[dict[str, Any]]) -> str:
    """Write a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def zipped(code: str) -> bytes:
    """Return a zip with this as index.py."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", code)
    return packed.getvalue()


def function(account: Account, code: str, *, name: str = "made", **settings: Any) -> None:
    """Make a function that may do anything; its handler is index.handler."""
    roles = [one["Arn"] for one in account.client("iam").list_roles()["Roles"] if one["RoleName"] == name]
    account.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=roles[0] if roles else role(account, ANYTHING, name=name),
        Handler="index.handler",
        Code={"ZipFile": zipped(code)},
        **{"Timeout": 20, **settings},
    )


def api(account: Account, *, name: str = "made", stage: str = "prod", **integration: Any) -> str:
    """Make an HTTP API in front of a function; return its id."""
    apis = account.client("apigatewayv2")
    arn = account.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    api_id: str = apis.create_api(Name=name, ProtocolType="HTTP")["ApiId"]
    target = apis.create_integration(
        ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0", **integration
    )["IntegrationId"]
    for key in ("ANY /", "ANY /{proxy+}"):
        apis.create_route(ApiId=api_id, RouteKey=key, Target=f"integrations/{target}")
    apis.create_stage(ApiId=api_id, StageName=stage, AutoDeploy=True)
    permit(account, "apigateway", f"arn:aws:execute-api:{account.region}:{account.id}:{api_id}/*/*", name=name)
    return api_id


def permit(account: Account, service: str, source: str, *, name: str = "made") -> None:
    """Let a service invoke a function on behalf of a resource."""
    account.client("lambda").add_permission(
        FunctionName=name,
        StatementId=service,
        Action="lambda:InvokeFunction",
        Principal=f"{service}.amazonaws.com",
        SourceArn=source,
    )

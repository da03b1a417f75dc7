"""What an API call asks for: service, action and resources, read from the request itself, as IAM names them."""

import json
import re
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.session
from tests.account.moto import ACCOUNT_ID
from tests.account.wire import Request

_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_IAM_PREFIX = {"monitoring": "cloudwatch"}
_REST_MODELS = {"lambda": "lambda", "apigateway": "apigatewayv2"}


@dataclass(kw_only=True)
class Call:
    """One call of the control plane or of a table, and what became of it."""

    service: str
    action: str  # "UpdateService"
    checks: list[tuple[str, str]]  # what must be allowed: ("ecs:UpdateService", resource)
    context: dict[str, list[str]]
    key: str  # the caller's access key
    parameters: dict[str, Any] = field(repr=False)
    protocol: str = "json"
    at_s: float = field(default_factory=time.time)
    principal: str = ""  # the ARN of a role, or of the deployer
    environment: str = ""  # which process of which function
    is_allowed: bool = True
    status: int = 0

    @property
    def name(self) -> str:
        """Return the action as IAM writes it: "ecs:UpdateService"."""
        return f"{self.service}:{self.action}"


def read(request: Request, *, region: str) -> Call:
    """Read a request of any of the protocols; a call without a signature belongs to nobody."""
    scope = _SCOPE.search(request.header("authorization"))
    key, region, signing = scope.groups() if scope else ("", region, "")
    service = _IAM_PREFIX.get(signing, signing)
    action, parameters, protocol = _action(request, signing)
    call = Call(
        service=service, action=action, checks=[], context={}, key=key, parameters=parameters, protocol=protocol
    )
    resources = _resources(call, region=region)
    call.checks = [(call.name, resource) for resource in resources] if not call.checks else call.checks
    return call


def _action(request: Request, signing: str) -> tuple[str, dict[str, Any], str]:
    target = request.header("x-amz-target")
    if target:
        return target.rpartition(".")[2], json.loads(request.body or b"{}"), "json"
    if request.path.startswith("/service/"):  # RPC with CBOR: the name is enough
        return request.path.rpartition("/")[2], {}, "json"
    if signing in _REST_MODELS:
        return *_operation(_REST_MODELS[signing], request), "rest"
    if signing == "s3":
        bucket, _, key = unquote(request.path).lstrip("/").partition("/")
        verb = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "DELETE": "Delete", "POST": "Put"}.get(request.method, "Get")
        return f"{verb}{'Object' if key else 'Bucket'}", {"Bucket": bucket, "Key": key}, "s3"
    form = parse_qs(request.body.decode("utf-8", "replace") if request.method == "POST" else request.query)
    parameters = {name: values[0] for name, values in form.items()}
    return parameters.get("Action", ""), parameters, "ec2" if signing == "ec2" else "query"


def _operation(model: str, request: Request) -> tuple[str, dict[str, Any]]:
    for method, pattern, name in _operations(model):
        match = pattern.fullmatch(request.path.rstrip("/"))
        if match and method == request.method:
            return name, {key: unquote(value) for key, value in match.groupdict().items()}
    return "", {}


@lru_cache
def _operations(model: str) -> list[tuple[str, re.Pattern[str], str]]:
    found = []
    service = botocore.session.get_session().get_service_model(model)
    for name in service.operation_names:
        http = service.operation_model(name).http
        parts = re.split(r"\{(\w+)\+?\}", http["requestUri"].partition("?")[0].rstrip("/"))
        pattern = "".join(f"(?P<{part}>[^/]+)" if i % 2 else re.escape(part) for i, part in enumerate(parts))
        found.append((http["method"], re.compile(pattern), name))
    return found


def _resources(call: Call, *, region: str) -> list[str]:
    """Return the ARNs that the call is about; "*" where IAM knows none for it."""
    reader = _READERS.get(call.service)
    if reader is None:
        return ["*"]
    return reader(call, f"arn:aws:{call.service}:{region}:{ACCOUNT_ID}:") or ["*"]


def _table(call: Call, arn: str) -> list[str]:
    given = call.parameters
    key = given.get("Key") or given.get("Item")
    if isinstance(key, dict):
        call.context["dynamodb:LeadingKeys"] = [next(iter(value.values())) for value in list(key.values())[:1]]
    for item in given.get("TransactItems", []):  # a transaction needs what its parts need
        for kind, part in item.items():
            action = "ConditionCheckItem" if kind == "ConditionCheck" else f"{kind}Item"
            call.checks.append((f"dynamodb:{action}", f"{arn}table/{part['TableName']}"))
    names = list(given.get("RequestItems", [])) or ([given["TableName"]] if "TableName" in given else [])
    return [name if name.startswith("arn:") else f"{arn}table/{name}" for name in names]


def _ecs(call: Call, arn: str) -> list[str]:
    given = call.parameters
    cluster = str(given.get("cluster", "default")).rpartition("/")[2]
    call.context["ecs:cluster"] = [f"{arn}cluster/{cluster}"]
    names: dict[str, list[str]] = {
        "service": given.get("services") or ([given["service"]] if "service" in given else []),
        "task": given.get("tasks") or ([given["task"]] if "task" in given else []),
    }
    if call.action in ("DescribeClusters", "DeleteCluster"):
        clusters = given.get("clusters") or [cluster]
        return [f"{arn}cluster/{name.rpartition('/')[2]}" for name in clusters]
    return [f"{arn}{kind}/{cluster}/{name.rpartition('/')[2]}" for kind, several in names.items() for name in several]


def _rule(call: Call, arn: str) -> list[str]:
    if call.action == "PutEvents":
        return [f"{arn}event-bus/default"]
    name = call.parameters.get("Rule") or call.parameters.get("Name")
    return [f"{arn}rule/{name}"] if name else []


def _log_group(call: Call, arn: str) -> list[str]:
    group = call.parameters.get("logGroupName")
    if not group:
        return []
    stream = call.parameters.get("logStreamName")
    return [f"{arn}log-group:{group}:log-stream:{stream}" if stream else f"{arn}log-group:{group}"]


def _repository(call: Call, arn: str) -> list[str]:
    names = call.parameters.get("repositoryNames") or [call.parameters.get("repositoryName")]
    return [f"{arn}repository/{name}" for name in names if name]


def _function(call: Call, arn: str) -> list[str]:
    name = call.parameters.get("FunctionName")
    return [name if name.startswith("arn:") else f"{arn}function:{name}"] if name else []


def _object(call: Call, _arn: str) -> list[str]:
    bucket, key = call.parameters["Bucket"], call.parameters["Key"]
    return [f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"]


_READERS = {
    "dynamodb": _table,
    "ecs": _ecs,
    "events": _rule,
    "logs": _log_group,
    "ecr": _repository,
    "lambda": _function,
    "s3": _object,
}

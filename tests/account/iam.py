"""Who may do what: a role's policies, as moto keeps them, evaluated by action, resource and condition."""

import fnmatch
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from tests.account import query
from tests.account.calls import Call
from tests.account.moto import ACCOUNT_ID, Moto
from tests.account.wire import Response

DEPLOYER = f"arn:aws:iam::{ACCOUNT_ID}:user/deployer"
DEPLOYER_KEY = "AKIADEPLOYER00000000"
SECRET = "emulated-secret"

Statement = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whose access key it is."""

    principal: str
    environment: str = ""


class Iam:
    """The access keys that were given out, and what their principals may do."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._callers: dict[str, Caller] = {DEPLOYER_KEY: Caller(principal=DEPLOYER)}

    def issue(self, key: str, *, role_arn: str, environment: str) -> None:
        """Give out an access key of a role."""
        self._callers[key] = Caller(principal=role_arn, environment=environment)

    def revoke(self, key: str) -> None:
        """Take an access key back."""
        self._callers.pop(key, None)

    def judge(self, call: Call) -> str:
        """Say why a call is refused, "" where it is allowed; note the caller on it."""
        caller = self._callers.get(call.key) or self._assumed(call.key)
        if caller is None:
            return "The security token included in the request is invalid."
        call.principal, call.environment = caller.principal, caller.environment
        if caller.principal == DEPLOYER:
            return ""
        statements = list(self.statements(caller.principal))
        for action, resource in call.checks:
            if not allows(statements, action, resource, call.context):
                return refusal(caller.principal, action, resource)
        return ""

    def permits(self, role_arn: str, action: str, resource: str) -> bool:
        """Say whether a role may do this: what AWS asks before it acts in the role's name."""
        return allows(list(self.statements(role_arn)), action, resource, {})

    def trusts(self, role_arn: str, service: str) -> bool:
        """Say whether a service, such as "lambda.amazonaws.com", may act as this role."""
        role = self._role(role_arn)
        if role is None:
            return False
        for statement in _statements(_text(role.assume_role_policy_document)):
            principal = statement.get("Principal")
            named = _listed(principal.get("Service")) if isinstance(principal, dict) else []
            if statement["Effect"] == "Allow" and service in named:
                return True
        return False

    def statements(self, role_arn: str) -> Iterator[Statement]:
        """Return all statements of a role: those of its inline policies and those of managed ones."""
        role = self._role(role_arn)
        if role is None:
            return
        documents = [*role.policies.values(), *(_default(policy) for policy in role.managed_policies.values())]
        for document in documents:
            yield from _statements(_text(document))

    def _role(self, role_arn: str) -> Any:
        return next((role for role in list(self._moto.iam.roles.values()) if role.arn == role_arn), None)

    def _assumed(self, key: str) -> Caller | None:
        """Find who has called sts:AssumeRole for this key, or whose key it is in IAM."""
        for role in list(self._moto.iam.roles.values()):
            if key in role.access_keys:
                return Caller(principal=role.arn)
        found = self._moto.iam.access_keys.get(key)
        return Caller(principal=found.role_arn) if found is not None and found.role_arn else None


def allows(statements: list[Statement], action: str, resource: str, context: dict[str, list[str]]) -> bool:
    """Say whether something allows it and nothing denies it."""
    effects = {one["Effect"] for one in statements if _matches(one, action, resource, context)}
    return "Allow" in effects and "Deny" not in effects


def refusal(principal: str, action: str, resource: str) -> str:
    """Return the sentence that AWS answers with."""
    name = principal.rpartition("/")[2]
    user = f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{name}/session" if ":role/" in principal else principal
    return (
        f"User: {user} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


def denied(call: Call, reason: str) -> Response:
    """Write a refusal in the protocol that the caller speaks."""
    if call.protocol == "ec2":
        return query.ec2_error("UnauthorizedOperation", reason, status=403)
    if call.protocol == "s3":
        return query.s3_error("AccessDenied", reason, status=403)
    if call.protocol == "query":
        return query.error("AccessDenied", reason, status=403)
    body = json.dumps({"__type": "AccessDeniedException", "message": reason, "Message": reason})
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", "AccessDeniedException")]
    return Response(status=403 if call.protocol == "rest" else 400, headers=headers, body=body.encode())


def _matches(statement: Statement, action: str, resource: str, context: dict[str, list[str]]) -> bool:
    if "Action" in statement:
        is_named = any(_like(action.lower(), pattern.lower()) for pattern in _listed(statement["Action"]))
    else:
        is_named = not any(_like(action.lower(), pattern.lower()) for pattern in _listed(statement["NotAction"]))
    if "Resource" in statement:
        is_about = any(_like(resource, pattern) for pattern in _listed(statement["Resource"]))
    else:
        is_about = not any(_like(resource, pattern) for pattern in _listed(statement["NotResource"]))
    return is_named and is_about and _holds(statement.get("Condition", {}), context)


def _holds(conditions: dict[str, dict[str, Any]], context: dict[str, list[str]]) -> bool:
    for operator, keys in conditions.items():
        for key, wanted in keys.items():
            found = next((values for name, values in context.items() if name.lower() == key.lower()), None)
            if not _compares(operator, found, [str(value) for value in _listed(wanted)]):
                return False
    return True


def _compares(operator: str, found: list[str] | None, wanted: list[str]) -> bool:
    """Evaluate one condition; an operator that is not known here is an error of the emulation, not an answer."""
    quantifier, _, base = operator.rpartition(":")
    if base == "Null":
        return (found is None) == (wanted[0].lower() == "true")
    if base.endswith("IfExists"):
        if found is None:
            return True
        base = base.removesuffix("IfExists")
    if base not in ("StringEquals", "StringLike", "ArnEquals", "ArnLike", "StringNotEquals", "ArnNotEquals", "Bool"):
        raise NotImplementedError(f"the emulated IAM does not know the condition {operator}")
    if found is None:
        return quantifier == "ForAllValues" or "Not" in base
    exact = base.startswith("String") and not base.endswith("Like")
    each = [any(value == one if exact else _like(value, one) for one in wanted) for value in found]
    if "Not" in base:
        return not any(each)
    return all(each) if quantifier == "ForAllValues" else any(each)


def _like(text: str, pattern: str) -> bool:
    return text == pattern or pattern == "*" or bool(_pattern(pattern).match(text))


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _default(policy: Any) -> Any:
    return next(version.document for version in policy.versions if version.version_id == policy.default_version_id)


def _text(document: Any) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    return unquote(text) if text.startswith("%7B") else text


@lru_cache(maxsize=1024)
def _statements(document: str) -> tuple[Statement, ...]:
    return tuple(_listed(json.loads(document)["Statement"]))

"""policy: what IAM documents allow, evaluated here; enough of IAM for roles that name actions and resources.

A condition whose key is not known here counts as met by an Allow and as unmet by a Deny: the doctor must not cry wolf.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

Statement = Mapping[str, Any]


def statements(document: Mapping[str, Any]) -> list[Statement]:
    """Return the statements of a policy document; a single one may stand without its list."""
    found = document.get("Statement", [])
    return list(found) if isinstance(found, list) else [found]


def allows(given: Iterable[Statement], action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
    """Say whether some statement allows it and none denies it."""
    is_allowed = False
    for statement in given:
        if not _is_about(statement, action, resource):
            continue
        met = _met(statement.get("Condition", {}), context or {})
        if statement.get("Effect") == "Deny" and met is True:
            return False
        if statement.get("Effect") == "Allow" and met is not False:
            is_allowed = True
    return is_allowed


def trusts(document: Mapping[str, Any], service: str) -> bool:
    """Say whether a role's trust policy lets a service act as it."""
    return any(
        statement.get("Effect") == "Allow"
        and isinstance(statement.get("Principal"), dict)
        and service in _listed(statement["Principal"].get("Service"))
        for statement in statements(document)
    )


def permits(document: Mapping[str, Any], *, principal: str, action: str, source_arn: str) -> bool:
    """Say whether a function's resource policy lets a service call it for this source."""
    for statement in statements(document):
        named = statement.get("Principal")
        who = _listed(named.get("Service")) + _listed(named.get("AWS")) if isinstance(named, dict) else _listed(named)
        if statement.get("Effect") != "Allow" or not {principal, "*"} & set(who):
            continue
        if not any(_like(action.lower(), one.lower()) for one in _listed(statement.get("Action"))):
            continue
        if _met(statement.get("Condition", {}), {"aws:sourcearn": source_arn}) is not False:
            return True
    return False


def _is_about(statement: Statement, action: str, resource: str) -> bool:
    actions = _listed(statement.get("Action", statement.get("NotAction")))
    is_named = any(_like(action.lower(), pattern.lower()) for pattern in actions) != ("NotAction" in statement)
    resources = _listed(statement.get("Resource", statement.get("NotResource")))
    return is_named and any(_like(resource, pattern) for pattern in resources) != ("NotResource" in statement)


def _met(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool | None:
    """Say whether the conditions hold; None where that depends on what is not known here."""
    known = {key.lower(): value for key, value in context.items()}
    is_known = True
    for operator, keys in conditions.items():
        for key, wanted in keys.items():
            base = operator.removesuffix("IfExists").rpartition(":")[2]
            if key.lower() not in known or base not in ("StringEquals", "StringLike", "ArnEquals", "ArnLike"):
                is_known = False
                continue
            value = known[key.lower()]
            exact = base == "StringEquals"
            if not any(value == one if exact else _like(value, one) for one in map(str, _listed(wanted))):
                return False
    return True if is_known else None


def _like(text: str, pattern: str) -> bool:
    return pattern in ("*", text) or _pattern(pattern).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern), re.DOTALL)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]

"""In which order the resources of a template are made: each after those that it refers to."""

import re
from typing import Any


def in_order(resources: dict[str, Any]) -> list[str]:
    """Return the names so that each comes after those that it refers to."""
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in done or name not in resources:
            return
        for needed in sorted(_references(resources[name])):
            if needed != name:
                visit(needed)
        done[name] = None

    for name in resources:
        visit(name)
    return list(done)


def _references(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*(_references(one) for one in value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for key, inner in value.items():
        if key == "Ref":
            found.add(inner)
        elif key == "Fn::GetAtt":
            found.add((inner if isinstance(inner, str) else inner[0]).partition(".")[0])
        elif key == "DependsOn":
            found |= {inner} if isinstance(inner, str) else set(inner)
        elif key == "Fn::Sub":
            text = inner if isinstance(inner, str) else inner[0]
            found |= set(re.findall(r"\$\{(\w+)[.}]", text))
        found |= _references(inner)
    return found

"""The template as values, with CloudFormation's short forms."""

from typing import Any

from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]  # it has no types


def loads(text: str) -> Any:
    """Read a template."""
    return cfn_yaml.loads(text)

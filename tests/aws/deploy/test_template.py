"""The template: small enough to be sent along, the guide's names, and a reason for each finding that is accepted."""

from typing import Any

import pytest
from tests.aws.deploy.yaml import loads

from wakegate.aws.deploy.template import BYTES_MAX, template


@pytest.fixture(scope="module")
def resources() -> Any:
    """Return its resources."""
    return loads(template())["Resources"]


def test_it_fits_into_a_call() -> None:
    """A larger one would have to be put into a bucket first, by hand as well."""
    assert len(template().encode()) <= BYTES_MAX


def test_only_what_holds_data_outlives_the_stack(resources: Any) -> None:
    """`wakegate destroy` says what stays, and that is all."""
    kept = {name for name, one in resources.items() if one.get("DeletionPolicy", "Delete") != "Delete"}
    assert kept == {"Repository", "Table"}


def test_each_accepted_finding_gives_its_reason(resources: Any) -> None:
    """Whoever runs checkov over it reads why."""
    skips = [skip for one in resources.values() for skip in one.get("Metadata", {}).get("checkov", {}).get("skip", [])]
    assert len(skips) == 16
    assert [skip["id"] for skip in skips if len(skip["comment"]) < 40] == []


def test_a_function_url_has_both_permissions(resources: Any) -> None:
    """URLs made since October 2025 answer 403 with only one of them."""
    on_url = [one["Properties"] for one in resources.values() if one.get("Condition") == "HasFunctionUrl"]
    assert {one["Action"] for one in on_url if "Action" in one} == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert [one["InvokedViaFunctionUrl"] for one in on_url if one.get("Action") == "lambda:InvokeFunction"] == [True]


def test_an_update_to_an_image_that_never_starts_gives_up(resources: Any) -> None:
    """Without the circuit breaker CloudFormation waits for hours."""
    assert resources["Service"]["Properties"]["DeploymentConfiguration"]["DeploymentCircuitBreaker"]["Enable"] is True

"""The state of the stack, and what failed first."""

from dataclasses import replace

import pytest
from tests.account.account import Account

from wakegate.aws.operate.check import Verdict
from wakegate.aws.operate.checks.stack import check_stack
from wakegate.aws.operate.stack import Stack


def test_a_whole_one_is_in_order(stack: Stack) -> None:
    """Its state is AWS's own word."""
    (found,) = check_stack(stack)
    assert (found.verdict, found.saw) == (Verdict.OK, "shop is CREATE_COMPLETE")


@pytest.mark.parametrize(
    ("status", "verdict", "mend"),
    [
        ("UPDATE_IN_PROGRESS", Verdict.WARN, ""),
        ("UPDATE_COMPLETE", Verdict.OK, ""),
        ("UPDATE_ROLLBACK_COMPLETE", Verdict.WARN, "wakegate deploy --stack shop"),
        ("UPDATE_ROLLBACK_FAILED", Verdict.FAIL, "aws cloudformation continue-update-rollback --stack-name shop"),
        ("ROLLBACK_COMPLETE", Verdict.FAIL, "wakegate destroy --stack shop\nwakegate deploy --stack shop"),
        ("DELETE_FAILED", Verdict.FAIL, "wakegate destroy --stack shop\nwakegate deploy --stack shop"),
    ],
)
def test_each_state_has_its_command(stack: Stack, status: str, verdict: Verdict, mend: str) -> None:
    """A stack that failed at its creation cannot be updated, one whose rollback failed cannot be anything else."""
    (found,) = check_stack(replace(stack, status=status))
    assert (found.verdict, found.mend) == (verdict, mend)


def test_the_first_failure_is_the_cause(deployed: Account, stack: Stack) -> None:
    """Ten resources are cancelled because of one: only that one says what is wrong."""
    found = next(one for one in deployed.moto.stacks.stacks.values() if one.name == "shop")
    kept = list(found.events)
    template = kept[-1]
    for name, status, reason in (
        ("shop", "UPDATE_IN_PROGRESS", "User Initiated"), ("Service", "UPDATE_FAILED", "no such cluster"),
        ("Stage", "UPDATE_FAILED", "Resource creation cancelled"), ("shop", "UPDATE_ROLLBACK_FAILED", "See above"),
    ):  # fmt: skip
        event = type(template)(
            stack_id=template.stack_id, stack_name="shop", logical_resource_id=name, physical_resource_id="",
            resource_type="x", resource_status=status, resource_status_reason=reason, resource_properties=None,
        )  # fmt: skip
        found.events.append(event)
    (check,) = check_stack(replace(stack, status="UPDATE_ROLLBACK_FAILED"))
    found.events[:] = kept
    assert check.saw == "shop is UPDATE_ROLLBACK_FAILED: Service: no such cluster"


def test_another_stack_is_not_ours(stack: Stack) -> None:
    """Somebody mistyped: it is said, and nothing of it is judged."""
    (found,) = check_stack(replace(stack, parameters={"Vpc": "x"}))
    assert found.saw == "shop is no stack of Wakegate: it is made from another template"

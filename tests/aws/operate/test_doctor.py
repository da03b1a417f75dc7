"""doctor: all checks, and what is said of those that nobody lets us make."""

from dataclasses import replace

import pytest
from tests.account.account import Account
from tests.aws.operate.test_ask import assume

from wakegate.aws.operate.ask import Asker
from wakegate.aws.operate.check import Verdict
from wakegate.aws.operate.doctor import CHECKS, examine
from wakegate.aws.operate.stack import Stack, find_stack


def test_a_stack_as_deployed_has_nothing_wrong(deployed: Account, stack: Stack) -> None:
    """Every check, on every resource of the template: and it changes nothing."""
    before = len(deployed.calls)
    found = list(examine(stack))
    assert [check for check in found if check.verdict is not Verdict.OK] == []
    assert len(found) >= len(CHECKS)
    reading = ("Describe", "Get", "List", "Filter")
    assert {call.action for call in deployed.calls[before:] if not call.action.startswith(reading)} == set()


def test_a_failed_stack_ends_it(stack: Stack) -> None:
    """Without outputs there is nothing to look at: one line, and not thirteen errors."""
    (found,) = examine(replace(stack, status="ROLLBACK_COMPLETE", outputs={}))
    assert found.verdict is Verdict.FAIL


def test_what_may_not_be_looked_at_is_said_and_the_rest_is_looked_at(
    deployed: Account, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator without iam:GetRole still learns that the port is closed."""
    allowed = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:*", "Resource": "*"},
    ]
    for name, value in assume(deployed, "operator", allowed).items():
        monkeypatch.setenv(name, value)
    asker = Asker(region=deployed.region)
    found = list(examine(find_stack(asker, stack.name)))
    asker.close()
    (unseen,) = [check for check in found if check.verdict is not Verdict.OK]
    assert (unseen.name, unseen.verdict) == ("roles", Verdict.WARN)
    assert unseen.saw.startswith("could not be looked at: ")
    assert "may not iam:GetRole" in unseen.saw


def test_what_is_gone_is_wrong_and_does_not_end_it(deployed: Account, stack: Stack) -> None:
    """The service itself was deleted: each check that needs it says so, the others still look."""
    deployed.client("ecs").delete_service(cluster=stack.cluster, service=stack.service, force=True)
    found = {check.name: check for check in examine(stack)}
    assert found["task definition"].verdict is Verdict.FAIL
    assert found["task definition"].saw == (
        "it is gone: there is no service my-scaling-service in the cluster my-scaling-cluster"
    )
    assert found["table"].verdict is Verdict.OK

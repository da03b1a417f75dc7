"""stack: which one is meant, and what is said where it is none."""

from dataclasses import replace

import pytest
from tests.account.account import Account

from wakegate.aws.operate.ask import Asker, AskError
from wakegate.aws.operate.stack import Stack, find_stack, open_stack
from wakegate.core.errors import WakegateError


def test_none_at_all_says_how_to_make_one(account: Account) -> None:
    """The first thing that somebody tries in a new account, or in another region than meant."""
    with pytest.raises(WakegateError, match='no stack of Wakegate in eu-central-1; "wakegate deploy" makes one'):
        open_stack()
    with pytest.raises(WakegateError, match='there is no stack "shop" in eu-central-1; is it another region'):
        open_stack("shop", region=account.region)


def test_the_only_one_need_not_be_named(stack: Stack) -> None:
    """Its outputs tell it from all other stacks of the account."""
    found = find_stack(stack.asker, None)
    assert (found.name, found.service, found.cluster, found.table) == (
        "shop", "my-scaling-service", "my-scaling-cluster", "session-table"
    )  # fmt: skip
    assert (found.idle_timeout_s, found.replicas_max, found.settings.rule_name) == (
        60.0, 3, "container-cleanup-schedule"
    )  # fmt: skip
    assert found.log_groups["app"] == "/ecs/my-scaling-task"


def test_a_misspelt_name_is_answered_with_the_right_one(stack: Stack) -> None:
    """Nobody remembers what they called it."""
    with pytest.raises(AskError, match=r'there is no stack "shopp" in eu-central-1; did you mean "shop"'):
        find_stack(stack.asker, "shopp")
    with pytest.raises(AskError, match="there is shop"):
        find_stack(stack.asker, "something-else")


def test_one_that_failed_is_told_by_its_state(stack: Stack) -> None:
    """It has no outputs: a KeyError would say nothing."""
    failed = replace(stack, status="ROLLBACK_COMPLETE", reason="no room", outputs={})
    with pytest.raises(WakegateError, match="stack shop is ROLLBACK_COMPLETE: no room; it has no Url"):
        _ = failed.url


def test_settings_that_a_function_would_refuse_are_refused_here(deployed: Account, stack: Stack) -> None:
    """An operator's sleep must not follow a rule that the functions do not."""
    client = deployed.client("lambda")
    name = stack.output("CleanupFunction")
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"SERVICE_NAME": "x", "IDLE_TIMEOUT": "1"}}
    )
    with pytest.raises(WakegateError, match="container-cleanup is set wrongly: IDLE_TIMEOUT"):
        _ = stack.settings


def test_a_service_that_is_gone_is_missing(deployed: Account, stack: Stack) -> None:
    """ECS answers with an empty list, not with an error."""
    deployed.client("ecs").delete_service(cluster=stack.cluster, service=stack.service, force=True)
    with pytest.raises(AskError, match="there is no service my-scaling-service") as caught:
        stack.describe_service()
    assert caught.value.is_missing
    assert Asker(region=deployed.region).region == deployed.region


def test_one_that_failed_is_found_without_its_name(stack: Stack) -> None:
    """It has no outputs; "there is none" would send one to deploy a second."""
    failed = replace(stack, status="UPDATE_ROLLBACK_FAILED", outputs={})
    assert failed.is_ours
    other = replace(failed, parameters={"Vpc": "x"})
    assert not other.is_ours
    with pytest.raises(WakegateError, match="stack shop is not of Wakegate"):
        _ = other.table

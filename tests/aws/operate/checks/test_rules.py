"""Rules: the cleanup is called each minute while something is awake, and not while nothing is."""

from dataclasses import replace
from datetime import timedelta

from tests.account.account import Account
from tests.account.sample.made import until
from tests.aws.operate.conftest import visit

from wakegate.aws.operate.check import Check, Verdict
from wakegate.aws.operate.checks.rules import check_rules
from wakegate.aws.operate.remote import Remote
from wakegate.aws.operate.sleep import sleep
from wakegate.aws.operate.stack import Stack

RULE = "container-cleanup-schedule"
NET = "container-cleanup-safety-net"


def schedule(stack: Stack) -> Check:
    """Return the check of the schedule."""
    return check_rules(stack)[0]


def test_all_are_in_order_as_deployed_and_while_it_is_awake(deployed: Account, stack: Stack) -> None:
    """Off while it sleeps, on while it does not: what looks wrong in the console is right."""
    assert [check.verdict for check in check_rules(stack)] == [Verdict.OK] * 3
    assert visit(deployed) == 200
    assert schedule(stack).saw == f"{RULE} is on, as it should be while the service is awake"


def test_off_while_it_is_awake_is_a_failure(deployed: Account, stack: Stack) -> None:
    """Nothing would put it to sleep: the bill is the first who notices."""
    assert visit(deployed) == 200
    told = deployed.schedule.deliveries
    # The cleanup that hears of the task's start turns the rule on again: this is about nobody hearing.
    until(
        lambda: [one for one in told if one.outcomes] != [] and all(one.outcomes or one.refused for one in list(told))
    )
    deployed.client("events").disable_rule(Name=RULE)
    found = schedule(stack)
    assert (found.verdict, found.mend) == (Verdict.FAIL, f"aws events enable-rule --name {RULE} --region eu-central-1")


def test_on_long_after_the_sleep_is_something_to_look_at(deployed: Account, stack: Stack) -> None:
    """It is turned off by the first look after the sleep; where that does not happen, zero is not quite zero."""
    remote = Remote(stack)
    sleep(remote, force=True)
    deployed.client("events").enable_rule(Name=RULE)
    assert schedule(stack).verdict is Verdict.OK
    record = remote.keeper.load()
    remote.keeper.write(record, since=record.since - timedelta(hours=1))
    found = schedule(stack)
    assert (found.verdict, "43,200 calls a month" in found.saw) == (Verdict.WARN, True)
    deployed.client("events").disable_rule(Name=RULE)


def test_a_safety_net_that_is_off_is_seen(deployed: Account, stack: Stack) -> None:
    """Without it a wake whose function died before it armed the schedule would never end."""
    deployed.client("events").disable_rule(Name=NET)
    net = check_rules(stack)[1]
    deployed.client("events").enable_rule(Name=NET)
    assert (net.verdict, net.mend) == (Verdict.WARN, f"aws events enable-rule --name {NET} --region eu-central-1")


def test_a_rule_that_the_function_does_not_let_in_is_a_failure(deployed: Account, stack: Stack) -> None:
    """The guide's forgotten step: the rule fires each minute, and nothing happens."""
    other = replace(stack, outputs={**stack.outputs, "CleanupFunction": stack.output("StartupFunction")})
    assert "does not call container-startup" in schedule(other).saw
    client = deployed.client("lambda")
    function = next(one for one in deployed.moto.functions.list_functions() if one.function_name == "container-cleanup")
    function.policy.statements = [one for one in function.policy.statements if RULE not in str(one)]
    found = schedule(stack)
    assert found.verdict is Verdict.FAIL
    assert f"container-cleanup does not let {RULE} call it" in found.saw
    assert client.get_policy(FunctionName="container-cleanup")["Policy"]


def test_a_rule_that_is_gone_is_a_failure(deployed: Account, stack: Stack) -> None:
    """Deleted by hand."""
    events = deployed.client("events")
    for rule in (RULE, NET):
        targets = [one["Id"] for one in events.list_targets_by_rule(Rule=rule)["Targets"]]
        events.remove_targets(Rule=rule, Ids=targets)
        events.delete_rule(Name=rule)
    first, net, _ = check_rules(stack)
    assert (first.verdict, first.saw) == (
        Verdict.FAIL, f"there is no rule {RULE}: what is awake stays awake for up to an hour more"
    )  # fmt: skip
    assert net.verdict is Verdict.WARN

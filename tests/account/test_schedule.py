"""EventBridge: the clock that a test moves, and what ECS tells."""

import json

from tests.account.account import Account
from tests.account.sample import made

COUNT = "def handler(event, context): print(event['detail-type']); return 1"


def rule(account: Account, **given: str) -> None:
    """Make a rule whose target is the function "made"."""
    events = account.client("events")
    arn = events.put_rule(Name="r", **given)["RuleArn"]
    target = account.client("lambda").get_function(FunctionName="made")["Configuration"]["FunctionArn"]
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": target}])
    made.permit(account, "events", arn)


def test_a_rate_rule_fires_when_its_minutes_have_passed(account: Account) -> None:
    """An hour of sleep is a second of test."""
    made.function(account, COUNT)
    rule(account, ScheduleExpression="rate(1 hour)")
    assert account.schedule.tick(59) == []
    (delivery,) = account.schedule.tick()
    assert (delivery.event["detail-type"], delivery.outcomes[0].payload) == ("Scheduled Event", b"1")


def test_a_rule_that_is_disabled_does_not_fire(account: Account) -> None:
    """The rule is off while the service sleeps: zero means zero."""
    made.function(account, COUNT)
    rule(account, ScheduleExpression="rate(1 minute)")
    events = account.client("events")
    events.disable_rule(Name="r")
    assert account.schedule.tick() == []
    events.enable_rule(Name="r")
    assert len(account.schedule.tick()) == 1


def test_an_event_may_come_twice(account: Account) -> None:
    """At least once is all that is promised."""
    made.function(account, COUNT)
    rule(account, ScheduleExpression="rate(1 minute)")
    account.schedule.deliver(copies=2)
    (delivery,) = account.schedule.tick()
    assert len(delivery.outcomes) == 2


def test_an_event_whose_function_fails_is_tried_again(account: Account) -> None:
    """A tick that died half-way comes back."""
    made.function(account, "def handler(event, context): raise ValueError")
    rule(account, ScheduleExpression="rate(1 minute)")
    (delivery,) = account.schedule.tick()
    assert [bool(one.error) for one in delivery.outcomes] == [True, True, True]


def test_a_rule_that_may_not_invoke_its_target_is_refused_and_says_so(account: Account) -> None:
    """On AWS only a metric tells."""
    made.function(account, COUNT)
    rule(account, ScheduleExpression="rate(1 minute)")
    account.client("lambda").remove_permission(FunctionName="made", StatementId="events")
    (delivery,) = account.schedule.tick()
    assert (delivery.outcomes, delivery.refused[:24]) == ([], "the policy of made does ")


def test_a_change_of_a_task_reaches_the_rules_that_want_it(account: Account) -> None:
    """A crash is known at once, not at the next tick."""
    made.deploy(account, **made.network(account))
    made.function(account, COUNT)
    wanted = {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": {"lastStatus": ["STOPPED"]}}
    rule(account, EventPattern=json.dumps(wanted))
    account.client("ecs").update_service(cluster="tiny-cluster", service="tiny-service", desiredCount=1)
    made.until(lambda: len(account.fargate.running()) == 1)
    account.client("ecs").update_service(cluster="tiny-cluster", service="tiny-service", desiredCount=0)
    made.until(lambda: len(account.functions.outcomes["made"]) == 1)
    (delivery,) = account.schedule.deliveries
    assert delivery.event["detail"]["group"] == "service:tiny-service"

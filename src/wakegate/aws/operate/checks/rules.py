"""Is the cleanup called when it has to be, and only then?"""

import json
from datetime import UTC, datetime
from typing import Any

from wakegate.aws.operate.ask import AskError
from wakegate.aws.operate.check import Check, fail, ok, warn
from wakegate.aws.operate.policy import permits
from wakegate.aws.operate.remote import WallClock, remote_table
from wakegate.aws.operate.stack import Stack
from wakegate.core.phase import Phase

SCHEDULE = "rate(1 minute)"
SETTLED_S = 600.0  # a rule that is still on so long after the sleep stays on


def check_rules(stack: Stack) -> list[Check]:
    """Look at the schedule, at the hourly safety net and at the events of tasks: state, target, permission."""
    schedule = stack.output("CleanupRule")
    base = schedule.removesuffix("schedule")
    policy = _policy(stack)
    return [
        _schedule(stack, schedule, policy),
        _other(stack, f"{base}safety-net", policy, name="safety net", without="a wake that was lost is never ended"),
        _other(stack, f"{base}tasks", policy, name="task events", without="a crashed task is noticed a minute later"),
    ]


def _schedule(stack: Stack, rule: str, policy: dict[str, Any]) -> Check:
    name, deploy = "schedule", f"wakegate deploy --stack {stack.name}"
    found = _rule(stack, rule)
    if found is None:
        return fail(name, f"there is no rule {rule}: what is awake stays awake for up to an hour more", deploy)
    if found.get("ScheduleExpression") != SCHEDULE:
        return warn(name, f"{rule} is {found.get('ScheduleExpression')}, not {SCHEDULE}", deploy)
    trouble = _trouble(stack, rule, found, policy)
    if trouble:
        return fail(name, f"{trouble}: what is awake stays awake", deploy)
    record = remote_table(stack, clock=WallClock()).load()
    phase = Phase.ASLEEP if record is None else record.phase
    is_on = found["State"] == "ENABLED"
    turn = f"aws events {{}}-rule --name {rule} --region {stack.asker.region}"
    if phase is not Phase.ASLEEP and not is_on:
        return fail(
            name, f"{rule} is off while the service is {phase}: nothing puts it to sleep", turn.format("enable")
        )
    asleep_s = 0.0 if record is None else (datetime.now(UTC) - record.since).total_seconds()
    if phase is Phase.ASLEEP and is_on and asleep_s > SETTLED_S:
        return warn(name, f"{rule} is on while the service sleeps: 43,200 calls a month", turn.format("disable"))
    return ok(name, f"{rule} is {'on' if is_on else 'off'}, as it should be while the service is {phase}")


def _other(stack: Stack, rule: str, policy: dict[str, Any], *, name: str, without: str) -> Check:
    deploy, found = f"wakegate deploy --stack {stack.name}", _rule(stack, rule)
    if found is None:
        return warn(name, f"there is no rule {rule}: {without}", deploy)
    if found["State"] != "ENABLED":
        mend = f"aws events enable-rule --name {rule} --region {stack.asker.region}"
        return warn(name, f"{rule} is off: {without}", mend)
    trouble = _trouble(stack, rule, found, policy)
    return warn(name, f"{trouble}: {without}", deploy) if trouble else ok(name, f"{rule} is on")


def _trouble(stack: Stack, rule: str, found: dict[str, Any], policy: dict[str, Any]) -> str:
    """Say why a rule does not reach the cleanup function; "" where it does."""
    function = stack.output("CleanupFunction")
    targets = stack.asker.ask("events", "list_targets_by_rule", Rule=rule)["Targets"]
    if not any(target["Arn"].rpartition(":function:")[2].partition(":")[0] == function for target in targets):
        return f"{rule} does not call {function}"
    source = found.get("Arn", "")
    if not permits(policy, principal="events.amazonaws.com", action="lambda:InvokeFunction", source_arn=source):
        return f"{function} does not let {rule} call it"
    return ""


def _rule(stack: Stack, name: str) -> dict[str, Any] | None:
    try:
        return stack.asker.ask("events", "describe_rule", Name=name)
    except AskError as error:
        if error.is_missing:
            return None
        raise


def _policy(stack: Stack) -> dict[str, Any]:
    return function_policy(stack, stack.output("CleanupFunction"))


def function_policy(stack: Stack, function: str) -> dict[str, Any]:
    """Return who may call a function; nobody where it has no policy."""
    try:
        text = stack.asker.ask("lambda", "get_policy", FunctionName=function)["Policy"]
    except AskError as error:
        if error.is_missing:
            return {}
        raise
    policy: dict[str, Any] = json.loads(text)
    return policy

"""A stack's changes: made ready, shown, run or thrown away; and its end."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.changes import Change, read_changes
from wakegate.aws.deploy.events import Events
from wakegate.aws.deploy.facts import Stack, read_stack
from wakegate.aws.deploy.failure import DeployError, told
from wakegate.aws.deploy.plan import PREVIOUS, Plan
from wakegate.aws.deploy.screen import Screen

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import (
        DescribeChangeSetOutputTypeDef,
        ParameterTypeDef,
        StackEventTypeDef,
    )

Pause = Callable[[float], None]

LOOK_INTERVAL_S = 2.0  # AWS's own waiters take 5 and more
CHANGE_SET_TIMEOUT_S = 300.0
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
SUCCEEDED = frozenset(("CREATE_COMPLETE", "UPDATE_COMPLETE"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """Changes that are ready to run."""

    arn: str
    stack_arn: str
    is_new: bool
    changes: tuple[Change, ...]


def prepare(account: Account, plan: Plan, template: str, *, pause: Pause = time.sleep) -> ChangeSet:
    """Let CloudFormation work out what would change; nothing is changed yet, but a new stack gets its name."""
    with told(account.region):
        made = account.cloudformation.create_change_set(
            StackName=plan.stack,
            ChangeSetName=f"wakegate-{uuid.uuid4().hex}",
            ChangeSetType="CREATE" if plan.is_new else "UPDATE",
            TemplateBody=template,
            Parameters=_parameters(plan.parameters),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            # Of a stack that could not be made nothing should be left that stands in the way of the next try.
            OnStackFailure="DELETE" if plan.is_new else "ROLLBACK",
        )
    ready = ChangeSet(arn=made["Id"], stack_arn=made["StackId"], is_new=plan.is_new, changes=())
    try:
        changes = _wait_for_changes(account, ready, pause=pause)
    except BaseException:
        discard(account, ready)
        raise
    return ChangeSet(arn=ready.arn, stack_arn=ready.stack_arn, is_new=plan.is_new, changes=changes)


def _parameters(parameters: Mapping[str, str | None]) -> "list[ParameterTypeDef]":
    return [
        {"ParameterKey": name, "UsePreviousValue": True}
        if value is PREVIOUS
        else {"ParameterKey": name, "ParameterValue": value}
        for name, value in sorted(parameters.items())
    ]


def _wait_for_changes(account: Account, ready: ChangeSet, *, pause: Pause) -> tuple[Change, ...]:
    waited_s = 0.0
    while (found := _describe(account, ready))["Status"] not in ("CREATE_COMPLETE", "FAILED"):
        if waited_s >= CHANGE_SET_TIMEOUT_S:
            raise DeployError(f"CloudFormation has not worked the changes out in {waited_s:.0f} s. Try again.")
        pause(LOOK_INTERVAL_S)
        waited_s += LOOK_INTERVAL_S
    if found["Status"] == "FAILED":
        reason = found.get("StatusReason", "it does not say why")
        if any(words in reason for words in NO_CHANGES):
            return ()
        raise DeployError(f"CloudFormation refuses the changes: {reason.rstrip('.')}.")
    changes, token = list(found["Changes"]), found.get("NextToken")
    while token:
        page = _describe(account, ready, token=token)
        changes, token = changes + page["Changes"], page.get("NextToken")
    return read_changes(changes)


def _describe(account: Account, ready: ChangeSet, *, token: str = "") -> "DescribeChangeSetOutputTypeDef":
    with told(account.region):
        if not token:
            return account.cloudformation.describe_change_set(ChangeSetName=ready.arn, StackName=ready.stack_arn)
        return account.cloudformation.describe_change_set(
            ChangeSetName=ready.arn, StackName=ready.stack_arn, NextToken=token
        )


def discard(account: Account, ready: ChangeSet) -> None:
    """Leave the account as it was: without the change set, and without a stack that nothing was made of."""
    with told(account.region):
        if ready.is_new:
            account.cloudformation.delete_stack(StackName=ready.stack_arn)
        else:
            account.cloudformation.delete_change_set(ChangeSetName=ready.arn, StackName=ready.stack_arn)


def execute(account: Account, ready: ChangeSet, *, screen: Screen, pause: Pause = time.sleep) -> Stack:
    """Run the changes to their end, and show what happens; raise the first thing that went wrong."""
    events = Events(total=len(ready.changes), seen=_event_ids(account, ready.stack_arn))
    with told(account.region):
        account.cloudformation.execute_change_set(ChangeSetName=ready.arn, StackName=ready.stack_arn)
    stack = _follow(account, ready.stack_arn, events, screen=screen, pause=pause)
    if stack is not None and stack.status in SUCCEEDED:
        screen.say("stack", f"{stack.name} is {'there' if ready.is_new else 'up to date'} · {events.total_said}")
        return stack
    screen.close()
    raise DeployError(_failed(stack, events, is_new=ready.is_new))


def delete(account: Account, stack: Stack, *, total: int, screen: Screen, pause: Pause = time.sleep) -> None:
    """Delete the stack to the end, and show what happens; raise what would not go."""
    events = Events(total=total, seen=_event_ids(account, stack.arn))
    with told(account.region):
        account.cloudformation.delete_stack(StackName=stack.arn)
    left = _follow(account, stack.arn, events, screen=screen, pause=pause)
    if left is None or left.status == "DELETE_COMPLETE":
        screen.say("stack", f"{stack.name} is gone · {events.total_said}")
        return
    screen.close()
    raise DeployError(
        f"Stack {stack.name} could not be deleted: {events.first_failure or left.reason or left.status}. "
        f"Mend that, then again; to look: aws cloudformation describe-stack-events --stack-name {stack.name}"
    )


def _follow(account: Account, arn: str, events: Events, *, screen: Screen, pause: Pause) -> Stack | None:
    """Show events until the stack has come to rest."""
    try:
        while True:
            _show(account, arn, events, screen=screen)
            has_begun = events.has_begun  # before that, a status is the one of before
            stack = read_stack(account, arn)
            if stack is None or (has_begun and not stack.status.endswith("_IN_PROGRESS")):
                _show(account, arn, events, screen=screen)
                return stack
            pause(LOOK_INTERVAL_S)
    except KeyboardInterrupt:
        name = arn.partition("/")[2].partition("/")[0]
        screen.close()
        look = f"aws cloudformation describe-stack-events --stack-name {name} --region {account.region}"
        screen.say("stack", f"goes on by itself; the same command again says how it ended; to look: {look}")
        raise


def _show(account: Account, arn: str, events: Events, *, screen: Screen) -> None:
    for line in events.feed(_new_events(account, arn, events)):
        screen.step("stack", line)
    screen.bar("stack", events.done_count, events.total, text=events.said)


def _event_ids(account: Account, arn: str) -> set[str]:
    return {one["EventId"] for one in _new_events(account, arn, Events(total=0, seen=set()))}


def _new_events(account: Account, arn: str, events: Events) -> "list[StackEventTypeDef]":
    """Return the events that are not known yet, oldest first."""
    found: list[StackEventTypeDef] = []
    with told(account.region):
        for page in account.cloudformation.get_paginator("describe_stack_events").paginate(StackName=arn):
            fresh = [one for one in page["StackEvents"] if one["EventId"] not in events.seen]
            found += fresh
            if len(fresh) < len(page["StackEvents"]):
                break
    return found[::-1]


def _failed(stack: Stack | None, events: Events, *, is_new: bool) -> str:
    if "service linked role" in (events.first_failure or ""):
        return f"{events.first_failure}. The account has just got its role for ECS; the same command again works."
    reason = events.first_failure or (stack.reason if stack else "") or (stack.status if stack else "it is gone")
    if not is_new:
        rest = "It is as it was before." if stack and stack.status == "UPDATE_ROLLBACK_COMPLETE" else ""
        return f"The stack could not be changed: {reason}. {rest}".rstrip()
    if stack is None or stack.status == "DELETE_COMPLETE":
        return f"The stack could not be made: {reason}. Nothing is left of it; mend that, then again."
    command = f"wakegate destroy --stack {stack.name} --keep-data"
    return f"The stack could not be made: {reason}. What is left of it goes by: {command}"

"""Is the stack whole?"""

from wakegate.aws.operate.ask import AskError
from wakegate.aws.operate.check import Check, fail, ok, short, warn
from wakegate.aws.operate.stack import Stack

NAME = "stack"
HALF = ("_FAILED", "ROLLBACK_COMPLETE")


def check_stack(stack: Stack) -> list[Check]:
    """Look at the state of the stack, and why it failed if it did."""
    status = stack.status
    if not stack.is_ours:
        return [fail(NAME, f"{stack.name} is no stack of Wakegate: it is made from another template")]
    if status.endswith("_IN_PROGRESS"):
        return [warn(NAME, f"{stack.name} is {status}; what is seen below may be half done")]
    if status == "UPDATE_ROLLBACK_COMPLETE":
        saw = f"{stack.name}: the last update failed and was taken back{_why(stack)}"
        return [warn(NAME, saw, f"wakegate deploy --stack {stack.name}")]
    if status.endswith(HALF):
        mend = f"wakegate destroy --stack {stack.name}\nwakegate deploy --stack {stack.name}"
        if status == "UPDATE_ROLLBACK_FAILED":
            mend = f"aws cloudformation continue-update-rollback --stack-name {stack.name}"
        return [fail(NAME, f"{stack.name} is {status}{_why(stack)}", mend)]
    return [ok(NAME, f"{stack.name} is {status}")]


def _why(stack: Stack) -> str:
    """Return what failed first: AWS's events come the newest first, and only the first failure is a cause."""
    try:
        events = stack.asker.every("cloudformation", "describe_stack_events", "StackEvents", StackName=stack.name)
    except AskError:
        return f": {short(stack.reason)}" if stack.reason else ""
    for event in reversed(_newest_run(events)):
        reason = event.get("ResourceStatusReason", "")
        if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason:
            return f": {event['LogicalResourceId']}: {short(reason)}"
    return f": {short(stack.reason)}" if stack.reason else ""


def _newest_run(events: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the events since the newest deployment began."""
    for index, event in enumerate(events):
        if event.get("ResourceStatusReason") == "User Initiated":
            return events[: index + 1]
    return events

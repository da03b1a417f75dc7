"""What became of the tasks that were started lately?"""

from typing import Any

from wakegate.aws.operate.check import Check, fail, ok, short, warn
from wakegate.aws.operate.stack import Stack
from wakegate.core.say import say_count

NAME = "tasks"
MENDS = (
    # a part of ECS's words: what it means, what helps
    ("CannotPullContainerError", "the image could not be pulled", "wakegate deploy --stack {stack}"),
    ("ResourceInitializationError", "what a task needs to start could not be reached or was refused", ""),
    ("CannotStartContainerError", "the container's command cannot be run", "wakegate deploy --stack {stack}"),
    ("OutOfMemory", "the app needs more memory than the task has", "wakegate deploy --stack {stack} --memory 1024"),
    (
        "unable to assume the role",
        "the execution role is gone or trusts somebody else",
        "wakegate deploy --stack {stack}",
    ),
    ("Essential container", "the app has ended by itself", "wakegate logs --aws {stack}"),
)
BY_DESIGN = ("Scaling activity", "Task stopped by user")
LATEST = 10


def check_tasks(stack: Stack) -> list[Check]:
    """Look at why tasks stopped (ECS remembers them for an hour), and at what the service complains about."""
    where = {"cluster": stack.cluster, "serviceName": stack.service}
    stopped = _tasks(stack, **where, desiredStatus="STOPPED")
    running = [task for task in _tasks(stack, **where, desiredStatus="RUNNING") if task["lastStatus"] == "RUNNING"]
    troubles = [(task, reason) for task in stopped if (reason := _trouble(task))]
    if troubles:
        task, reason = max(troubles, key=lambda pair: str(pair[0].get("stoppedAt", pair[0].get("stoppingAt", ""))))
        meaning, mend = _meaning(reason, stack)
        saw = f"{say_count(len(troubles), 'task')} ended badly; the newest: {meaning}: {short(reason)}"
        is_over = any(str(one.get("createdAt", "")) > str(task.get("createdAt", "")) for one in running)
        return [warn(NAME, f"{saw}; since then another has started") if is_over else fail(NAME, saw, mend)]
    events = stack.describe_service().get("events", [])
    if events and "unable to" in events[0].get("message", "") and not running:
        return [fail(NAME, short(events[0]["message"]))]
    return [ok(NAME, f"{len(running)} running, none has ended badly in the last hour")]


def _tasks(stack: Stack, **where: str) -> list[dict[str, Any]]:
    arns = stack.asker.ask("ecs", "list_tasks", **where)["taskArns"]
    if not arns:
        return []
    found: list[dict[str, Any]] = stack.asker.ask("ecs", "describe_tasks", cluster=stack.cluster, tasks=arns[:100])[
        "tasks"
    ]
    return found


def _trouble(task: dict[str, Any]) -> str:
    """Return why a task ended; "" where it was told to and did."""
    boxes = task.get("containers", [])
    why = next((box["reason"] for box in boxes if box.get("reason")), "")
    reason = f"{task.get('stoppedReason', '')} {why}".strip()
    if not reason or reason.startswith(BY_DESIGN):
        return ""
    code = next((box["exitCode"] for box in boxes if box.get("exitCode") is not None), None)
    return f"{reason} (exit code {code})" if code is not None else reason


def _meaning(reason: str, stack: Stack) -> tuple[str, str]:
    for mark, meaning, mend in MENDS:
        if mark in reason:
            return meaning, mend.format(stack=stack.name)
    return "it was stopped", ""

"""doctor: every check of a stack, in the order of a request's way; what nobody lets us see is said, not guessed."""

from collections.abc import Callable, Iterator

from wakegate.aws.operate.ask import AskError
from wakegate.aws.operate.check import Check, fail, warn
from wakegate.aws.operate.checks.front import check_front
from wakegate.aws.operate.checks.functions import check_concurrency, check_functions
from wakegate.aws.operate.checks.network import check_security_group, check_subnets
from wakegate.aws.operate.checks.record import check_record
from wakegate.aws.operate.checks.roles import check_roles
from wakegate.aws.operate.checks.rules import check_rules
from wakegate.aws.operate.checks.scaling import check_scaling
from wakegate.aws.operate.checks.stack import check_stack
from wakegate.aws.operate.checks.table import check_table
from wakegate.aws.operate.checks.task import check_image, check_task
from wakegate.aws.operate.checks.tasks import check_tasks
from wakegate.aws.operate.stack import Stack
from wakegate.core.errors import WakegateError

CHECKS: dict[str, Callable[[Stack], list[Check]]] = {
    "front": check_front,
    "functions": check_functions,
    "concurrency": check_concurrency,
    "roles": check_roles,
    "table": check_table,
    "record": check_record,
    "rules": check_rules,
    "task definition": check_task,
    "image": check_image,
    "tasks": check_tasks,
    "security group": check_security_group,
    "subnets": check_subnets,
    "scaling": check_scaling,
}


def examine(stack: Stack) -> Iterator[Check]:
    """Yield one check after the other."""
    state = check_stack(stack)
    yield from state
    if not (stack.is_ours and stack.outputs):
        return  # there is nothing else to look at, or not yet
    for name, check in CHECKS.items():
        yield from _examined(name, check, stack)


def _examined(name: str, check: Callable[[Stack], list[Check]], stack: Stack) -> list[Check]:
    try:
        return check(stack)
    except AskError as error:
        if error.is_denied:
            return [warn(name, f"could not be looked at: {error}")]
        if error.is_missing:
            return [fail(name, f"it is gone: {error}", f"wakegate deploy --stack {stack.name}")]
        raise
    except WakegateError as error:
        return [fail(name, str(error))]

"""The flow of a deployment: gather -> plan -> show -> ask -> execute."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.bucket import make_bucket, upload
from wakegate.aws.deploy.bundle import Bundle, bundle
from wakegate.aws.deploy.changes import say_changes
from wakegate.aws.deploy.facts import Stack, gather, read_stack
from wakegate.aws.deploy.failure import DeployError
from wakegate.aws.deploy.image import find
from wakegate.aws.deploy.options import Values, problems_of
from wakegate.aws.deploy.plan import Plan, decide, effective, refuse, request_s, say_plan
from wakegate.aws.deploy.push import push
from wakegate.aws.deploy.screen import Screen
from wakegate.aws.deploy.stack import ChangeSet, Pause, discard, execute, prepare
from wakegate.aws.deploy.template import template
from wakegate.core.errors import ConfigError

Ask = Callable[[], bool]
Push = Callable[[Account, Plan, Screen], None]


def push_image(account: Account, plan: Plan, screen: Screen) -> None:
    """Push to the stack's repository."""
    push(account, plan.image, plan.image_uri, screen=screen)


def deploy(
    account: Account,
    what: str,
    *,
    stack_name: str,
    given: Values,
    screen: Screen,
    ask: Ask,
    push: Push = push_image,
    pause: Pause = time.sleep,
) -> Stack | None:
    """Return the stack as it is after the deployment, or None where it was not wanted."""
    code = bundle()
    plan = make_plan(account, what, stack_name=stack_name, given=given, key=code.key)
    ready = prepare(account, plan, template(), pause=pause)
    with undone_unless_run(account, ready):
        for line in (
            *say_plan(plan, account_id=account.id, region=account.region),
            *say_changes(ready.changes, width=screen.width),
        ):
            screen.write(line)
        if ready.changes or plan.pushes:
            if not ask():
                discard(account, ready)
                return None
            provide(account, plan, code, screen=screen, push=push)
    if not ready.changes:
        discard(account, ready)
        stack = read_stack(account, plan.stack)
        screen.say("stack", "nothing to change")
    else:
        stack = execute(account, ready, screen=screen, pause=pause)
    if plan.pushes and not plan.pushes_first:
        _push_late(account, plan, screen=screen, push=push)
    return stack


def _push_late(account: Account, plan: Plan, *, screen: Screen, push: Push) -> None:
    """Push into the repository that the stack has just made; it sleeps, so no task has missed the image."""
    try:
        push(account, plan, screen)
    except DeployError as error:
        raise DeployError(f"{error} (The stack is there: the same command again only pushes.)") from error


def make_plan(account: Account, what: str, *, stack_name: str, given: Values, key: str) -> Plan:
    """Gather and decide; an image is built on the way, but nothing in the account changes."""
    _ = account.id  # whoever has no credentials hears so before an image is built
    stack = read_stack(account, stack_name)
    refuse(stack, region=account.region)
    values = effective(given, stack_name=stack_name, stack=stack)
    if problems := tuple(problems_of(values, request_s=request_s(values))):
        raise ConfigError(problems)  # before an image is built; the image may bring others
    facts = gather(account, stack=stack, values=values)
    image = find(what, account=account, architecture=values["Architecture"])
    return decide(facts, image, given=given, stack_name=stack_name, key=key)


@contextmanager
def undone_unless_run(account: Account, ready: ChangeSet) -> Iterator[None]:
    """Throw the change set away when something keeps it from being run, be it Ctrl-C."""
    try:
        yield
    except BaseException:
        with suppress(DeployError):
            discard(account, ready)
        raise


def provide(account: Account, plan: Plan, code: Bundle, *, screen: Screen, push: Push) -> None:
    """Put in place what the stack is made from: the code, and the image where its repository is there already."""
    if plan.makes_bucket:
        make_bucket(account, plan.bucket)
    if upload(account, plan.bucket, code):
        screen.say("code", f"{code.key} in {plan.bucket}")
    if plan.pushes and plan.pushes_first:
        push(account, plan, screen)

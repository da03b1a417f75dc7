"""`wakegate wake`: wake a service now."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wakegate.cli.stack import aws_options, given_stack, say_meanwhile, stack_service
from wakegate.cli.target import SERVICE, STATE_DIR, service_name, state_dir
from wakegate.core.errors import WakegateError
from wakegate.dashboard.client import RefusedError, ask
from wakegate.local.logs import log_path

if TYPE_CHECKING:
    from wakegate.aws.operate.stack import Stack

LOGGED = frozenset(("WakeFailedError", "WakeTimeoutError"))


@click.command()
@SERVICE
@STATE_DIR
@aws_options
def wake(*, service: str | None, **given: str | None) -> None:
    """Wake SERVICE now and wait until it is awake; a failed wake is an error.

    \b
    wakegate wake web
    wakegate wake --aws shop
    """
    stack = given_stack(**given)
    if stack is None:
        directory = state_dir(given["state_dir"])
        name = service_name(service, directory)
        _wake_here(name, directory)
    else:
        name = stack_service(service, stack)
        _wake_on_aws(stack)
    click.echo(f"{name} is awake")


def _wake_here(name: str, directory: Path) -> None:
    try:
        ask(directory, "wake", service=name, timeout_s=None)
    except RefusedError as error:
        if error.kind not in LOGGED:
            raise
        has_written = log_path(name, state_dir=directory).exists()
        hint = f"; what it wrote: wakegate logs {name}" if has_written else ""
        raise WakegateError(f"{error}{hint}") from error


def _wake_on_aws(stack: "Stack") -> None:
    from wakegate.aws.operate.remote import Remote  # noqa: PLC0415  without the extra there is no boto3
    from wakegate.aws.operate.wake import wake as wake_remote  # noqa: PLC0415  likewise

    say_meanwhile(f"waking {stack.service}; Fargate usually takes half a minute or more …")
    try:
        wake_remote(Remote(stack))
    except KeyboardInterrupt:
        click.echo(f"the wake goes on by itself; to look: wakegate status --aws {stack.name}", err=True)
        raise

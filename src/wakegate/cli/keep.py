"""`wakegate keep`: keep a service awake for a while."""

from typing import TYPE_CHECKING

import click

from wakegate.cli.stack import aws_options, given_stack, stack_service
from wakegate.cli.target import STATE_DIR, complete_service, service_name, state_dir
from wakegate.config.quantity import duration_s
from wakegate.core.say import say_duration
from wakegate.dashboard.client import ask

if TYPE_CHECKING:
    from wakegate.aws.operate.stack import Stack

WORDS = "[SERVICE] TIME|off"


@click.command()
@click.argument("words", nargs=-1, metavar=WORDS, shell_complete=complete_service)
@click.option("--reason", default="wakegate keep", help="Shown by explain and status.")
@STATE_DIR
@aws_options
def keep(*, words: tuple[str, ...], reason: str, **given: str | None) -> None:
    """Keep SERVICE awake for TIME from now, or end that with "off".

    A keep does not wake: it holds off the sleep of a service that is awake, now or later.

    \b
    wakegate keep web 2h
    wakegate keep web off
    wakegate keep 2h --aws shop
    """
    if not words and given["aws"]:
        raise click.UsageError("write the time first: wakegate keep 2h --aws STACK")
    if not words:
        raise click.MissingParameter(param_hint=f"'{WORDS}'", param_type="argument")
    if len(words) > 2:
        raise click.UsageError("write it as: wakegate keep SERVICE 2h")
    seconds, service = _seconds(words[-1]), words[0] if len(words) == 2 else None
    stack = given_stack(**given)
    is_asleep = False
    if stack is None:
        directory = state_dir(given["state_dir"])
        name = service_name(service, directory)
        ask(directory, "keep", service=name, seconds=seconds, reason=reason)
    else:
        name = stack_service(service, stack)
        is_asleep = _keep_on_aws(stack, seconds, reason=reason)
    if not seconds:
        click.echo(f"{name} may sleep again")
    elif is_asleep:
        click.echo(f"{name} sleeps; once something wakes it, it is kept awake for {say_duration(seconds)} from now")
    else:
        click.echo(f"{name} is kept awake for {say_duration(seconds)}")


def _keep_on_aws(stack: "Stack", seconds: float, *, reason: str) -> bool:
    """Keep it; say whether it sleeps now."""
    from wakegate.aws.operate.keep import keep as keep_remote  # noqa: PLC0415  without the extra there is no boto3
    from wakegate.aws.operate.remote import Remote  # noqa: PLC0415  likewise

    return keep_remote(Remote(stack), seconds, reason=reason) == "asleep"


def _seconds(text: str) -> float:
    if text == "off":
        return 0.0
    try:
        return duration_s(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from error

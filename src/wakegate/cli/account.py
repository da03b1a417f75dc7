"""What the verbs for AWS need: boto3, which account is meant, and somebody who agrees."""

import re
import sys
from importlib.util import find_spec
from shlex import quote
from typing import TYPE_CHECKING

import click

from wakegate.core.errors import WakegateError

if TYPE_CHECKING:
    from wakegate.aws.deploy.account import Account


def _stack_name(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", value):
        raise click.BadParameter(f'"{value}" is no name of a stack: letters, digits and dashes, a letter first.')
    return value


STACK = click.option(
    "--stack",
    "stack_name",
    default="wakegate",
    metavar="NAME",
    callback=_stack_name,
    help="Name of the stack (default: wakegate).",
)
REGION = click.option("--region", metavar="NAME", help="AWS region (default: as the AWS command line has it).")
PROFILE = click.option("--profile", metavar="NAME", help="AWS profile (default: as the AWS command line has it).")
YES = click.option("--yes", "is_agreed", is_flag=True, help="Do not ask.")


def open_account(*, region: str | None, profile: str | None) -> "Account":
    """Return the account; raise which extra is missing where boto3 is."""
    if find_spec("boto3") is None:
        raise WakegateError('this needs boto3, which is not installed; run: pip install "wakegate[aws]"')
    from wakegate.aws.deploy.account import Account  # noqa: PLC0415  without the extra there is no boto3

    return Account(profile=profile, region=region)


def needs_somebody(*, is_agreed: bool) -> None:
    """Raise if nobody could be asked; before anything is built, not after."""
    if not is_agreed and not sys.stdin.isatty():
        raise WakegateError("it asks before it changes an account, and here is nobody to ask; agree with: --yes")


def ask(question: str) -> bool:
    """Ask; whoever just presses Enter, or Ctrl-C, has not agreed."""
    try:
        return click.confirm(question, default=False)
    except click.Abort:
        click.echo("\nnothing was changed")
        raise


def place(*, region: str | None, profile: str | None) -> str:
    """Return what stands before the next command for it to find the same account."""
    given = (("AWS_REGION", region), ("AWS_PROFILE", profile))
    return "".join(f"{name}={quote(value)} " for name, value in given if value)

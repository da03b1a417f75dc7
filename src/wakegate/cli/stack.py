"""Which stack in AWS is meant, for the verbs that ask it something."""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wakegate.cli.account import PROFILE, REGION
from wakegate.core.errors import WakegateError

if TYPE_CHECKING:
    from wakegate.aws.operate.stack import Stack

Verb = TypeVar("Verb", bound=Callable[..., Any])


def aws_options(verb: Verb) -> Verb:
    """Give a verb `--aws [STACK]` with `--region` and `--profile`; `given_stack` reads them."""
    option = click.option(
        "--aws",
        is_flag=False,
        flag_value="",
        metavar="[STACK]",
        help="The service of this stack in AWS, not one of a gateway here; the only stack need not be named.",
    )
    return option(REGION(PROFILE(verb)))


def given_stack(
    *, aws: str | None, region: str | None, profile: str | None, state_dir: str | None = None
) -> "Stack | None":
    """Return the stack of `--aws`, or None: then a gateway here is meant."""
    if aws is None:
        if region or profile:
            raise click.UsageError("--region and --profile are for a stack in AWS; add --aws")
        return None
    if state_dir:
        raise click.UsageError("--state-dir is for a gateway here; leave it out, or --aws")
    return open_stack(aws or None, region=region, profile=profile)


def stack_service(given: str | None, stack: "Stack") -> str:
    """Return the service of a stack; it has only one, which need not be named."""
    if given not in (None, stack.service):
        raise WakegateError(f'no service is called "{given}"; the stack {stack.name} has {stack.service}')
    return stack.service


def say_meanwhile(text: str) -> None:
    """Tell a person who waits what for; a program reads only how it ended."""
    if sys.stderr is not None and sys.stderr.isatty():
        click.echo(text, err=True)


def open_stack(name: str | None, *, region: str | None = None, profile: str | None = None) -> "Stack":
    """Return the stack; raise which extra is missing where boto3 is."""
    if find_spec("boto3") is None:
        raise WakegateError('this needs boto3, which is not installed; run: pip install "wakegate[aws]"')
    from wakegate.aws.operate import stack  # noqa: PLC0415  without the extra there is no boto3

    return stack.open_stack(name, region=region, profile=profile)

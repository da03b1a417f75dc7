"""`wakegate deploy`: from a Dockerfile or an image to a URL in an AWS account."""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from wakegate.aws.deploy.options import OPTIONS, SHOWN_MAX, Kind, read, say_default
from wakegate.cli.account import PROFILE, REGION, STACK, YES, ask, needs_somebody, open_account, place


def with_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each line of the table."""
    for option in reversed(OPTIONS):
        shown = "|".join(option.choices) if 0 < len(option.choices) <= SHOWN_MAX else option.kind.value
        command = click.option(option.flag, metavar=shown, multiple=option.kind is Kind.LIST, help=say_default(option))(
            command
        )
    return command


@click.command()
@click.argument("what", default=".", metavar="[PATH|IMAGE|ECR-URI]")
@STACK
@REGION
@PROFILE
@YES
@with_options
def deploy(
    *, what: str, stack_name: str, region: str | None, profile: str | None, is_agreed: bool, **written: Any
) -> None:
    """Deploy the app of a directory with a Dockerfile (default: this one), or an image, to your AWS account.

    What will be made or changed is shown first. An option that is not given keeps the value that the stack has.

    \b
    wakegate deploy .
    wakegate deploy my-app:latest --stack shop --region eu-central-1 --idle-timeout 10m
    """
    given = read({f"--{name.replace('_', '-')}": value for name, value in written.items() if value not in (None, ())})
    account = open_account(region=region, profile=profile)
    needs_somebody(is_agreed=is_agreed)
    from wakegate.aws.deploy import deploy as flow  # noqa: PLC0415  needs the extra, which is there now
    from wakegate.aws.deploy.screen import Screen  # noqa: PLC0415  likewise

    screen = Screen(sys.stdout)
    stack = flow.deploy(
        account,
        what,
        stack_name=stack_name,
        given=given,
        screen=screen,
        ask=lambda: is_agreed or ask("go on?"),
    )
    if stack is None:
        click.echo("nothing was changed")
        return
    for label, text in urls(stack.outputs):
        screen.say(label, text)
    # Whoever must sign a request cannot do so with a header.
    verb = "status" if stack.parameters.get("Authorization") == "iam" else "verify"
    screen.say("next", f"{place(region=region, profile=profile)}wakegate {verb} --aws {stack_name}")


def urls(outputs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Say where the app answers now."""
    url, long_url = outputs.get("Url", ""), outputs.get("LongHoldUrl", "")
    yield "ready", url
    if long_url and long_url != url:
        yield "also", f"{long_url} (holds a request for the whole wake)"
    if target := outputs.get("DomainTarget"):
        yield "domain", f"let its record (CNAME) point to {target}"

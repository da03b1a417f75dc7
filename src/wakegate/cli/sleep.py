"""`wakegate sleep`: put a service to sleep now."""

from typing import TYPE_CHECKING

import click

from wakegate.cli.stack import aws_options, given_stack, say_meanwhile, stack_service
from wakegate.cli.target import SERVICE, STATE_DIR, service_name, state_dir
from wakegate.dashboard.client import ask

if TYPE_CHECKING:
    from wakegate.aws.operate.stack import Stack


@click.command()
@SERVICE
@click.option("--force", is_flag=True, help="Also while requests are in flight; they are cut.")
@click.option("--stop", is_flag=True, help='Stop it, also where sleep.mode is "pause": its memory is free then.')
@STATE_DIR
@aws_options
def sleep(*, service: str | None, force: bool, stop: bool, **given: str | None) -> None:
    """Put SERVICE to sleep now, without waiting for its idle timeout.

    In AWS this takes some ten seconds; a request in them cancels it. It ends a keep there.

    \b
    wakegate sleep web
    wakegate sleep web --stop
    wakegate sleep --aws shop
    """
    stack = given_stack(**given)
    if stack is None:
        directory = state_dir(given["state_dir"])
        name = service_name(service, directory)
        ask(directory, "sleep", service=name, force=force, stop=stop)
    else:
        name = stack_service(service, stack)
        _sleep_on_aws(stack, force=force)
    click.echo(f"{name} is asleep")


def _sleep_on_aws(stack: "Stack", *, force: bool) -> None:
    from wakegate.aws.operate.remote import Remote  # noqa: PLC0415  without the extra there is no boto3
    from wakegate.aws.operate.sleep import sleep as sleep_remote  # noqa: PLC0415  likewise

    say_meanwhile(f"putting {stack.service} to sleep; it drains first …")
    sleep_remote(Remote(stack), force=force)

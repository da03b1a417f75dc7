"""`wakegate destroy`: take a stack away again."""

import sys

import click

from wakegate.cli.account import PROFILE, REGION, STACK, YES, ask, needs_somebody, open_account


@click.command()
@STACK
@REGION
@PROFILE
@YES
@click.option("--keep-data", "keeps_data", is_flag=True, help="Keep the table with the sessions, for the next deploy.")
def destroy(*, stack_name: str, region: str | None, profile: str | None, is_agreed: bool, keeps_data: bool) -> None:
    """Delete a stack: the service, the functions, the URL. What goes and what stays is shown first.

    The images stay; the table with the sessions goes, unless it is kept.

    \b
    wakegate destroy --stack shop --keep-data
    """
    account = open_account(region=region, profile=profile)
    needs_somebody(is_agreed=is_agreed)
    from wakegate.aws.deploy import destroy as flow  # noqa: PLC0415  needs the extra, which is there now
    from wakegate.aws.deploy.screen import Screen  # noqa: PLC0415  likewise

    is_gone = flow.destroy(
        account,
        stack_name=stack_name,
        keeps_data=keeps_data,
        screen=Screen(sys.stdout),
        ask=lambda: is_agreed or ask("delete it?"),
    )
    if not is_gone:
        click.echo("nothing was changed")

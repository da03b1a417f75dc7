"""`wakegate sessions`: the live sessions of a service."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from wakegate.cli.stack import aws_options, given_stack, stack_service
from wakegate.cli.table import say_ago, table, terminal_width
from wakegate.cli.target import SERVICE, STATE_DIR, service_name, state_dir
from wakegate.core.say import say_bytes, say_duration
from wakegate.dashboard.client import ask
from wakegate.dashboard.wire import decode, encode

if TYPE_CHECKING:
    from wakegate.aws.operate.stack import Stack

COLUMNS = ("SESSION", "REQUESTS", "LAST SEEN", "EXPIRES IN", "DATA")


@click.command()
@SERVICE
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(min=1), help="How many, the most recently seen first."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@STATE_DIR
@aws_options
def sessions(*, service: str | None, limit: int, as_json: bool, **given: str | None) -> None:
    """List the live sessions of SERVICE.

    In AWS this reads the table, up to 20,000 items of it: nothing for a monitor that asks each minute.

    \b
    wakegate sessions web --json
    wakegate sessions --aws shop
    """
    stack = given_stack(**given)
    if stack is None:
        directory = state_dir(given["state_dir"])
        found = ask(directory, "sessions", service=service_name(service, directory), limit=limit)
    else:
        stack_service(service, stack)
        found = _sessions_on_aws(stack, limit=limit)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    if not found:
        click.echo("no live sessions")
        return
    now = datetime.now(UTC)
    click.echo(
        table(COLUMNS, [_row(one, now=now) for one in found], width=terminal_width(), spare=("DATA", "EXPIRES IN"))
    )


def _sessions_on_aws(stack: "Stack", *, limit: int) -> list[dict[str, Any]]:
    """Return them as a gateway answers; say so where there are more than were read."""
    from wakegate.aws.operate.sessions import ITEMS_MAX  # noqa: PLC0415  without the extra there is no boto3
    from wakegate.aws.operate.sessions import sessions as sessions_of  # noqa: PLC0415  likewise

    found = sessions_of(stack, limit=limit)
    if not found.is_complete:
        click.echo(f"wakegate: only {ITEMS_MAX:,} items of the table {stack.table} were read; it has more", err=True)
    rows: list[dict[str, Any]] = decode(encode(found.sessions))
    return rows


def _row(session: dict[str, Any], *, now: datetime) -> tuple[str, ...]:
    seen_s = (now - datetime.fromisoformat(session["last_seen_at"])).total_seconds()
    left_s = (datetime.fromisoformat(session["expires"]) - now).total_seconds()
    return (
        session["id"],
        str(session["requests"]),
        say_ago(seen_s),
        say_duration(left_s),
        say_bytes(len(session["data"])) if session["data"] else "–",
    )

"""`wakegate explain`: why is it awake, what woke it, who keeps it awake, when will it sleep."""

import json
import textwrap
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from wakegate.cli.stack import aws_options, given_stack, stack_service
from wakegate.cli.table import table, tame, terminal_width
from wakegate.cli.target import SERVICE, STATE_DIR, service_name, state_dir
from wakegate.core.agent import say_agent
from wakegate.core.say import say_duration
from wakegate.dashboard.client import ask
from wakegate.dashboard.wire import decode, encode

if TYPE_CHECKING:
    from wakegate.aws.operate.stack import Stack

UNCOUNTED = ("held", "served", "refused", "gone", "open", "lost", "start_s", "listen_s", "settle_s")  # in AWS
TOLD = 4  # of the columns: those that are known there
COLUMNS = ("WHEN", "WOKEN BY", "OUTCOME", "TOOK", "HELD", "SERVED", "REFUSED", "GONE", "LOST")


@click.command()
@SERVICE
@click.option("--wakes", is_flag=True, help="List its newest wakes instead: what woke it, who waited, how it ended.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1), help="How many wakes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@STATE_DIR
@aws_options
def explain(*, service: str | None, wakes: bool, limit: int, as_json: bool, **given: str | None) -> None:
    """Say why SERVICE is awake or asleep, what woke it, who keeps it awake, and when it will sleep.

    \b
    wakegate explain web
    wakegate explain web --wakes
    wakegate explain --aws shop
    """
    stack = given_stack(**given)
    if stack is None:
        directory = state_dir(given["state_dir"])
        name = service_name(service, directory)
        found = (
            ask(directory, "ledger", service=name, limit=limit) if wakes else ask(directory, "explain", service=name)
        )
    else:
        stack_service(service, stack)
        found = _wakes_on_aws(stack, limit=limit) if wakes else _explained_on_aws(stack)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif wakes:
        click.echo(wake_table(found, now=datetime.now().astimezone(), width=terminal_width()))
    else:
        click.echo("\n".join(_wrapped(tame(line), terminal_width()) for line in found))


def _explained_on_aws(stack: "Stack") -> list[str]:
    from wakegate.aws.operate.explain import explain as explain_stack  # noqa: PLC0415  without the extra there is no boto3

    return list(explain_stack(stack))


def _wakes_on_aws(stack: "Stack", *, limit: int) -> list[dict[str, Any]]:
    """Return them as a gateway answers; what functions cannot count is null."""
    from wakegate.aws.operate.explain import wakes  # noqa: PLC0415  without the extra there is no boto3

    found: list[dict[str, Any]] = decode(encode(wakes(stack, limit=limit)))
    return [{**line, **dict.fromkeys(UNCOUNTED)} for line in found]


def wake_table(wakes: list[dict[str, Any]], *, now: datetime, width: int | None) -> str:
    """Lay the wakes out, newest first."""
    rows = [_row(wake, now=now) for wake in wakes]
    if not rows:
        return "nothing has woken it yet"
    if wakes[0]["held"] is None:
        return table(COLUMNS[:TOLD], [row[:TOLD] for row in rows], width=width)
    return table(COLUMNS, rows, width=width, spare=("GONE", "REFUSED", "SERVED", "HELD"))


def _row(wake: dict[str, Any], *, now: datetime) -> tuple[str, ...]:
    at, agent = datetime.fromisoformat(wake["at"]).astimezone(now.tzinfo), say_agent(wake["agent"])
    counts = (str(wake[name]) for name in ("held", "served", "refused", "gone", "lost"))
    is_known = wake["outcome"] != "waking" and wake["duration_s"] > 0
    return (
        f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}",
        f"{wake['cause']} ({agent})" if agent else wake["cause"],
        wake["outcome"],
        say_duration(wake["duration_s"]) if is_known else "–",
        *counts,
    )


def _wrapped(line: str, width: int | None) -> str:
    return line if width is None else textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False)

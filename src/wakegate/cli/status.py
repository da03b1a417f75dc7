"""`wakegate status`: how every service is."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from wakegate.cli.stack import aws_options, given_stack
from wakegate.cli.table import say_ago, table, terminal_width
from wakegate.cli.target import STATE_DIR, state_dir, statuses
from wakegate.core.say import say_bytes
from wakegate.dashboard.wire import decode, encode

if TYPE_CHECKING:
    from wakegate.aws.operate.stack import Stack

COLUMNS = ("SERVICE", "PHASE", "REPLICAS", "IN FLIGHT", "SESSIONS", "MEMORY", "LAST REQUEST", "NEXT")
WATCH_INTERVAL_S = 1.0
AWS_WATCH_INTERVAL_S = 5.0  # a look is five calls, and AWS throttles whoever asks without pause
UNKNOWN = ("in_flight", "held", "sessions", "memory_bytes", "requests", "p99_s", "pids")  # of a stack, from here


@click.command()
@click.option("--watch", is_flag=True, help="Show it again each second; with --aws every 5 seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@STATE_DIR
@aws_options
def status(*, watch: bool, as_json: bool, **given: str | None) -> None:
    """Show how every service is, and what will happen to it next.

    \b
    wakegate status --watch
    wakegate status --aws shop
    """
    stack = given_stack(**given)
    look: Callable[[], list[dict[str, Any]]]
    if stack is None:
        look, pause_s = partial(statuses, state_dir(given["state_dir"])), WATCH_INTERVAL_S
    else:
        look, pause_s = partial(_statuses_on_aws, stack), AWS_WATCH_INTERVAL_S
    if not watch:
        click.echo(_text(look(), as_json=as_json, indent=2))
        return
    with suppress(KeyboardInterrupt):  # it is how one ends to watch
        while True:
            text = _text(look(), as_json=as_json, indent=None)
            if not as_json:
                click.clear()
            click.echo(text)
            time.sleep(pause_s)


def _statuses_on_aws(stack: "Stack") -> list[dict[str, Any]]:
    """Return it as a gateway answers, and what only a stack has; nobody can say there how many are in flight."""
    from wakegate.aws.operate.status import status as status_of  # noqa: PLC0415  without the extra there is no boto3

    found: dict[str, Any] = decode(encode(status_of(stack)))
    url = found.pop("url")
    return [{**dict.fromkeys(UNKNOWN), **found, "urls": [url]}]


def _text(rows: list[dict[str, Any]], *, as_json: bool, indent: int | None) -> str:
    if as_json:
        return json.dumps(rows, indent=indent, ensure_ascii=False)
    text = status_table(rows, now=datetime.now(UTC), width=terminal_width())
    addresses = [row["urls"][0] for row in rows if "stack" in row]  # a gateway says its own where it runs
    return "\n".join([text, *addresses])


def status_table(rows: list[dict[str, Any]], *, now: datetime, width: int | None) -> str:
    """Lay the services out; where the terminal is narrow, what will happen next is the last thing to go."""
    spare = ("MEMORY", "LAST REQUEST", "SESSIONS", "REPLICAS", "IN FLIGHT")
    return table(COLUMNS, [_row(row, now=now) for row in rows], width=width, spare=spare)


def _row(row: dict[str, Any], *, now: datetime) -> tuple[str, ...]:
    is_up = row["replicas_wanted"] > 0
    has_memory = is_up or row.get("replicas_paused", 0) > 0
    last = row["last_active_at"]
    busy = str(row["in_flight"]) + (f" + {row['held']} held" if row["held"] else "")
    is_counted = row["in_flight"] is not None  # a function knows its own requests only
    return (
        row["name"],
        row["phase"],
        f"{row['replicas_ready']} / {row['replicas_max']}",
        busy if is_counted and (is_up or row["held"]) else "–",
        "–" if row["sessions"] is None else str(row["sessions"]),
        say_bytes(row["memory_bytes"]) if is_counted and has_memory else "–",
        say_ago((now - datetime.fromisoformat(last)).total_seconds()) if last else "–",
        row["next"],
    )

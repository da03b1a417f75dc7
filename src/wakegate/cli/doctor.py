"""`wakegate doctor`: what is wrong with a stack in AWS, and the command that mends it."""

import json
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import asdict, replace
from shlex import quote
from typing import TYPE_CHECKING

import click

from wakegate.cli.account import PROFILE, REGION
from wakegate.cli.stack import open_stack
from wakegate.cli.table import terminal_width

if TYPE_CHECKING:
    from wakegate.aws.operate.check import Check

MARKS = {"ok": "✓", "warn": "!", "fail": "✗"}
NAME_WIDTH = 18


@click.command()
@click.argument("stack", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@REGION
@PROFILE
def doctor(*, stack: str | None, as_json: bool, region: str | None, profile: str | None) -> int:
    """Look at everything that STACK is made of; say what is wrong, and the command that mends it.

    It changes nothing. The exit code is 1 if something keeps the service from sleeping, waking or answering.

    \b
    wakegate doctor shop
    """
    opened = open_stack(stack, region=region, profile=profile)
    from wakegate.aws.operate.doctor import examine  # noqa: PLC0415  without the extra there is no boto3

    checks: list[Check] = []
    for found in examine(opened):
        check = replace(found, mend=_there(found.mend, region=region, profile=profile))
        checks.append(check)
        if not as_json:
            _say(check)
    if as_json:
        click.echo(json.dumps([asdict(check) for check in checks], indent=2, ensure_ascii=False))
    else:
        click.echo(_sum(checks))
    return 1 if any(check.verdict == "fail" for check in checks) else 0


def _there(mend: str, *, region: str | None, profile: str | None) -> str:
    """Return the commands with the region and profile that were given here, so that they mend this account."""
    lines = []
    for line in mend.splitlines():
        words = [line]
        if region and " --region " not in line:
            words.append(f"--region {quote(region)}")
        if profile:
            words.append(f"--profile {quote(profile)}")
        lines.append(" ".join(words))
    return "\n".join(lines)


def _say(check: "Check") -> None:
    lines = _wrapped(check.saw, first=f"{MARKS[check.verdict]} {check.name:{NAME_WIDTH}} ")
    if check.mend:
        lines += [f"{' ' * (NAME_WIDTH + 3)}mend: {line}" for line in check.mend.splitlines()]  # whole: to be copied
    click.echo("\n".join(lines))
    sys.stdout.flush()


def _wrapped(text: str, *, first: str) -> list[str]:
    width = terminal_width()
    if width is None:
        return [first + text]
    rest = " " * len(first)
    return textwrap.wrap(
        text,
        max(40, width),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _sum(checks: Iterable["Check"]) -> str:
    verdicts = [check.verdict for check in checks]
    counts = {verdict: verdicts.count(verdict) for verdict in ("ok", "warn", "fail")}  # type: ignore[arg-type]  # their values
    return f"{counts['ok']} of {len(verdicts)} in order, {counts['warn']} to look at, {counts['fail']} wrong"

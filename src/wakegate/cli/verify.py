"""`wakegate verify`: see that a service sleeps, wakes, keeps its session and sleeps again."""

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict
from urllib.parse import urlsplit

import click

from wakegate.cli.account import PROFILE, REGION
from wakegate.cli.stack import open_stack
from wakegate.config.quantity import duration_s
from wakegate.verify.steps import Outcome, Plan, Step
from wakegate.verify.steps import verify as steps_of
from wakegate.verify.visitor import Visitor

MARKS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.SKIPPED: "–"}
NAME_WIDTH = len("first request")
SLACK_S, AWS_SLACK_S = 15.0, 180.0  # in AWS the cleanup looks once a minute, and needs two looks and a grace


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """A duration as the settings have it: "20s", "5m"."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See `click.ParamType`."""
        if isinstance(value, float):
            return value
        try:
            return duration_s(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.argument("url", required=False)
@click.option(
    "--aws",
    "name",
    is_flag=False,
    flag_value="",
    metavar="[STACK]",
    help="The URL and the idle timeout of this stack in AWS; the only stack need not be named.",
)
@click.option("--idle-timeout", type=Duration(), metavar="TIME", help="What it is set to: it must not sleep sooner.")
@click.option("--slack", type=Duration(), metavar="TIME", help="How much later it may sleep [15s; in AWS 3m].")
@click.option("--timeout", type=Duration(), default="180s", show_default=True, metavar="TIME", help="Of a wake.")
@click.option("--requests", default=50, show_default=True, type=click.IntRange(1, 10_000), help="While it is awake.")
@click.option("--cookie", default="uuid", show_default=True, help="Name of the session cookie; '' for none.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Sent with every request.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@REGION
@PROFILE
def verify(
    *,
    url: str | None,
    name: str | None,
    idle_timeout: float | None,
    slack: float | None,
    timeout: float,
    requests: int,
    cookie: str,
    headers: tuple[str, ...],
    as_json: bool,
    region: str | None,
    profile: str | None,
) -> int:
    """See that what answers at URL sleeps, wakes, keeps its session, sleeps again and wakes again.

    It is a client like any other, on this machine or in AWS. The exit code is 0 only if everything is as it should be.

    \b
    wakegate verify http://127.0.0.1:8080 --idle-timeout 20s
    wakegate verify unix:/run/wakegate.sock
    wakegate verify --aws shop
    """
    if (url is None) == (name is None):
        raise click.UsageError("give a URL, or --aws [STACK]")
    if name is not None:
        stack = open_stack(name or None, region=region, profile=profile)
        url, idle_timeout = stack.url, stack.idle_timeout_s if idle_timeout is None else idle_timeout
    assert url is not None
    visitor = Visitor(url, cookie=cookie, headers=_headers(headers))
    plan = Plan(
        requests=requests,
        idle_timeout_s=idle_timeout,
        slack_s=_slack_s(url, is_stack=name is not None) if slack is None else slack,
        wake_timeout_s=timeout,
        with_session=cookie != "",
    )
    screen = Screen(is_live=sys.stdout.isatty() and not as_json)
    steps: list[Step] = []
    try:
        for step in steps_of(visitor, plan, tell=screen.tell):
            steps.append(step)
            if not as_json:
                screen.say(f"{MARKS[step.outcome]} {step.name:{NAME_WIDTH}} {step.detail}")
    finally:
        screen.clear()
        visitor.close()
    passed = sum(step.outcome is Outcome.PASSED for step in steps)
    if as_json:
        found = {"url": url, "passed": passed, "of": len(steps), "steps": [asdict(step) for step in steps]}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        click.echo(f"{passed} of {len(steps)}")
    return 0 if passed == len(steps) else 1


class Screen:
    """What is waited for: on the terminal's last line; where there is none, a line on stderr for each step."""

    def __init__(self, *, is_live: bool) -> None:
        self._is_live = is_live
        self._told = ""

    def tell(self, step: str, progress: str) -> None:
        """Show what is waited for."""
        if not self._is_live and step != self._told:
            self._told = step
            click.echo(f"· {step:{NAME_WIDTH}} {progress}", err=True)
        elif self._is_live:
            line = f"· {step:{NAME_WIDTH}} {progress}"
            click.echo(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}", nl=False)

    def say(self, line: str) -> None:
        """Write a line that stays."""
        self.clear()
        click.echo(line)

    def clear(self) -> None:
        """Take away what was waited for."""
        if self._is_live:
            click.echo("\r\x1b[K", nl=False)


def _headers(lines: tuple[str, ...]) -> Mapping[str, str]:
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or not line.isprintable():
            raise click.UsageError(f'write it as --header "Name: value", not "{line}"')
        headers[name.strip()] = value.strip()
    return headers


def _slack_s(url: str, *, is_stack: bool) -> float:
    """Return how late it may be: a custom domain does not show what is behind it, but then --slack can be said."""
    is_aws = is_stack or (urlsplit(url).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn", ".on.aws"))
    return AWS_SLACK_S if is_aws else SLACK_S

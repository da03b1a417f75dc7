"""`wakegate logs`: what a service has written; works with and without a running gateway."""

import asyncio
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wakegate.cli.stack import aws_options, given_stack
from wakegate.cli.table import tame
from wakegate.cli.target import SERVICE, STATE_DIR, state_dir, statuses
from wakegate.core.errors import StateError, WakegateError
from wakegate.core.say import say_duration
from wakegate.local.logs import follow, log_path, tail

if TYPE_CHECKING:
    from wakegate.aws.operate.stack import Stack

SOURCES = ("app", "startup", "cleanup")  # of a stack in AWS


@click.command()
@SERVICE
@click.option("-f", "--follow", "is_following", is_flag=True, help="Go on as it is written.")
@click.option(
    "-n", "--lines", default=100, show_default=True, type=click.IntRange(min=0), help="How many lines to begin with."
)
@STATE_DIR
@aws_options
def logs(*, service: str | None, is_following: bool, lines: int, **given: str | None) -> None:
    """Show what SERVICE has written.

    In AWS SERVICE is "app" (which need not be said), or one of the two functions: "startup" or "cleanup".

    \b
    wakegate logs web -f
    wakegate logs --aws shop startup
    """
    if given["aws"] in SOURCES and service is None:
        raise click.UsageError(
            f'"{given["aws"]}" is a part of a stack; write it first: wakegate logs {given["aws"]} --aws'
        )
    stack = given_stack(**given)
    if stack is not None:
        _show_aws(stack, service, is_following=is_following, lines=lines)
        return
    directory = state_dir(given["state_dir"])
    path = log_path(_name(service, directory), state_dir=directory)
    try:
        if is_following:
            asyncio.run(_follow(path, lines=lines))
        elif not path.exists():
            raise StateError(f"{path.stem} has written nothing yet (there is no {path})")
        for line in tail(path, lines=lines):
            click.echo(line)
    except KeyboardInterrupt:
        return  # it is how one ends to follow
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StateError(f"{path} cannot be read: {error.strerror}") from error


def _show_aws(stack: "Stack", given: str | None, *, is_following: bool, lines: int) -> None:
    from wakegate.aws.operate import logs as remote  # noqa: PLC0415  without the extra there is no boto3

    source = SOURCES[0] if given in (None, stack.service) else str(given)
    with suppress(KeyboardInterrupt):  # it is how one ends to follow
        if is_following:
            for line in remote.follow(stack, (source,), lines=lines):
                click.echo(_shown(line.text, remote.say(line)))
        else:
            found = remote.newest(stack, (source,), lines=lines)
            if lines and not found:
                raise StateError(f"{source} has written nothing in the last {say_duration(remote.WINDOWS_S[-1])}")
            for line in found:
                click.echo(_shown(line.text, remote.say(line)))


def _shown(line: str, said: str) -> str:
    """Return what is shown of a line: as it was written, but for what is said of it, where a visitor's path may be."""
    return line if said == line else tame(said)


async def _follow(path: Path, *, lines: int) -> None:
    async for line in follow(path, lines=lines):
        click.echo(line)


def _name(given: str | None, directory: Path) -> str:
    """Return the service that is meant: one that has written, or that a running gateway knows."""
    known = {path.stem for path in (directory / "logs").glob("*.log")}
    if given in known:
        return str(given)
    with suppress(WakegateError):
        known |= {status["name"] for status in statuses(directory)}
    if given is None and len(known) == 1:
        return known.pop()
    if not known:
        raise StateError(f"no service has written anything in {directory}")
    names = ", ".join(sorted(known))
    if given is None:
        raise WakegateError(f"say which service: {names}")
    if given not in known:
        close = get_close_matches(given, known, n=1)
        hint = f'did you mean "{close[0]}"?' if close else f"there is {names}"
        raise WakegateError(f'no service is called "{given}"; {hint}')
    return given

"""The entry: which verb, and how its errors end.

Exit codes: 0 done, 1 it could not be done, 2 the command or the file is wrong, 130 interrupted.
"""

import errno
import os
import sys
from difflib import get_close_matches
from importlib import import_module
from io import TextIOWrapper
from typing import Any, NoReturn

import click

from wakegate import __version__
from wakegate.core.errors import ConfigError, WakegateError

VERBS = {
    "up": "Start the gateway.",
    "status": "Show how every service is.",
    "wake": "Wake a service now.",
    "sleep": "Put a service to sleep now.",
    "keep": "Keep a service awake for a while.",
    "explain": "Say why a service is awake or asleep, and what woke it.",
    "sessions": "List the live sessions of a service.",
    "logs": "Show what a service has written.",
    "verify": "See from outside that a service sleeps and wakes.",
    "doctor": "Find what is wrong with a stack in AWS, and how to mend it.",
    "check": "Check the configuration file.",
    "init": "Write a first wakegate.toml for what is here.",
    "deploy": "Deploy to your AWS account.",
    "destroy": "Take a deployment away again.",
    "template": "Write the CloudFormation template.",
    "bundle": "Write the zip of the Lambda functions.",
    "completion": "Print the completion script of a shell.",
}


class Verbs(click.Group):
    """Loads a verb's file when it is asked for: `wakegate status` must not load an event loop."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """See `click.Group`."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """See `click.Group`."""
        if cmd_name not in VERBS:
            return None
        command = getattr(import_module(f"wakegate.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        """List the verbs from the table, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say what was perhaps meant by a verb that does not exist."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            close = get_close_matches(args[0], VERBS, n=1)
            hint = f'did you mean "wakegate {close[0]}"?' if close else 'see "wakegate --help"'
            raise click.UsageError(f'there is no command "{args[0]}"; {hint}', ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; whoever reads its output and has enough of it, like `head`, is no error."""
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())  # Python writes what is left when it exits
            return None
        except OSError as error:
            if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EIO):
                raise
            raise WakegateError(f"the output cannot be written: {error.strerror}") from error
        return result


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="wakegate", message="%(prog)s %(version)s")
def cli() -> None:
    """Put any HTTP service to sleep while nobody uses it, and wake it on the next request.

    Start with:  wakegate up -- python -m http.server {port}
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # what a terminal cannot show is no reason to fail
    code: object
    try:
        code = cli.main(args=arguments, prog_name="wakegate", standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except ConfigError as error:
        click.echo("\n".join(error.problems), err=True)
        code = 2
    except WakegateError as error:
        click.echo(f"wakegate: {error}", err=True)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)

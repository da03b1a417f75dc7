"""`wakegate up`: start the gateway."""

import os
from pathlib import Path

import click
import uvloop

from wakegate.cli.serve import Serving
from wakegate.cli.timeline import timeline_for
from wakegate.config.read import read as read_config
from wakegate.core.errors import ConfigError, WakegateError
from wakegate.core.say import say_count
from wakegate.core.spec import Spec
from wakegate.local.inherited import Inheritance, take_sockets
from wakegate.local.notify import Notify
from wakegate.local.predecessor import Predecessor


class Up(click.Command):
    """Takes what stands behind "--" as it is: it is the app's command line, not ours."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See `click.Command`."""
        if "--" not in args:
            return self._parse_ours(ctx, args)
        at = args.index("--")
        ctx.meta["command"] = tuple(args[at + 1 :])
        if not ctx.meta["command"] and not ctx.resilient_parsing:
            raise click.UsageError('nothing stands behind "--"; write: wakegate up -- COMMAND {port}', ctx)
        return super().parse_args(ctx, args[:at])

    def _parse_ours(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            said = error.format_message().rstrip(".")
            raise click.UsageError(
                f'{said}. A command stands behind "--": wakegate up -- COMMAND {{port}}', ctx
            ) from error


@click.command(cls=Up)
@click.option("--listen", metavar="ADDRESS", help="HOST:PORT or unix:PATH (default: 127.0.0.1:8080).")
@click.option("--idle-timeout", metavar="TIME", help="Sleep after being idle for this long (default: 5m).")
@click.option("--wake-timeout", metavar="TIME", help="Give a wake up after this long (default: 180s).")
@click.option("--state-dir", metavar="DIR", help="Where state is kept (default: .wakegate).")
@click.option("--image", metavar="IMAGE", help="Run a container of this image; COMMAND replaces its own.")
@click.option("--port", metavar="PORT", help="The app's port, where it cannot be told one or IMAGE exposes none.")
@click.option("--name", metavar="NAME", help="The service's name, with a COMMAND or IMAGE (default: web).")
@click.option("--json", "as_json", is_flag=True, help="Write the timeline as one JSON object a line.")
@click.option("--no-color", is_flag=True, help="Write the timeline as into a file: no colours, a line an event.")
@click.argument("file", required=False, metavar="[FILE] [-- COMMAND …]", type=click.Path(path_type=Path))
@click.pass_context
def up(
    ctx: click.Context,
    *,
    listen: str | None,
    idle_timeout: str | None,
    wake_timeout: str | None,
    state_dir: str | None,
    image: str | None,
    port: str | None,
    name: str | None,
    as_json: bool,
    no_color: bool,
    file: Path | None,
) -> None:
    """Start the gateway: for the services of FILE (default: wakegate.toml), or without a file for one COMMAND or IMAGE.

    {port} in COMMAND is replaced by the port that the app is to listen on; it also gets it as PORT.

    \b
    wakegate up
    wakegate up -- gunicorn app:app -b 127.0.0.1:{port}
    wakegate up --image nginx:alpine
    """
    command: tuple[str, ...] = ctx.meta.get("command", ())
    given = {
        "gateway.listen": listen,
        "gateway.state_dir": state_dir,
        "service.*.sleep.idle_timeout": idle_timeout,
        "service.*.wake.timeout": wake_timeout,
        "service.*.port": port,
    }
    options = {key: value for key, value in given.items() if value is not None}

    def read() -> Spec:
        return read_config(file, command=command, image=image, service_name=name, options=options)

    notify, predecessor = Notify(os.environ), Predecessor.take(os.environ)
    inherited = Inheritance(sockets=take_sockets(os.environ))
    try:
        spec = read()
    except ConfigError as error:
        told = f"{say_count(len(error.problems), 'problem')}; nothing was started"
        raise ConfigError((*error.problems, told)) from error
    timeline = timeline_for(as_json=as_json, no_color=no_color)
    try:
        serving = Serving(spec, read=read, timeline=timeline, notify=notify)
        uvloop.run(serving.run(inherited=inherited, predecessor=predecessor))
    except BaseExceptionGroup as group:
        expected = _expected(group)
        if expected is None:
            raise
        raise expected from None
    finally:
        timeline.close()


def _expected(group: BaseExceptionGroup[BaseException]) -> WakegateError | None:
    """Return the failure of ours that ended a group of tasks, if nothing else did."""
    found: list[WakegateError] = []
    for error in group.exceptions:
        inner = _expected(error) if isinstance(error, BaseExceptionGroup) else error
        if not isinstance(inner, WakegateError):
            return None
        found.append(inner)
    return found[0]

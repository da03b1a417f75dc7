"""`wakegate up`: start the gateway."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import click
import uvloop

from wakegate.cli.head import head
from wakegate.cli.timeline import JsonTimeline, PlainTimeline, TerminalTimeline, timeline_for
from wakegate.config.changes import changes
from wakegate.config.read import read as read_config
from wakegate.core.errors import ConfigError, WakegateError
from wakegate.core.notice import Notice
from wakegate.core.say import say_count
from wakegate.core.spec import Spec
from wakegate.dashboard.control import control
from wakegate.local.gateway import Gateway
from wakegate.local.inherited import take_sockets
from wakegate.local.notify import Notify

Read = Callable[[], Spec]
AnyTimeline = JsonTimeline | PlainTimeline | TerminalTimeline

REFRESH_INTERVAL_S = 0.5  # of what a terminal shows of the services that are up
REFRESH_PAUSE_RATIO = 50  # at least this many times as long as a refresh takes: it is 2 % of the time at most


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

    try:
        spec = read()
    except ConfigError as error:
        told = f"{say_count(len(error.problems), 'problem')}; nothing was started"
        raise ConfigError((*error.problems, told)) from error
    notify, sockets = Notify(os.environ), take_sockets(os.environ)
    timeline = timeline_for(as_json=as_json, no_color=no_color)
    try:
        uvloop.run(_serve(spec, read=read, timeline=timeline, notify=notify, sockets=sockets))
    except BaseExceptionGroup as group:
        expected = _expected(group)
        if expected is None:
            raise
        raise expected from None
    finally:
        timeline.close()


async def _serve(
    spec: Spec, *, read: Read, timeline: AnyTimeline, notify: Notify, sockets: Sequence[socket.socket]
) -> None:
    """Run gateway and control socket until a signal ends them."""
    gateway = Gateway(spec, timeline=timeline, sockets=sockets)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        notify.stopping()
        gateway.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    current = spec

    def ready() -> None:
        notify.ready(f"{say_count(len(gateway.statuses()), 'service')} on {gateway.url}")

    def reload() -> None:
        nonlocal current
        notify.reloading()
        try:
            new = read()
        except ConfigError as error:
            ready()
            timeline.tell(_notice(gateway, "warning", "the file has problems; it goes on as before", error.problems))
            return
        differences = tuple(changes(current, new))
        gateway.reload(new, done=ready)
        current = new
        what = say_count(len(differences), "change") if differences else "no changes"
        timeline.tell(_notice(gateway, "reloaded", f"reloaded · {what}", differences))

    has_terminal = _has_terminal()

    def hung_up() -> None:
        """Read the file again; but where it was the terminal that was closed, end as by Ctrl-C."""
        if has_terminal and not _has_terminal():
            stop()
        else:
            reload()

    loop.add_signal_handler(signal.SIGHUP, hung_up)

    def started(url: str) -> None:
        timeline.open(head(spec, url, phases=[status.phase for status in gateway.statuses()]))
        timeline.tell(_notice(gateway, "started", f"listens on {url}", ()))
        ready()

    beside = _beside(gateway, Path(spec.gateway.state_dir), timeline=timeline, notify=notify)
    await gateway.run(started=started, beside=beside)


@asynccontextmanager
async def _beside(gateway: Gateway, state_dir: Path, *, timeline: AnyTimeline, notify: Notify) -> AsyncIterator[None]:
    """Answer other commands, and keep a terminal and the service manager up to date, for as long as it serves."""
    async with control(gateway, state_dir), asyncio.TaskGroup() as tasks:
        refreshing = tasks.create_task(_refresh(gateway, timeline), name="refresh")
        watchdog = tasks.create_task(notify.watchdog(), name="watchdog")
        yield
        refreshing.cancel()
        watchdog.cancel()


async def _refresh(gateway: Gateway, timeline: AnyTimeline) -> None:
    pause_s = REFRESH_INTERVAL_S
    while isinstance(timeline, TerminalTimeline):
        await asyncio.sleep(pause_s)
        began_s = time.perf_counter()
        if up := timeline.up():
            timeline.refresh(gateway.glance(up), now=gateway.clock.utc())
        pause_s = max(REFRESH_INTERVAL_S, REFRESH_PAUSE_RATIO * (time.perf_counter() - began_s))


def _has_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _expected(group: BaseExceptionGroup[BaseException]) -> WakegateError | None:
    """Return the failure of ours that ended a group of tasks, if nothing else did."""
    found: list[WakegateError] = []
    for error in group.exceptions:
        inner = _expected(error) if isinstance(error, BaseExceptionGroup) else error
        if not isinstance(inner, WakegateError):
            return None
        found.append(inner)
    return found[0]


def _notice(gateway: Gateway, kind: str, text: str, detail: tuple[str, ...]) -> Notice:
    facts: dict[str, object] = {"url": gateway.url}
    return Notice(
        at=gateway.clock.utc(), kind=kind, service="", subject="wakegate", text=text, detail=detail, facts=facts
    )

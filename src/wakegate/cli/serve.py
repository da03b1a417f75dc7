"""What `wakegate up` runs: a gateway, the control socket beside it, and what signals ask of both."""

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from wakegate.cli.head import head
from wakegate.cli.timeline import JsonTimeline, PlainTimeline, TerminalTimeline
from wakegate.config.changes import changes
from wakegate.core.errors import ConfigError
from wakegate.core.notice import Notice
from wakegate.core.say import say_count
from wakegate.core.spec import Spec
from wakegate.dashboard.control import control
from wakegate.local.gateway import Gateway
from wakegate.local.inherited import Inheritance
from wakegate.local.notify import Notify
from wakegate.local.predecessor import Predecessor

Read = Callable[[], Spec]
AnyTimeline = JsonTimeline | PlainTimeline | TerminalTimeline

REFRESH_INTERVAL_S = 0.5  # of what a terminal shows of the services that are up
REFRESH_PAUSE_RATIO = 50  # at least this many times as long as a refresh takes: it is 2 % of the time at most


class Serving:
    """Runs until a signal ends it, or another program has taken its place."""

    def __init__(self, spec: Spec, *, read: Read, timeline: AnyTimeline, notify: Notify) -> None:
        self._spec = spec
        self._read = read
        self._timeline = timeline
        self._notify = notify
        self._has_terminal = _has_terminal()

    async def run(self, *, inherited: Inheritance, predecessor: Predecessor | None) -> None:
        """Serve; raise `StateError`, alone in its group, where that cannot be."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._stop)
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        loop.add_signal_handler(signal.SIGUSR2, self._upgrade)
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._begin(inherited, predecessor=predecessor)
        finally:
            gc.enable()

    def _begin(self, inherited: Inheritance, *, predecessor: Predecessor | None = None) -> None:
        gc.disable()  # nothing that is made for the services becomes garbage; of 10,000 it is 600,000 objects
        self._began = self._spec.gateway
        gateway = self._gateway = Gateway(
            self._spec, timeline=self._timeline, inherited=inherited, predecessor=predecessor
        )
        beside = _beside(gateway, Path(self._spec.gateway.state_dir), timeline=self._timeline, notify=self._notify)
        self._tasks.create_task(gateway.run(started=self._started, beside=beside), name="gateway")

    def _started(self, url: str) -> None:
        self._timeline.open(head(self._spec, url, phases=self._gateway.phases()))
        self._tell("started", f"listens on {url}")
        if gc.get_freeze_count():
            gc.unfreeze()  # of the gateway that this one takes back from, nothing must stay
        else:
            gc.freeze()  # else requests would wait 300 ms each time that all those objects are looked at
        gc.enable()
        self._ready()

    # -- signals

    def _stop(self) -> None:
        self._notify.stopping()
        self._gateway.stop()

    def _hung_up(self) -> None:
        """Read the file again; but where it was the terminal that was closed, end as by Ctrl-C."""
        if self._has_terminal and not _has_terminal():
            self._stop()
        else:
            self._reload()

    def _reload(self) -> None:
        self._notify.reloading()
        try:
            new = self._read()
        except ConfigError as error:
            self._ready()
            self._tell("warning", "the file has problems; it goes on as before", error.problems)
            return
        differences = changes(self._spec, new, began=self._began)
        self._gateway.reload(new, done=self._reloaded if differences else self._ready)
        self._spec = new
        what = say_count(len(differences), "change") if differences else "no changes"
        self._tell("reloaded", f"reloaded · {what}", differences)

    def _reloaded(self) -> None:
        gc.unfreeze()
        gc.collect()  # what earlier reloads have removed
        gc.freeze()
        self._ready()

    def _upgrade(self) -> None:
        """Start what was started here again, as it is now on disk, to take this one's place."""
        command = [sys.executable, *sys.orig_argv[1:]]
        self._gateway.upgrade(command, environ={**os.environ, **self._notify.variables}, left=self._left)

    def _left(self, to: int | Inheritance) -> None:
        """Say who goes on: another program, or this one, where that has failed."""
        if isinstance(to, Inheritance):
            self._begin(to)
        else:
            self._notify.replaced(to)

    # -- what is told

    def _ready(self) -> None:
        self._notify.ready(f"{say_count(len(self._gateway.phases()), 'service')} on {self._gateway.url}")

    def _tell(self, kind: str, text: str, detail: tuple[str, ...] = ()) -> None:
        facts: dict[str, object] = {"url": self._gateway.url}
        now = self._gateway.clock.utc()
        self._timeline.tell(
            Notice(at=now, kind=kind, service="", subject="wakegate", text=text, detail=detail, facts=facts)
        )


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

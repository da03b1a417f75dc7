"""The timeline of `wakegate up`: on a terminal the newest line of what runs stays in place; piped, a line an event."""

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime

from wakegate.cli.outlet import Outlet
from wakegate.cli.table import cut, tame
from wakegate.core.notice import Notice
from wakegate.core.phase import Phase
from wakegate.core.say import say_count, say_duration
from wakegate.core.status import ServiceStatus
from wakegate.dashboard.wire import encode, fields

SUBJECT_WIDTH = 18
TEXT_AT = len("14:02:11  ") + SUBJECT_WIDTH + 1
TEXT_WIDTH_MIN = 24  # of a terminal that is narrower than that, lines are as long as they are
COLOURS = {
    "woke": "36", "waking": "36", "starting": "2", "ready": "32", "awake": "32", "draining": "2", "stopping": "2",
    "pulling": "36", "pulled": "2", "building": "36", "built": "2", "starting-needed": "2",
    "asleep": "34", "paused": "34", "wake-failed": "31", "exited": "31", "bug": "31;1", "warning": "33",
    "unreachable": "33", "closing": "33", "scaled-out": "35", "scaled-in": "35", "started": "1",
}  # fmt: skip
# Told by the head, by the line that follows at once, or by the line of a terminal that stays in place.
QUIET = frozenset(("started", "stopping", "progress"))


class PlainTimeline:
    """A `Timeline` for pipes and files."""

    is_live = False

    def __init__(self, fd: int, *, encoding: str = "utf-8") -> None:
        self._outlet = Outlet(fd, encoding=encoding, dropped=_dropped)

    def open(self, head: tuple[str, ...]) -> None:
        """Say what runs where."""
        self._outlet.write("\n".join(head) + "\n\n")

    def tell(self, notice: Notice) -> None:
        """See `Timeline.tell`."""
        if notice.kind in QUIET:
            return
        line = f"{_clock(notice.at)}  {tame(notice.subject):<{SUBJECT_WIDTH}} {tame(notice.text)}\n"
        self._outlet.write(line + "".join(_detail(line) for line in notice.detail))

    def close(self) -> None:
        """Write what is left."""
        self._outlet.close()


class TerminalTimeline(PlainTimeline):
    """In colours, wrapped to the terminal; below the events, a line that is always true for each service that is up."""

    is_live = True

    def __init__(self, fd: int, *, encoding: str = "utf-8") -> None:
        super().__init__(fd, encoding=encoding)
        self._up: dict[str, str] = {}  # services that are not asleep, and their lines
        self._progress: dict[str, str] = {}  # what their wakes wait for: "34 of 80 MB"
        self._drawn: list[int] = []  # how long the lines below the events are, as they stand there

    def tell(self, notice: Notice) -> None:
        """See `Timeline.tell`."""
        if phase := notice.facts.get("phase"):
            self._phase(notice.service, str(phase))
        if notice.kind == "progress":
            self._progress[notice.service] = notice.text
        else:
            self._progress.pop(notice.service, None)
        if notice.service in self._up:
            self._up[notice.service] = ""  # what stands there is no longer true; the next refresh says what is
        text = "" if notice.kind in QUIET else self._event(notice)
        self._outlet.write(self._erase() + text + self._draw())

    def up(self) -> tuple[str, ...]:
        """Return the services that are up: `refresh` has nothing to show of the others."""
        return tuple(self._up)

    def refresh(self, statuses: Sequence[ServiceStatus], *, now: datetime) -> None:
        """Show how the services that are up are now."""
        if self._outlet.is_behind():
            return
        for status in statuses:
            self._phase(status.name, status.phase)
            if status.name in self._up:
                subject = cut(status.name, SUBJECT_WIDTH)
                said = " · ".join((say_status(status, now=now), *self._progress_of(status.name)))
                self._up[status.name] = f"{_clock(now)}  {subject:<{SUBJECT_WIDTH}} {said}"
        self._outlet.write(self._erase() + self._draw())

    def _progress_of(self, service: str) -> list[str]:
        return [tame(self._progress[service])] if service in self._progress else []

    def close(self) -> None:
        """See `PlainTimeline.close`: what was true a moment ago is not left standing."""
        self._outlet.write(self._erase())
        super().close()

    def _phase(self, service: str, phase: str) -> None:
        if phase in (Phase.ASLEEP, Phase.STOPPING):
            self._up.pop(service, None)
        else:
            self._up.setdefault(service, "")

    def _event(self, notice: Notice) -> str:
        clock, subject = _clock(notice.at), cut(tame(notice.subject), SUBJECT_WIDTH)
        width = shutil.get_terminal_size().columns - TEXT_AT
        said = tame(notice.text)
        lines = textwrap.wrap(said, width, break_long_words=False) if width >= TEXT_WIDTH_MIN else [said]
        text = f"\n{' ' * TEXT_AT}".join(lines)
        colour = COLOURS.get(notice.kind, "0")
        line = f"\x1b[2m{clock}\x1b[0m  {subject:<{SUBJECT_WIDTH}} \x1b[{colour}m{text}\x1b[0m\n"
        return line + "".join(_detail(line) for line in notice.detail)

    def _erase(self) -> str:
        """Take the lines below the events away, also where the terminal has become narrower and has wrapped them."""
        width = shutil.get_terminal_size().columns
        rows = sum(max(1, -(-length // width)) for length in self._drawn)
        self._drawn = []
        return f"\x1b[{rows}F\x1b[J" if rows else ""

    def _draw(self) -> str:
        size = shutil.get_terminal_size()
        lines = [line for line in self._up.values() if line]
        room = max(1, size.lines // 2)
        if len(lines) > room:
            lines = [*lines[: room - 1], f"{' ' * TEXT_AT}… and {len(lines) - room + 1} more (see: wakegate status)"]
        lines = [cut(line, size.columns - 1) for line in lines]  # a full last column wraps on some terminals
        self._drawn = [len(line) for line in lines]
        return "".join(f"\x1b[1m{line}\x1b[0m\n" for line in lines)


class JsonTimeline:
    """One object a line, for programs."""

    is_live = False

    def __init__(self, fd: int) -> None:
        self._outlet = Outlet(fd, dropped=_dropped_json)

    def open(self, head: tuple[str, ...]) -> None:
        """Nothing: `started` says it."""

    def tell(self, notice: Notice) -> None:
        """See `Timeline.tell`."""
        told = fields(notice)
        self._outlet.write(encode({**told.pop("facts"), **told}).decode())

    def close(self) -> None:
        """Write what is left."""
        self._outlet.close()


def timeline_for(*, as_json: bool, no_color: bool) -> JsonTimeline | PlainTimeline | TerminalTimeline:
    """Choose by what standard output is."""
    if sys.stdout is None:  # closed by whoever started us
        return PlainTimeline(os.open(os.devnull, os.O_WRONLY))
    fd, encoding = sys.stdout.fileno(), sys.stdout.encoding
    if as_json:
        return JsonTimeline(fd)
    is_plain = no_color or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return PlainTimeline(fd, encoding=encoding) if is_plain else TerminalTimeline(fd, encoding=encoding)


def say_status(status: ServiceStatus, *, now: datetime) -> str:
    """Say how a service is that is up: "awake · 12 requests · 2 sessions · p99 4 ms · sleeps in 4m 50s"."""
    waits = f"{say_count(status.held, 'request')} held" if status.held else ""
    if status.phase is Phase.WAKING:
        parts = [f"waking for {say_duration((now - status.since).total_seconds())}", waits, status.next]
    elif status.phase is Phase.AWAKE:
        parts = [
            "awake",
            say_count(status.requests, "request"),
            f"{status.replicas_ready} replicas" if status.replicas_ready > 1 else "",
            say_count(status.sessions, "session") if status.sessions else "",
            "" if status.p99_s is None else f"p99 {_short(status.p99_s)}",
            waits,
            status.next,
        ]
    else:
        parts = [str(status.phase), waits, status.next]
    return " · ".join(part for part in parts if part)


def _short(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 0.9995 else say_duration(seconds)


def _clock(at: datetime) -> str:
    return at.astimezone().strftime("%H:%M:%S")


def _detail(line: str) -> str:
    return " " * (TEXT_AT + 2) + tame(line) + "\n"


def _dropped(count: int) -> str:
    return f"… {say_count(count, 'line')} left out: nobody read them\n"


def _dropped_json(count: int) -> str:
    text = _dropped(count).strip()
    told = Notice(at=datetime.now(UTC), kind="warning", service="", subject="wakegate", text=text)
    return encode(told).decode()

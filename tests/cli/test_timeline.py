"""The timeline: what a terminal shows in place, what a pipe gets, and that neither can do harm."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cli.shell import Open, render, run
from tests.scenarios.gateway import eventually

from wakegate.cli.timeline import JsonTimeline, PlainTimeline, TerminalTimeline, say_status
from wakegate.core.notice import Notice
from wakegate.core.phase import Phase
from wakegate.core.status import ServiceStatus

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
Timeline = JsonTimeline | PlainTimeline | TerminalTimeline
Resize = Callable[[int, int], None]


def notice(kind: str, text: str, *, service: str = "web", subject: str = "", phase: str = "", **how: Any) -> Notice:
    """Return a notice of a service that is in a phase."""
    facts: dict[str, object] = {"phase": phase} if phase else {}
    return Notice(at=NOW, kind=kind, service=service, subject=subject or service, text=text, facts=facts, **how)


def status(name: str = "web", *, phase: Phase = Phase.AWAKE, **how: Any) -> ServiceStatus:
    """Return the status of a service that was used a little."""
    facts: dict[str, Any] = {
        "name": name, "phase": phase, "since": NOW - timedelta(seconds=2), "replicas_ready": 1, "replicas_wanted": 1,
        "replicas_max": 3, "in_flight": 0, "held": 0, "sessions": 2, "last_active_at": NOW, "usual_wake_s": None,
        "failure": "", "next": "sleeps in 5m", "urls": (), "pids": (), "requests": 12, "p99_s": 0.004,
    }  # fmt: skip
    return ServiceStatus(**{**facts, **how})


class Paper:
    """A pipe that a timeline writes into."""

    def __init__(self) -> None:
        self._ours, self.fd = os.pipe()
        os.set_blocking(self._ours, False)
        self._text = ""

    def so_far(self) -> str:
        """Return what has been written."""
        with suppress(BlockingIOError):
            self._text += os.read(self._ours, 1_000_000).decode()
        return self._text

    def shown(self, *, until: str) -> list[str]:
        """Return what a terminal shows, once that is written."""
        eventually(lambda: until in self.so_far(), what=f"{until!r} is written")
        return [line for line in render(self._text) if line]

    def text(self, timeline: Timeline) -> str:
        """Close the timeline and return all of it."""
        timeline.close()
        return self.so_far()

    def end(self) -> None:
        """Close both ends."""
        os.close(self._ours)
        os.close(self.fd)


@pytest.fixture
def paper() -> Iterator[Paper]:
    """Give a pipe."""
    pipe = Paper()
    yield pipe
    pipe.end()


@pytest.fixture
def resize(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    """Say how large the terminal is, as a shell does."""

    def change(columns: int, lines: int = 40) -> None:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("LINES", str(lines))

    change(100)
    return change


def test_piped_every_event_is_one_line(paper: Paper) -> None:
    """A log file is searched and counted by line; what the app wrote stands indented below."""
    timeline = PlainTimeline(paper.fd)
    timeline.open(("wakegate 0.1.0", "sleeps after 5m"))
    timeline.tell(notice("woke", "woke web", subject="GET /"))
    timeline.tell(notice("exited", "replica 1 exited with status 3", detail=("Traceback", "  nope")))
    clock = NOW.astimezone().strftime("%H:%M:%S")
    assert paper.text(timeline).splitlines() == [
        "wakegate 0.1.0",
        "sleeps after 5m",
        "",
        f"{clock}  GET /              woke web",
        f"{clock}  web                replica 1 exited with status 3",
        "                               Traceback",
        "                                 nope",
    ]


def test_no_line_of_an_app_or_a_client_moves_the_cursor(paper: Paper) -> None:
    """A request line or a log line may hold escapes that repaint the operator's terminal: they are taken out."""
    timeline = PlainTimeline(paper.fd)
    hostile = "\x1b[31mred\x1b[0m \x1b]0;title\x07 back\rspace \x9b2J\x00 tab\tend"
    timeline.tell(notice("woke", hostile, subject="GET /\x1b[2J", detail=(hostile,)))
    text = paper.text(timeline)
    assert [char for char in text if ord(char) < 32 or 127 <= ord(char) < 160] == ["\n", "\n"]
    assert "red  back\N{REPLACEMENT CHARACTER}space" in text


def test_json_is_one_object_a_line(paper: Paper) -> None:
    """For programs: each line parses by itself, facts beside the fields, and nothing is cut or coloured."""
    timeline = JsonTimeline(paper.fd)
    timeline.open(("a head",))
    timeline.tell(notice("ready", "ready\nafter 1 s", phase="awake", detail=("x" * 300,)))
    (line,) = paper.text(timeline).splitlines()
    told = json.loads(line)
    assert (told["kind"], told["phase"], told["text"]) == ("ready", "awake", "ready\nafter 1 s")
    assert told["detail"] == ["x" * 300]
    assert datetime.fromisoformat(told["at"]) == NOW


def test_on_a_terminal_the_line_of_a_service_changes_in_place(paper: Paper, resize: Resize) -> None:
    """An hour of an awake service is one line, not thousands; events scroll above it."""
    timeline = TerminalTimeline(paper.fd)
    timeline.tell(notice("ready", "ready after 0.8 s", phase="awake"))
    paper.shown(until="ready after")
    for count in range(2, 5):
        timeline.refresh((status(requests=count),), now=NOW)
        paper.shown(until=f"{count} requests")
    timeline.tell(notice("kept", "kept awake for 2h", phase="awake"))
    eventually(lambda: "kept" in paper.so_far(), what="the event is written")
    timeline.refresh((status(requests=7),), now=NOW)
    assert [line[29:] for line in paper.shown(until="7 requests")] == [
        "ready after 0.8 s",
        "kept awake for 2h",
        "awake · 7 requests · 2 sessions · p99 4 ms · sleeps in 5m",
    ]
    timeline.tell(notice("asleep", "asleep · was awake 5m", phase="asleep"))
    assert [line[29:] for line in paper.shown(until="asleep · was")][-1] == "asleep · was awake 5m"


def test_what_is_no_longer_true_is_not_left_standing(paper: Paper, resize: Resize) -> None:
    """Below "draining", a line "awake · sleeps in 0.1 s" would be a lie, and after Ctrl-C nothing is awake."""
    timeline = TerminalTimeline(paper.fd)
    timeline.refresh((status(),), now=NOW)
    paper.shown(until="12 requests")
    timeline.tell(notice("draining", "idle for 5m · draining", phase="draining"))
    assert "12 requests" not in "".join(paper.shown(until="draining"))
    timeline.refresh((status(phase=Phase.DRAINING, next="stops in 1 s"),), now=NOW)
    assert "stops in 1 s" in "".join(paper.shown(until="stops in"))
    timeline.close()
    assert [line[29:] for line in render(paper.so_far()) if line] == ["idle for 5m · draining"]


def test_what_a_wake_waits_for_is_shown_in_place(paper: Paper, resize: Resize) -> None:
    """A pull of minutes is one line that changes, and what it says ends with the pull."""
    timeline = TerminalTimeline(paper.fd)
    timeline.tell(notice("woke", "woke web", phase="waking"))
    timeline.tell(notice("progress", "34 of 80 MB"))
    waking = status(phase=Phase.WAKING, next="gives up in 2m")

    def refreshed(until: str, *, now: datetime) -> list[str]:
        def is_shown() -> bool:
            timeline.refresh((waking,), now=now)
            return until in paper.so_far()

        eventually(is_shown, what=f"{until!r} is shown")
        return [line[29:] for line in render(paper.so_far()) if line]

    shown = refreshed("80 MB", now=NOW)
    assert shown == ["woke web", "waking for 2 s · gives up in 2m · 34 of 80 MB"]
    timeline.tell(notice("pulled", "pulled nginx in 9 s"))
    shown = refreshed("waking for 3 s", now=NOW + timedelta(seconds=1))
    assert shown == ["woke web", "pulled nginx in 9 s", "waking for 3 s · gives up in 2m"]


def test_on_paper_progress_is_no_line(paper: Paper) -> None:
    """Two a second would be hundreds."""
    timeline = PlainTimeline(paper.fd)
    timeline.tell(notice("progress", "34 of 80 MB"))
    assert paper.text(timeline) == ""


def test_a_terminal_that_became_narrower_is_cleaned_all_the_same(paper: Paper, resize: Resize) -> None:
    """It has wrapped the old line into two rows; taking away one of them would leave scraps at every resize."""
    timeline = TerminalTimeline(paper.fd)
    timeline.refresh((status(),), now=NOW)
    paper.shown(until="12 requests")
    resize(50, 40)
    timeline.refresh((status(requests=13),), now=NOW)
    eventually(lambda: "\x1b[2F\x1b[J" in paper.so_far(), what="both rows are taken away")
    line = paper.so_far().rpartition("\x1b[1m")[2].partition("\x1b[0m")[0]
    assert len(line) < 50
    assert line.endswith("…")


def test_an_event_is_wrapped_and_never_cut(paper: Paper, resize: Resize) -> None:
    """The end of the line is where the reason stands."""
    resize(60, 40)
    timeline = TerminalTimeline(paper.fd)
    reason = "asleep · wake failed, next try in 5 s at the earliest · 1 request answered with the reason"
    timeline.tell(notice("asleep", reason, subject="GET /a/path/longer/than/its/column", phase="asleep"))
    timeline.close()
    lines = [line for line in render(paper.so_far()) if line]
    assert max(len(line) for line in lines) <= 60
    assert " ".join(line[29:].strip() for line in lines) == reason
    assert lines[0][10:28] == "GET /a/path/longe…"


def test_more_services_than_rows_leave_room_for_events(paper: Paper, resize: Resize) -> None:
    """A thousand services that are awake must not push the first event off the terminal."""
    resize(100, 12)
    timeline = TerminalTimeline(paper.fd)
    timeline.refresh([status(f"app{number}") for number in range(20)], now=NOW)
    shown = paper.shown(until="more")
    assert len(shown) == 6
    assert "… and 15 more (see: wakegate status)" in shown[-1]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({}, "awake · 12 requests · 2 sessions · p99 4 ms · sleeps in 5m"),
        ({"requests": 1, "sessions": 0, "p99_s": None}, "awake · 1 request · sleeps in 5m"),
        (
            {"replicas_ready": 3, "p99_s": 1.25},
            "awake · 12 requests · 3 replicas · 2 sessions · p99 1.25 s · sleeps in 5m",
        ),
        (
            {"phase": Phase.WAKING, "held": 3, "next": "ready in ≈ 4 s"},
            "waking for 2 s · 3 requests held · ready in ≈ 4 s",
        ),
        ({"phase": Phase.DRAINING, "next": "draining for 0.5 s"}, "draining · draining for 0.5 s"),
    ],
)
def test_a_service_that_is_up_is_said_in_one_line(how: dict[str, Any], said: str) -> None:
    """What happens, how much, what next; nothing that is zero or unknown."""
    assert say_status(status(**how), now=NOW) == said


def test_a_real_terminal_shows_the_whole_story(terminal: Open, app: tuple[str, ...], tmp_path: Path) -> None:
    """Wake, serve, sleep, on a real terminal: what UX calls the first minute."""
    screen = terminal("up", "--listen", "127.0.0.1:0", "--", *app)
    url = screen.see(r"http://[0-9.:]+")[0]
    for _ in range(3):
        assert httpx.get(url, timeout=60).status_code == 200
    screen.see(r"  web +awake · 3 requests · p99 .* · sleeps in")
    assert run("sleep", "web", folder=tmp_path).returncode == 0
    screen.see(r"  web +asleep · was awake .* · 3 requests · 0 lost")
    events = [line for line in screen.lines() if ":" in line[:3]]
    assert not any("awake · 3 requests · p99" in line for line in events)
    screen.press("\x03")
    assert screen.end() == 0
    assert "stopped · every replica has ended" in screen.lines()[-2]


def test_where_colours_are_unwanted_lines_are_plain(terminal: Open, app: tuple[str, ...]) -> None:
    """NO_COLOR, TERM=dumb and --no-color mean: write as into a file."""
    screen = terminal("up", "--listen", "127.0.0.1:0", "--no-color", "--", *app)
    assert httpx.get(screen.see(r"http://[0-9.:]+")[0], timeout=60).status_code == 200
    screen.see("ready after")
    assert "\x1b" not in screen.raw()

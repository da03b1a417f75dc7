"""`wakegate status`: one look says how everything is and what comes next."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cli.shell import Open, run
from tests.scenarios.gateway import Wakegate

from wakegate.cli.status import status_table

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def row(**how: Any) -> dict[str, Any]:
    """Return what a gateway answers for a service that is awake."""
    return {
        "name": "web", "phase": "awake", "replicas_wanted": 2, "replicas_ready": 2, "replicas_max": 3, "in_flight": 4,
        "held": 0, "sessions": 17, "memory_bytes": 42_000_000, "last_active_at": "2026-03-01T11:59:59.5+00:00",
        "next": "sleeps in 5m", **how,
    }  # fmt: skip


def asleep(**how: Any) -> dict[str, Any]:
    """Return what a gateway answers for a service that sleeps."""
    nothing = {"replicas_wanted": 0, "replicas_ready": 0, "in_flight": 0, "memory_bytes": 0}
    return row(**{"name": "docs", "phase": "asleep", **nothing, "next": "wakes on the first request", **how})


def test_a_table_says_what_is_and_what_comes_next() -> None:
    """What does not apply is a dash, not a zero: a service that sleeps has no requests in flight to count."""
    lines = status_table([row(), asleep(last_active_at="2026-03-01T09:50:00+00:00")], now=NOW, width=None).splitlines()
    assert lines == [
        "SERVICE  PHASE   REPLICAS  IN FLIGHT  SESSIONS  MEMORY  LAST REQUEST  NEXT",
        "web      awake   2 / 3     4          17        42 MB   just now      sleeps in 5m",
        "docs     asleep  0 / 3     –          17        –       2h 10m ago    wakes on the first request",
    ]


def test_a_paused_service_shows_the_memory_that_it_keeps() -> None:
    """It is asleep, and costs something all the same."""
    text = status_table([asleep(replicas_paused=1, memory_bytes=84_000_000)], now=NOW, width=None)
    assert "  84 MB  " in text


def test_who_waits_is_counted_beside_who_is_served() -> None:
    """A wake under way with 40 waiting is the moment when somebody looks."""
    text = status_table([asleep(phase="waking", held=40)], now=NOW, width=None)
    assert "0 + 40 held" in text


@pytest.mark.parametrize(
    ("last", "said"), [(None, "–"), ("2026-02-26T12:00:00+00:00", "3d ago"), ("2026-03-01T12:00:09+00:00", "just now")]
)
def test_the_last_request_may_be_long_ago_or_never(last: str | None, said: str) -> None:
    """Three days of quiet is news; "a day ago" for a service that nobody ever asked would be a lie."""
    line = status_table([asleep(last_active_at=last)], now=NOW, width=None).splitlines()[1]
    assert f"  {said}  " in line


@pytest.mark.parametrize("width", [100, 80, 60, 40])
def test_no_row_is_wider_than_the_terminal(width: int) -> None:
    """The name, the phase and what comes next stay; the rest makes room."""
    lines = status_table([row(), asleep()], now=NOW, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].split()[:2] == ["SERVICE", "PHASE"]
    assert "NEXT" in lines[0]


def test_json_has_every_fact_under_a_stable_name(gateway: Wakegate) -> None:
    """For programs: nothing is said in words only."""
    found = json.loads(run("status", "--json", folder=gateway.folder).stdout)
    assert [one["name"] for one in found] == ["web", "docs"]
    assert {"phase", "since", "replicas_ready", "in_flight", "held", "requests", "p99_s", "urls", "next"} <= set(
        found[0]
    )
    assert found[0]["last_active_at"] is None


def test_watch_shows_it_again_and_ctrl_c_is_its_normal_end(gateway: Wakegate, terminal: Open) -> None:
    """It is ended by Ctrl-C every time: that is no error, and leaves no "Aborted!" behind."""
    screen = terminal("status", "--watch", folder=gateway.folder)
    screen.see("docs +asleep")
    assert gateway.get().status_code == 200
    screen.see("docs +awake")
    screen.press("\x03")
    assert screen.end() == 0
    assert not any("Abort" in line for line in screen.lines())


def test_watched_json_is_one_line_each_time(gateway: Wakegate, terminal: Open) -> None:
    """A program that follows reads lines; screens are for people."""
    screen = terminal("status", "--watch", "--json", folder=gateway.folder, columns=5_000)
    line = screen.see(r"^\[\{.*\}\]$")[0]
    assert json.loads(line)[0]["name"] == "web"
    assert "\x1b[2J" not in screen.raw()


def test_the_state_directory_is_found_from_elsewhere(gateway: Wakegate, tmp_path: Path) -> None:
    """By option and by environment: a cron job does not start in the folder of the site."""
    state_dir = str(gateway.folder / ".wakegate")
    assert "docs" in run("status", "--state-dir", state_dir, folder=tmp_path).stdout
    assert "docs" in run("status", folder=tmp_path, env={"WAKEGATE_STATE_DIR": state_dir}).stdout

"""`wakegate explain`: the reasons in sentences, the wakes in a table."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.cli.shell import Open, run
from tests.scenarios.gateway import Wakegate

from wakegate.cli.explain import wake_table

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def wake(**how: Any) -> dict[str, Any]:
    """Return a wake as a gateway answers it."""
    return {
        "at": "2026-03-01T11:02:11+00:00", "cause": "GET /orders", "agent": "curl/8.5.0", "outcome": "ready",
        "duration_s": 0.84, "held": 3, "served": 2, "refused": 0, "gone": 1, "lost": 0, **how,
    }  # fmt: skip


def test_the_table_says_what_woke_it_and_what_became_of_who_waited() -> None:
    """ "Lost" is always 0, and whoever doubts it can look: that is what a ledger is for."""
    old = wake(at="2026-02-27T23:00:00+00:00", cause="wakegate wake", agent="", outcome="failed", duration_s=12)
    text = wake_table([wake(), old, wake(outcome="waking", duration_s=0)], now=NOW, width=None)
    assert text.splitlines() == [
        "WHEN              WOKEN BY                  OUTCOME  TOOK    HELD  SERVED  REFUSED  GONE  LOST",
        "11:02:11          GET /orders (curl/8.5.0)  ready    0.84 s  3     2       0        1     0",
        "2026-02-27 23:00  wakegate wake             failed   12 s    3     2       0        1     0",
        "11:02:11          GET /orders (curl/8.5.0)  waking   –       3     2       0        1     0",
    ]


def test_where_nobody_counts_the_table_has_no_counts() -> None:
    """Five columns of dashes would hide the four that say something."""
    uncounted = dict.fromkeys(("held", "served", "refused", "gone", "lost"))
    text = wake_table([wake(**uncounted), wake(**uncounted, duration_s=0.0)], now=NOW, width=None)
    assert text.splitlines() == [
        "WHEN      WOKEN BY                  OUTCOME  TOOK",
        "11:02:11  GET /orders (curl/8.5.0)  ready    0.84 s",
        "11:02:11  GET /orders (curl/8.5.0)  ready    –",
    ]


@pytest.mark.parametrize("width", [80, 60])
def test_a_narrow_table_of_wakes_keeps_what_is_asked_most(width: int) -> None:
    """When, by whom, how it ended and what was lost."""
    lines = wake_table([wake()], now=NOW, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert {"WHEN", "OUTCOME", "TOOK", "LOST"} <= set(lines[0].split())


def test_a_service_that_nobody_woke_has_an_empty_ledger(gateway: Wakegate) -> None:
    """A bare header would look like a fault."""
    ended = run("explain", "web", "--wakes", folder=gateway.folder)
    assert (ended.returncode, ended.stdout) == (0, "nothing has woken it yet\n")
    assert json.loads(run("explain", "web", "--wakes", "--json", folder=gateway.folder).stdout) == []


def test_the_ledger_of_a_real_service_is_told_newest_first(gateway: Wakegate) -> None:
    """What woke it at night is answered without a log: for people as a table, for programs as one list."""
    assert gateway.get("/orders", headers={"User-Agent": "UptimeRobot/2.0"}).status_code == 200
    run("sleep", "docs", folder=gateway.folder)
    run("wake", "docs", folder=gateway.folder)
    header, newest, older = run("explain", "docs", "--wakes", folder=gateway.folder).stdout.splitlines()
    assert header.split() == ["WHEN", "WOKEN", "BY", "OUTCOME", "TOOK", "HELD", "SERVED", "REFUSED", "GONE", "LOST"]
    assert "wakegate wake" in newest
    assert "GET /orders (UptimeRobot/2.0)" in older
    found = json.loads(run("explain", "docs", "--wakes", "--json", folder=gateway.folder).stdout)
    assert [(one["cause"], one["held"], one["served"], one["lost"]) for one in found] == [
        ("wakegate wake", 0, 0, 0),
        ("GET /orders", 1, 1, 0),
    ]
    limited = run("explain", "docs", "--wakes", "--limit", "1", "--json", folder=gateway.folder)
    assert json.loads(limited.stdout) == found[:1]


def test_sentences_are_for_people_and_for_programs(gateway: Wakegate, terminal: Open) -> None:
    """The same words; on a narrow terminal they are wrapped between words, in a pipe each is one line."""
    said = run("explain", "web", folder=gateway.folder).stdout.splitlines()
    assert said[0].startswith("web is asleep since ")
    assert "The next request wakes it." in said
    listed = json.loads(run("explain", "web", "--json", folder=gateway.folder).stdout)
    assert listed[1:] == said[1:]
    screen = terminal("explain", "web", folder=gateway.folder, columns=30)
    assert screen.end() == 0
    assert max(len(line) for line in screen.lines()) <= 30
    assert screen.lines()[0].startswith("web is asleep since ")

"""Tables: columns that fit their content, and a narrow terminal."""

import os

import pytest

from wakegate.cli.table import cut, say_ago, table, terminal_width

HEADER = ("SERVICE", "PHASE", "MEMORY", "NEXT")
ROWS = [("web", "awake", "21 MB", "sleeps in 5m"), ("a-long-name", "asleep", "–", "wakes on the first request")]


def test_columns_are_as_wide_as_their_content() -> None:
    """A name longer than its header must not push the next cell out of its column."""
    assert table(HEADER, ROWS).splitlines() == [
        "SERVICE      PHASE   MEMORY  NEXT",
        "web          awake   21 MB   sleeps in 5m",
        "a-long-name  asleep  –       wakes on the first request",
    ]


def test_where_it_is_narrow_the_spare_columns_go_first() -> None:
    """A row that wraps is unreadable; what is left out can be had with a wider window or --json."""
    text = table(HEADER, ROWS, width=50, spare=("MEMORY", "PHASE"))
    assert text.splitlines()[0] == "SERVICE      PHASE   NEXT"
    assert max(map(len, text.splitlines())) <= 50


def test_what_still_does_not_fit_is_cut_and_says_so() -> None:
    """Half a sentence without a mark reads as a whole one."""
    lines = table(HEADER, ROWS, width=30, spare=("MEMORY", "PHASE")).splitlines()
    assert lines[2] == "a-long-name  wakes on the fir…"


def test_a_table_that_fits_keeps_every_column() -> None:
    """The spare ones are dropped only where they must be."""
    assert table(HEADER, ROWS, width=80, spare=("MEMORY",)) == table(HEADER, ROWS)


@pytest.mark.parametrize(("width", "seen"), [(None, "abcdef"), (6, "abcdef"), (5, "abcd…"), (1, "…"), (0, "…")])
def test_a_line_is_cut_to_any_width(width: int | None, seen: str) -> None:
    """Windows are dragged to nothing by accident."""
    assert cut("abcdef", width) == seen


def test_a_pipe_has_no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """`wakegate status | grep` must see whole lines, whatever the terminal beside it is."""
    monkeypatch.setenv("COLUMNS", "20")
    with os.fdopen(os.dup(os.open(os.devnull, os.O_WRONLY)), "w") as nowhere:
        monkeypatch.setattr("sys.stdout", nowhere)
        assert terminal_width() is None


@pytest.mark.parametrize(("seconds", "said"), [(-3, "just now"), (0.4, "just now"), (61, "1m 01s ago")])
def test_ago_is_said_as_people_say_it(seconds: float, said: str) -> None:
    """A clock that was set back must not make it "-3 s ago"."""
    assert say_ago(seconds) == said


@pytest.mark.parametrize("text", ["x\x1b[2Jy", "x\x9b2Jy", "x\x07y", "x\ry"])
def test_what_would_move_the_cursor_is_taken_out(text: str) -> None:
    """A User-Agent is the client's to choose, and is shown on the operator's terminal."""
    shown = table(("AGENT",), [(text,)])
    assert not any(char < " " or "\x7f" <= char <= "\x9f" for char in shown.replace("\n", ""))

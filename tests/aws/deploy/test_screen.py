"""What is shown while it runs: one moving line on a terminal, a line for each step elsewhere."""

import pytest
from tests.aws.deploy.conftest import Paper

from wakegate.aws.deploy.screen import bar


def test_on_a_terminal_the_bar_is_written_over() -> None:
    """Thirty lines of the same would push the question away."""
    paper = Paper(is_terminal=True)
    paper.bar("stack", 15, 20, text="15 of 20 · creating Api")
    paper.step("stack", "created Table")
    paper.say("stack", "shop is there")
    bar_line = "stack    ███████████████░░░░░ 15 of 20 · creating Api"
    assert paper.out.getvalue() == f"{bar_line}\r\x1b[Kstack    shop is there\n"


def test_elsewhere_each_step_is_a_line(paper: Paper) -> None:
    """A log of a pipeline has no cursor."""
    paper.bar("stack", 1, 2, text="1 of 2")
    paper.step("stack", "created Table (1 of 2)")
    assert paper.out.getvalue() == "stack    created Table (1 of 2)\n"


def test_a_bar_is_no_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrapped line cannot be written over."""
    monkeypatch.setenv("COLUMNS", "40")
    paper = Paper(is_terminal=True)
    paper.bar("stack", 0, 1, text="x" * 100)
    assert len(paper.out.getvalue()) == 39


def test_what_moves_is_left_standing_when_it_ends() -> None:
    """The error that follows must not be written behind it."""
    paper = Paper(is_terminal=True)
    paper.bar("stack", 0, 1, text="0 of 1")
    paper.close()
    paper.close()
    assert paper.out.getvalue().endswith("0 of 1\n")


@pytest.mark.parametrize(("done", "total", "filled"), [(0, 4, 0), (1, 4, 5), (4, 4, 20), (9, 4, 20), (0, 0, 20)])
def test_a_bar_is_never_longer_than_full(done: int, total: int, filled: int) -> None:
    """Sizes that Docker tells are those that it knows so far."""
    assert bar(done, total) == "█" * filled + "░" * (20 - filled)

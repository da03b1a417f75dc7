"""A draft keeps what was given in order, and every problem once."""

from pathlib import Path

from wakegate.config.draft import Draft, Given, Values, Where


def test_problems_are_told_in_the_order_of_the_file_and_then_the_rest() -> None:
    """One goes through them with the editor from top to bottom."""
    draft = Draft(folder=Path())
    draft.refuse(Where(label="WAKEGATE_LISTEN"), "a")
    draft.refuse(Where(label="f:9: x", line=9), "b")
    draft.refuse(Where(label="f:2: y", line=2), "c")
    draft.refuse(Where(label="f:9: x", line=9), "b")
    assert draft.problems == ("f:2: y: c", "f:9: x: b", "WAKEGATE_LISTEN: a")


def test_a_problem_is_one_line_that_no_terminal_obeys() -> None:
    """Names of keys and variables are anybody's."""
    draft = Draft(folder=Path())
    draft.refuse(Where(label="A\x1b[2J"), "two\nlines")
    assert draft.problems == ("A\\x1b[2J: two\\nlines",)


def test_what_is_given_later_comes_last() -> None:
    """The last one wins, so the order is the rank."""
    draft = Draft(folder=Path())
    for value in ("file", "environment", "option"):
        draft.give("listen", Given(value=value, where=Where(label=value), folder=Path()))
    assert [given.value for given in draft.given[""]["listen"]] == ["file", "environment", "option"]


def test_a_default_is_at_the_place_of_its_table() -> None:
    """A problem of two values has a line even where one was not written."""
    values = Values(at=Where(label="table"), given={"max": Where(label="max")}, unsound={"min"})
    assert (values.where("max").label, values.where("min").label) == ("max", "table")
    assert (values.are_sound("max"), values.are_sound("max", "min")) == (True, False)

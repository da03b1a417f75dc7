"""Commands: words, or a text that no shell will see."""

import re

import pytest

from wakegate.config.command import Command
from wakegate.config.show import UnfitError

COMMAND = Command()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["gunicorn", "app:app"], ("gunicorn", "app:app")),
        ("gunicorn app:app -b '127.0.0.1:{port}'", ("gunicorn", "app:app", "-b", "127.0.0.1:{port}")),
        (["sh", "-c", "a && b > $PORT"], ("sh", "-c", "a && b > $PORT")),
        ('bash -c "exec a $PORT"', ("bash", "-c", "exec a $PORT")),
        (["echo", "|", "$PORT", ""], ("echo", "|", "$PORT", "")),
    ],
)
def test_a_command_is_words(written: object, read: tuple[str, ...]) -> None:
    """A list is taken as it is; a text is split as a shell would."""
    assert COMMAND.read(written) == read


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (5, '5 is no command; write ["program", "argument", "{port}"]'),
        (["a", 5], '["a", 5] is no command'),
        ({}, "a table is no command"),
        ([], "the command is empty; write"),
        ("", "the command is empty; write"),
        (["", "a"], "the command is empty; write"),
        (["a\0"], "has a zero byte, which no command can hold"),
        ("a 'b", '"a \'b": no closing quotation; write a list of words, or close the quotes'),
        ("a && b", '"&&" needs a shell, and none is used; write ["sh", "-c", "…"]'),
        ("gunicorn -b :$PORT", '":$PORT" needs a shell, and none is used; write ":{port}"'),
        ("gunicorn -b :{PORT}", '"{PORT}" is not replaced by the port; write {port}'),
        (["gunicorn", "-b", ":{ port }"], '"{ port }" is not replaced by the port; write {port}'),
        ("gunicorn -b :${PORT:-80}", 'none is used; write ":{port}"'),
    ],
)
def test_what_would_not_do_what_it_says_is_refused(written: object, problem: str) -> None:
    """Without a shell "&&" is an argument and $PORT five letters: the app would fail in a way that puzzles."""
    with pytest.raises(UnfitError, match=re.escape(problem)):
        COMMAND.read(written)


def test_a_command_is_written_as_one_types_it() -> None:
    """For what a reload tells."""
    assert COMMAND.write(("a", "b c")) == "a 'b c'"

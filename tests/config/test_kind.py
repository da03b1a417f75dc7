"""The other kinds: choices, texts, lists, yes or no, environment variables."""

import pytest

from wakegate.config.kind import Boolean, Choice, Environment, Kind, Text, Texts, is_integer
from wakegate.config.show import UnfitError

NAME = Text(says="name", check=str.upper)
NAMES = Texts(of=NAME, says="list of names")

REFUSED = [
    (Boolean(), "yes", '"yes" is neither true nor false; write true or false, without quotes'),
    (Boolean(), 1, "1 is neither true nor false; write true or false, without quotes"),
    (Choice(of=("cpu", "memory")), "cpus", '"cpus" is not possible here; did you mean "cpu"?'),
    (Choice(of=("cpu", "memory")), 5, '5 is not possible here; write one of "cpu", "memory"'),
    (Choice(of=(503, 204)), 200, "200 is not possible here; write one of 503, 204"),
    (Choice(of=(503, 204)), 503.0, "503.0 is not possible here; write one of 503, 204"),
    (Choice(of=(0, 1)), True, "true is not possible here; write one of 0, 1"),
    (NAME, 5, '5 is no text; write a name in quotes ("…")'),
    (NAMES, "a", '"a" is no list; write ["a"]'),
    (NAMES, {}, 'a table is no list; write a list of names, ["…"]'),
    (NAMES, ["a", 5], '5 is no text; write a name in quotes ("…")'),
    (Environment(), ["A=1"], '["A=1"] is no table; write { NAME = "value" }'),
    (Environment(), {"A": 5}, 'A is no text; write A = "…", in quotes'),
    (Environment(), {"A=B": "x"}, '"A=B" is no name of an environment variable; write letters, digits and _'),
    (Environment(), {"": "x"}, '"" is no name of an environment variable; write letters, digits and _'),
    (Environment(), {"A": "x\0"}, "A has a zero byte, which no environment can hold; leave it out"),
]


@pytest.mark.parametrize(("kind", "value", "problem"), REFUSED, ids=range(len(REFUSED)))
def test_what_does_not_fit_is_told_with_what_would(kind: Kind, value: object, problem: str) -> None:
    """What was found; what is expected."""
    with pytest.raises(UnfitError) as caught:
        kind.read(value)
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (Boolean(), True, True),
        (Choice(of=(503, 204)), 204, 204),
        (NAME, "a", "A"),
        (NAMES, ["b", "a", "B"], ("B", "A")),
        (NAMES, [], ()),
        (Environment(), {"A": "1", "B": ""}, (("A", "1"), ("B", ""))),
    ],
)
def test_what_fits_is_read_as_the_spec_holds_it(kind: Kind, value: object, read: object) -> None:
    """Tuples, so that a spec can be compared and hashed; each text once."""
    assert kind.read(value) == read


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Boolean(), "true", True),
        (Boolean(), "False", False),
        (Boolean(), "1", "1"),
        (Choice(of=(503, 204)), "204", 204),
        (Choice(of=("cpu", "memory")), "cpu", "cpu"),
        (NAMES, "a, b,,c ", ["a", "b", "c"]),
        (NAMES, "", []),
        (Environment(), "A=1 B='two words' C=", {"A": "1", "B": "two words", "C": ""}),
        (Environment(), "A", "A"),
        (Environment(), "A='", "A='"),
    ],
)
def test_the_text_of_an_option_becomes_what_a_file_would_say(kind: Kind, text: str, value: object) -> None:
    """What is none stays a text, and is refused as one."""
    assert kind.from_text(text) == value


def test_the_value_of_a_variable_is_never_shown() -> None:
    """A reload tells what changed, on a terminal that others may see."""
    assert Environment().write((("PASSWORD", "hunter2"),)) == "[PASSWORD]"
    with pytest.raises(UnfitError) as caught:
        Environment().read({"PASSWORD": 12345})
    assert "12345" not in str(caught.value)


def test_a_list_is_written_as_toml_writes_it() -> None:
    """What a reload tells can be put into the file."""
    assert NAMES.write(("A", "B")) == '["A", "B"]'


@pytest.mark.parametrize(("text", "is_one"), [("12", True), ("-1", True), ("", False), ("1.0", False), ("²", False)])
def test_only_plain_digits_are_a_whole_number(text: str, is_one: bool) -> None:
    """`isdigit` takes more than `int` does."""
    assert is_integer(text) is is_one

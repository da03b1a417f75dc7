"""Values in problems: short, on one line, as TOML writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakegate.config.show import SHOWN_MAX, did_you_mean, show, whole

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("5 minutes", '"5 minutes"'),
        (True, "true"),
        (3, "3"),
        (1.5, "1.5"),
        ({"a": 1}, "a table"),
        (["a", 1, [2]], '["a", 1, […]]'),
        ([1, 2, 3, 4], "[1, 2, 3, …]"),
        ("two\nlines\x1b[31m", '"two\\nlines\\x1b[31m"'),
    ],
)
def test_a_value_is_shown_as_it_was_written(value: object, shown: str) -> None:
    """The user must find it again in the file; a terminal must not obey it."""
    assert show(value) == shown


def test_a_long_text_is_cut_but_a_path_is_not() -> None:
    """A problem is one line; a path that is cut cannot be copied."""
    assert show("a" * 100) == '"' + "a" * 58 + '…"'
    assert whole("a" * 100 + "\n") == '"' + "a" * 100 + '\\n"'


def test_a_number_that_python_will_not_write_is_shown_too() -> None:
    """TOML allows it in hexadecimal; `str` refuses more than 4,300 digits."""
    assert show(16**5000) == show(-(16**5000)) == "a very long number"


@given(VALUES)
def test_whatever_is_found_is_shown_short_on_one_line(value: object) -> None:
    """One problem is one line."""
    shown = show(value)
    assert shown.isprintable()
    assert len(shown) <= 3 * (SHOWN_MAX + 4) + 10


def test_a_close_name_is_suggested_and_a_far_one_is_not() -> None:
    """A wrong guess sends people the wrong way."""
    assert did_you_mean("maximum", {"max", "min"}) == '; did you mean "max"?'
    assert did_you_mean("colour", {"max", "min"}, otherwise="; see the docs") == "; see the docs"

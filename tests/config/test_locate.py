"""The line of every key, in every way that TOML lets one write it."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakegate.config.locate import lines

TEXT = '''
# a comment with [brackets] and "quotes
[gateway]   # line 3
listen = "127.0.0.1:8080"

[service.web]
command = [  # line 7
  "gunicorn", # with a ] in a comment
  "app:app = [",
]
env = { A = "x, y = 1", "B.C" = """
two = 3
""", D = {} }
sleep.idle_timeout = "5m"
hold = { depth_max = 5, timeout = "1s" }
'quoted key' = 1.5
"esc\\u0061ped" = 1979-05-27 07:32:00

[service."dotted.name".wake]
probe = \'\'\'
[not.a.table]
\'\'\'
timeout = """a\\"""b""""
grace = \'\'\'c\'\'\'\'
settle = "0s"
[[service.api]]
port = [[1, 2], [{ x = 1 }]]
path = \'/\'
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("gateway", 3),
        ("gateway listen", 4),
        ("service", 6),
        ("service web", 6),
        ("service web command", 7),
        ("service web env", 11),
        ("service web env A", 11),
        ("service web env B.C", 11),
        ("service web env D", 13),
        ("service web sleep", 14),
        ("service web sleep idle_timeout", 14),
        ("service web hold", 15),
        ("service web hold depth_max", 15),
        ("service web hold timeout", 15),
        ("service web quoted_key", 16),
        ("service web escaped", 17),
        ("service dotted.name", 19),
        ("service dotted.name wake probe", 20),
        ("service dotted.name wake timeout", 23),
        ("service dotted.name wake grace", 24),
        ("service dotted.name wake settle", 25),
        ("service api", 26),
        ("service api port", 27),
        ("service api port x", 27),
        ("service api path", 28),
    ],
)
def test_a_key_has_its_line(path: str, line: int) -> None:
    """A wrong line is worse than none."""
    tomllib.loads(TEXT)
    key = tuple(part.replace("quoted_key", "quoted key") for part in path.split())
    assert lines(TEXT)[key] == line


def test_nothing_is_a_key_that_is_none() -> None:
    """Texts and comments are full of things that look like keys."""
    found = {part for path in lines(TEXT) for part in path}
    assert not found & {"not", "two", "y", "brackets", "1", "app:app"}


def test_lines_that_end_as_on_windows_count_once() -> None:
    """Half of all editors write CRLF."""
    assert lines('a = 1\r\n[b]\r\nc = """x\r\ny"""\r\nd = 2\r\n')["b", "d"] == 5


KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
LEAVES = st.integers(-9, 9) | st.booleans() | st.text("ab\"'#[]{}=,.\\\n", max_size=8)
TABLES = st.recursive(
    st.dictionaries(KEYS, LEAVES | st.lists(LEAVES, max_size=3), max_size=4),
    lambda inner: st.dictionaries(KEYS, LEAVES | inner, max_size=4),
    max_leaves=12,
)


@given(TABLES, st.booleans())
def test_whatever_is_written_every_key_is_found_where_it_was_written(
    document: dict[str, object], is_inline: bool
) -> None:
    """Any keys and values, as [tables] and as inline tables, with comments and lists over several lines."""
    written: list[str] = []
    expected: dict[tuple[str, ...], int] = {}
    _write_table((), document, written, expected, is_inline=is_inline)
    text = "\n".join(written) + "\n"
    assert tomllib.loads(text) == document
    found = lines(text)
    assert {path: found.get(path) for path in expected} == expected
    assert all(path in expected for path in found)


def _quoted(text: str) -> str:
    return json.dumps(text).replace("\x7f", "\\u007f") if text.isascii() else _escaped(text)


def _escaped(text: str) -> str:
    return '"' + "".join(f"\\U{ord(letter):08x}" for letter in text) + '"'


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(key)} = {_value(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list):
        return "[ # a ] comment\n" + "".join(f"  {_value(item)}, # ] = [\n" for item in value) + "]"
    if isinstance(value, str):
        return (
            _quoted(value) if "\n" not in value else '"""\n' + value.replace("\\", "\\\\").replace('"', '\\"') + '"""'
        )
    return str(value).lower()


def _note(path: tuple[str, ...], value: object, line: int, expected: dict[tuple[str, ...], int]) -> None:
    """Note a key; those of an inline table on the line that they are on, after the lines of the values before them."""
    expected[path] = line
    if isinstance(value, dict):
        for key, below in value.items():
            _note((*path, key), below, line, expected)
            line += _value(below).count("\n")


def _write_table(
    path: tuple[str, ...],
    table: dict[str, object],
    written: list[str],
    expected: dict[tuple[str, ...], int],
    *,
    is_inline: bool,
) -> None:
    tables = {key: value for key, value in table.items() if isinstance(value, dict) and not is_inline}
    for key, value in table.items():
        if key not in tables:
            _note((*path, key), value, _next_line(written), expected)
            written.append(f"{_quoted(key)} = {_value(value)} # done = [")
    for key, below in tables.items():
        expected[*path, key] = _next_line(written)
        written.append(f"[{'.'.join(_quoted(part) for part in (*path, key))}] # [header]")
        _write_table((*path, key), below, written, expected, is_inline=len(key) % 2 == 0)


def _next_line(written: list[str]) -> int:
    return 1 + sum(1 + text.count("\n") for text in written)

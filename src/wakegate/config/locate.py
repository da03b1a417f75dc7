"""Finds the line of every key of a TOML text, which `tomllib` does not tell.

The text has been read by `tomllib` before, so nothing is checked here: only strings, brackets and keys are told apart.
"""

import re
import tomllib
from collections.abc import Iterator

Path = tuple[str, ...]

WORD = re.compile(
    r'''(?P<string>"""(?:\\.|[^\\])*?"""(?:"{1,2})?|\'\'\'.*?\'\'\'(?:'{1,2})?|"(?:\\.|[^"\\])*"|'[^']*')'''
    r"""|(?P<comment>\#[^\n]*)|(?P<mark>[\[\]{},=.\n])|(?P<bare>[^\s\#"'\[\]{},=.]+)""",
    re.DOTALL,
)


def lines(text: str) -> dict[Path, int]:
    """Return the first line of each table and key by its path; tables of an array share the path of the array."""
    scan = _Scan()
    for word, line in _words(text):
        if scan.in_value:
            scan.value(word)
        else:
            scan.key(word, line)
    return scan.found


class _Scan:
    """Goes from word to word, and knows at each whether a key or a value is read."""

    def __init__(self) -> None:
        self.found: dict[Path, int] = {}
        self.in_value = False
        self._in_header = False
        self._table: Path = ()  # of the newest [header]
        self._path: Path = ()  # of the value that is read
        self._parts: list[str] = []  # of the key that is read
        self._opened: list[tuple[str, Path]] = []  # brackets of values, and the path that they belong to

    def value(self, word: str) -> None:
        """Go on in a value until it ends: at the end of the line, or at a comma inside an inline table."""
        if word in ("[", "{"):
            self._opened.append((word, self._path))
            self.in_value = word == "["
        elif word in ("]", "}"):
            self._path = self._opened.pop()[1]
        elif (word == "\n" and not self._opened) or (word == "," and self._opened and self._opened[-1][0] == "{"):
            self.in_value = False

    def key(self, word: str, line: int) -> None:
        """Go on in a key or a header until it ends."""
        if word == "=":
            table = self._opened[-1][1] if self._opened else self._table
            self._path = self._end(table, line)
            self.in_value = True
        elif word == "\n" and self._in_header:
            self._table = self._end((), line)
            self._in_header = False
        elif word == "}":  # of an empty inline table, or after the last comma that TOML 1.1 allows
            self._path = self._opened.pop()[1]
            self.in_value = True
        elif word == "[":
            self._in_header = True
        elif word not in ("]", ".", "\n"):
            self._parts.append(_plain(word))

    def _end(self, table: Path, line: int) -> Path:
        """Note the key that has ended, and the tables that it implies."""
        path = (*table, *self._parts)
        self._parts = []
        for depth in range(len(path), 0, -1):
            if path[:depth] in self.found:
                break
            self.found[path[:depth]] = line
        return path


def _words(text: str) -> Iterator[tuple[str, int]]:
    """Give every word with its line; the end of the text ends a line, too."""
    line, seen = 1, 0
    for match in WORD.finditer(text + "\n"):
        line += text.count("\n", seen, match.start())
        seen = match.start()
        if match.lastgroup != "comment":
            yield match[0], line


def _plain(raw: str) -> str:
    if raw[0] not in "\"'":
        return raw
    key = tomllib.loads(f"key = {raw}")["key"]
    assert isinstance(key, str)
    return key

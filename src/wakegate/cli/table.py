"""A table for people: columns as wide as their content, and fewer of them where the terminal is narrow."""

import re
import shutil
import sys
from collections.abc import Sequence

from wakegate.core.say import say_duration

GAP = "  "
ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?)")  # colours, titles, cursor movements
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None = None, spare: Sequence[str] = ()
) -> str:
    """Lay rows out under a header. Into a `width`, the `spare` columns go first, then the last one is cut."""
    cells, left = [tuple(header), *(tuple(map(tame, row)) for row in rows)], list(spare)
    while width is not None and left and _width(cells) > width:
        at = cells[0].index(left.pop(0))
        cells = [row[:at] + row[at + 1 :] for row in cells]
    widths = _widths(cells)
    lines = [GAP.join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(cut(line, width) for line in lines)


def terminal_width() -> int | None:
    """Return the width of the terminal that standard output is, or None: a pipe takes lines of any length."""
    return shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None


def cut(line: str, width: int | None) -> str:
    """Return as much of a line as fits, and show that there was more."""
    return line if width is None or len(line) <= width else line[: max(0, width - 1)] + "…"


def say_ago(seconds: float) -> str:
    """Say how long ago something was: "just now", "2h 10m ago"."""
    return "just now" if seconds < 1 else f"{say_duration(seconds)} ago"


def tame(text: str) -> str:
    """Take out what would do something to a terminal: apps and clients write what they like."""
    return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", ESCAPES.sub("", text.expandtabs(4)))


def _widths(cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]


def _width(cells: Sequence[Sequence[str]]) -> int:
    widths = _widths(cells)
    return sum(widths) + len(GAP) * (len(widths) - 1)

"""What a deployment shows while it runs: a bar that moves on a terminal, a line for each step elsewhere."""

import shutil
from typing import TextIO

LABEL_WIDTH = 8
BAR_WIDTH = 20
PIPE_WIDTH = 100  # of lines that no terminal has to show


class Screen:
    """Writes "label   text" lines; the one that is still moving is written over."""

    def __init__(self, out: TextIO, *, is_terminal: bool | None = None) -> None:
        self._out = out
        self.is_terminal = out.isatty() if is_terminal is None else is_terminal
        self._is_moving = False

    @property
    def width(self) -> int:
        """Return how many characters fit in a line."""
        return shutil.get_terminal_size().columns if self.is_terminal else PIPE_WIDTH

    def write(self, line: str) -> None:
        """Write a line as it is."""
        self._write(line, is_moving=False)

    def say(self, label: str, text: str) -> None:
        """Write a line that stays."""
        self._write(f"{label:<{LABEL_WIDTH}} {text}", is_moving=False)

    def bar(self, label: str, done: int, total: int, *, text: str) -> None:
        """Show how far something is; only on a terminal, where the next line replaces it."""
        if self.is_terminal:
            self._write(f"{label:<{LABEL_WIDTH}} {bar(done, total)} {text}", is_moving=True)

    def step(self, label: str, text: str) -> None:
        """Write a step where there is no bar to show it."""
        if not self.is_terminal:
            self.say(label, text)

    def close(self) -> None:
        """Leave what moves where it is."""
        if self._is_moving:
            self._out.write("\n")
            self._out.flush()
        self._is_moving = False

    def _write(self, line: str, *, is_moving: bool) -> None:
        erase = "\r\x1b[K" if self._is_moving else ""
        if is_moving:
            line = line[: self.width - 1]
        self._out.write(f"{erase}{line}{'' if is_moving else chr(10)}")
        self._out.flush()
        self._is_moving = is_moving


def bar(done: int, total: int) -> str:
    """Draw how far `done` of `total` is."""
    filled = BAR_WIDTH if total <= 0 else min(BAR_WIDTH, BAR_WIDTH * done // total)
    return "█" * filled + "░" * (BAR_WIDTH - filled)

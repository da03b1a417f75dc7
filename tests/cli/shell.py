"""How a user meets it: `wakegate` commands as processes, with pipes or on a terminal of their own."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tests.scenarios.gateway import PATIENCE_S, eventually

from wakegate.dashboard.wire import socket_path

NOTHING: Mapping[str, str] = {}
HIDDEN = re.compile(r"^(WAKEGATE_|_WAKEGATE_|COLUMNS$|LINES$|NO_COLOR$|TERM$|FORCE_COLOR$)")
TRACE = "Traceback (most recent call last)"

# Ctrl-C reaches whoever has the terminal for its own.
ON_TERMINAL = (
    "import fcntl, runpy, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "runpy.run_module('wakegate', run_name='__main__', alter_sys=True)"
)


def environment(env: Mapping[str, str] = NOTHING) -> dict[str, str]:
    """Return ours, without what would change how wakegate behaves or looks."""
    ours = {name: value for name, value in os.environ.items() if not HIDDEN.match(name)}
    return {**ours, "TERM": "xterm-256color", **env}


def run(*words: str, folder: Path, env: Mapping[str, str] = NOTHING) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; whatever was typed, nobody is shown a traceback."""
    ended = subprocess.run(
        [sys.executable, "-m", "wakegate", *words],
        cwd=folder,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert TRACE not in ended.stderr, ended.stderr
    return ended


class Terminal:
    """A command on a terminal; `lines` is what a user sees on it, scrolled lines included."""

    def __init__(self, *words: str, folder: Path, columns: int = 100, rows: int = 40) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._fd = ours
        self._output = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_TERMINAL, *words],
            cwd=folder,
            env=environment(),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._fd, keys.encode())

    def raw(self) -> str:
        """Return everything that was written to the terminal so far."""
        return self._output.decode(errors="replace")

    def lines(self) -> list[str]:
        """Return what stands there now."""
        return render(self.raw())

    def see(self, pattern: str) -> re.Match[str]:
        """Return the match once one line shows the pattern."""

        def look() -> re.Match[str] | None:
            return next((match for line in self.lines() if (match := re.search(pattern, line))), None)

        found = eventually(look, what=f"{pattern!r} is seen; there was\n{self.raw()}")
        assert isinstance(found, re.Match)
        return found

    def hang_up(self) -> None:
        """Close the terminal under the command, as closing its window does."""
        fd, self._fd = self._fd, -1  # the reader looks for it again after each piece
        os.close(fd)

    def end(self) -> int:
        """Wait for the end; return the exit code."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def close(self) -> None:
        """End it whatever it does, and close the terminal."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.terminate()  # the second one is for the impatient
        self.end()
        if self._fd >= 0:
            os.close(self._fd)

    def _read(self) -> None:
        try:
            while piece := os.read(self._fd, 65536):
                self._output += piece
        except OSError:
            pass  # the other side is closed: how Linux says that a terminal has ended


class Up:
    """A `wakegate up` whose output goes to files, as under a supervisor."""

    def __init__(self, folder: Path, *words: str, stdout: int | None = None) -> None:
        self.folder = folder
        (folder / "let").mkdir(exist_ok=True)
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "wakegate", "up", "--listen", "127.0.0.1:0", *words],
                cwd=folder,
                env=environment({"LET": str(folder / "let")}),
                stdin=subprocess.DEVNULL,
                stdout=out if stdout is None else stdout,
                stderr=err,
            )

    @property
    def out(self) -> str:
        """Return what it has told so far."""
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        """Return what it has complained about so far."""
        return self._err.read_text(encoding="utf-8")

    def see(self, pattern: str) -> str:
        """Return the text of the pattern once it is told."""
        found = eventually(lambda: re.search(pattern, self.out), what=f"{pattern!r} in {self._out}")
        assert isinstance(found, re.Match)
        return str(found[0])

    def url(self) -> str:
        """Return where it listens, as other commands are told it."""
        eventually(lambda: socket_path(self.folder / ".wakegate").exists(), what="it listens")
        ended = run("status", "--json", folder=self.folder)
        return str(re.findall(r"http://[0-9.:]+", ended.stdout)[0])

    def end(self, *signals: int) -> int:
        """Send these, and return the exit code."""
        for number in signals:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        assert TRACE not in self.err
        return code


class Open(Protocol):
    """Runs a command on a new terminal."""

    def __call__(self, *words: str, folder: Path = ..., columns: int = ...) -> Terminal:
        """See `Terminal`."""
        ...


def render(output: str) -> list[str]:
    """Return the lines that a terminal shows of an output: line feeds, cursor up, clearing; it knows no more."""
    lines, row, column = [""], 0, 0
    for piece in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", output):
        if piece == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif piece == "\r":
            column = 0
        elif re.fullmatch(r"\x1b\[\d*F", piece):
            row, column = max(0, row - int(piece[2:-1] or 1)), 0
        elif piece == "\x1b[J":
            lines[row:] = [lines[row][:column]]
        elif piece == "\x1b[2J":
            lines, row, column = [""], 0, 0
        elif not piece.startswith("\x1b"):
            lines[row] = lines[row][:column].ljust(column) + piece + lines[row][column + len(piece) :]
            column += len(piece)
    return lines

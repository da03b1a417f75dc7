"""The log file of a service: what its replicas wrote, rotated by size, read by `tail` and `follow`.

Replicas write to the file themselves, with O_APPEND and no pipe in between, so that they outlive a gateway that is
killed. Nobody can ask them to open it again, so it is rotated by copying and truncating.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

LINE_BYTES_MAX = 8 * 1024  # longer lines are cut when they are shown; the file has the whole
POLL_S = 0.2
_BLOCK_BYTES = 64 * 1024
_TAIL_BYTES_MAX = 4 * 1024 * 1024  # a tail looks back this far at most
_SEPARATOR = b"--- replica "
_TRUNCATED_POLLS_MAX = 5  # how long a follower waits for the copy of a file that it saw truncated


class ServiceLog:
    """The file that the replicas of one service share; `path` is what `wakegate logs` reads."""

    def __init__(self, service: str, *, state_dir: Path, bytes_max: int, files_max: int) -> None:
        self._service = service
        self._state_dir = state_dir
        self._bytes_max = bytes_max
        self._files_max = files_max  # the current file is one of them

    @property
    def path(self) -> Path:
        """The file; made anew each time, as it would take 400 bytes of each service that sleeps."""
        return log_path(self._service, state_dir=self._state_dir)

    def open(self) -> int:
        """Return a new descriptor to append to; raise `OSError` where the file cannot be written."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def size(self) -> int:
        """Return how long the file is now: a mark for `tail(since=)`."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def written_at(self) -> float:
        """Return when it was last written to, as the wall clock's seconds; 0 where it was not."""
        try:
            return self.path.stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def separate(self, text: str) -> None:
        """Write a separator line, on a line of its own even where the last replica ended in the middle of one."""
        fd = self.open()
        try:
            size = os.fstat(fd).st_size
            broken = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
            os.write(fd, b"\n" * broken + _SEPARATOR + text.encode() + b"\n")
        finally:
            os.close(fd)

    def tail(self, *, lines: int, since: int = 0) -> tuple[str, ...]:
        """Return the newest lines, separators left out; `since` is a `size` from which on lines count."""
        since = since if since <= self.size() else 0  # it was rotated since: what is there now is newer
        newest = _newest(self.path, lines=2 * lines, since=since)  # at worst every other one is a separator
        return tuple(_shown(line) for line in newest if not line.startswith(_SEPARATOR))[-lines:]

    def is_due(self) -> bool:
        """Say whether the file has outgrown its limit."""
        return self._bytes_max > 0 and self.size() > self._bytes_max

    def rotate(self) -> None:
        """Where it is due, move the content to `.log.1`, the older files one further, and empty the file.

        Lost is what is written between the last read of the copy and the truncation, some microseconds; a kill -9
        right after the truncation leaves the copy under its temporary name. On a full disk the content is dropped:
        the space is needed more. The new name comes after the truncation, so a follower that sees it knows both.
        """
        if not self.is_due():  # two workloads share the file for the moments of a reload
            return
        copy = self.path.with_name(f"{self.path.name}.rotating")
        names = [copy, *(_numbered(self.path, number) for number in range(1, self._files_max))]
        try:
            if len(names) > 1:
                shutil.copy(self.path, copy)  # with its mode: what is private stays private
        except OSError:
            copy.unlink(missing_ok=True)
        os.truncate(self.path, 0)
        for newer, older in reversed(list(pairwise(names))):
            with suppress(FileNotFoundError):
                newer.replace(older)


def log_path(service: str, *, state_dir: Path) -> Path:
    """Return where the log of a service is; it need not exist."""
    return state_dir / "logs" / f"{service}.log"


def tail(path: Path, *, lines: int) -> tuple[str, ...]:
    """Return the newest lines, separators included, going back into the rotated file where there are too few."""
    newest = _newest(path, lines=lines)
    if len(newest) < lines:
        newest = _newest(_numbered(path, 1), lines=lines - len(newest)) + newest
    return tuple(_shown(line) for line in newest)


async def follow(path: Path, *, lines: int = 0) -> AsyncGenerator[str, None]:
    """Yield the newest lines, then each line as it is written, for ever; across rotation, with or without a gateway.

    A line counts as written when it ends. The file may not exist yet, or be removed and made again.
    """
    reader = _Reader(path)
    for old in _newest(path, lines=lines, until=reader.position):
        yield _shown(old)
    while True:
        for line in reader.read():
            yield line
        await asyncio.sleep(POLL_S)


class _Reader:
    """Where a follower is in the file, and how it notices that the file was rotated under it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rotated = _numbered(path, 1)
        self._generation = _inode(self._rotated)
        self._inode = _inode(path)
        self._partial = b""
        self._short_polls = 0
        size = path.stat().st_size if self._inode else 0
        last = _read(path, max(0, size - _BLOCK_BYTES))
        self.position = size - len(last) + last.rfind(b"\n") + 1  # an unfinished last line is shown when it ends

    def read(self) -> list[str]:
        """Return the lines that ended since the last call."""
        content = b""
        if _inode(self._rotated) != self._generation:
            # The new name comes after the truncation: what we have not read of the old content is there.
            content = _read(self._rotated, self.position)
            self._begin_again()
        elif _inode(self._path) != self._inode:
            self._break_off()
        elif self._was_truncated():
            self._short_polls += 1
            if self._short_polls < _TRUNCATED_POLLS_MAX:
                return []
            self._break_off()
        fresh = _read(self._path, self.position)
        self.position += len(fresh)
        *whole, self._partial = (self._partial + content + fresh).split(b"\n")
        if len(self._partial) > LINE_BYTES_MAX:
            whole, self._partial = [*whole, self._partial], b""
        return [_shown(line) for line in whole]

    def _was_truncated(self) -> bool:
        try:
            return self._path.stat().st_size < self.position
        except FileNotFoundError:
            return False

    def _break_off(self) -> None:
        """The rest of an unfinished line will not come."""
        self._partial += b"\n" if self._partial else b""
        self._begin_again()

    def _begin_again(self) -> None:
        self._generation, self._inode = _inode(self._rotated), _inode(self._path)
        self.position = self._short_polls = 0


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _read(path: Path, position: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(position)
            return file.read()
    except FileNotFoundError:
        return b""


def _newest(path: Path, *, lines: int, since: int = 0, until: int | None = None) -> list[bytes]:
    """Read backwards until there are enough lines, or the limit is reached."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return []
    with file:
        end = position = file.seek(0, os.SEEK_END) if until is None else until
        content = b""
        # One more line than asked: the first of a block may be cut.
        while position > since and content.count(b"\n") <= lines and end - position < _TAIL_BYTES_MAX:
            start = max(since, position - _BLOCK_BYTES)
            file.seek(start)
            content = file.read(position - start) + content
            position = start
    newest = content.removesuffix(b"\n").split(b"\n") if content else []
    return newest[-lines:] if lines > 0 else []


def _shown(line: bytes) -> str:
    return line[:LINE_BYTES_MAX].decode(errors="replace").rstrip("\r")

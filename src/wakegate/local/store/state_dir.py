"""The state directory: made private, kept out of git, and used by one gateway at a time."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from wakegate.core.errors import StateError


class StateDir:
    """Makes the directory and holds its lock; the kernel releases the lock when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = -1

    def __enter__(self) -> Self:
        """Make it and take the lock; raise `StateError` with what to do."""
        try:
            self._make()
            # Close on exec: a replica that outlives a killed gateway must not keep the lock for it.
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                self._take()
            except BaseException:
                os.close(self._lock)
                raise
        except OSError as error:
            raise StateError(
                f"{self.path} cannot be used for state: {error.strerror}; choose another directory with --state-dir"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the lock, unless that was done before."""
        self.release()

    def release(self) -> None:
        """Let go of the lock. The file stays: if it were removed, two gateways could each lock one of that name."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _make(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise NotADirectoryError(0, "it is a file, not a directory")
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignore = self.path / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")

    def _take(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(self._lock, 32, 0).decode(errors="replace").strip() or "unknown"
            raise StateError(
                f"another wakegate (pid {owner}) uses {self.path}; "
                "stop it, or choose another directory with --state-dir"
            ) from error
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

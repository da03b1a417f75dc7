"""One connection to one SQLite file: how it is opened, how it is written, and what its failures are called.

WAL with synchronous=NORMAL: what was committed survives any death of the process, kill -9 included, because the kernel
has it; a power cut may lose the last moments but never corrupts the file. FULL would wait for the disk at each commit.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wakegate.core.errors import StateError
from wakegate.local.store.schema import migrate

# Somebody with sqlite3 may hold the file. Writes are made on the event loop, which stands still meanwhile; whoever
# could not write goes on and writes again, so this is short.
BUSY_TIMEOUT_S = 0.25


class Database:
    """For the thread that made it. Statements are prepared once: sqlite3 keeps them by their text."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.touch(mode=0o600)  # it has the key that signs sessions; SQLite's two side files get the same mode
            self._connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StateError(f"{path} cannot be opened: {error}; choose another directory with --state-dir") from error
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Let go of the file; what is in the log moves into it."""
        self._connection.close()

    def read(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """Return all rows."""
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StateError(f"{self._path} cannot be read: {error}") from error

    def write(self, statement: str, values: Sequence[object] = ()) -> int:
        """Execute one statement, a transaction of its own unless one is open; return how many rows it changed."""
        try:
            return self._connection.execute(statement, values).rowcount
        except sqlite3.Error as error:
            raise StateError(f"{self._path} cannot be written: {error}") from error

    def write_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Execute one statement for each row; in one transaction only inside `transaction`."""
        try:
            self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            raise StateError(f"{self._path} cannot be written: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written in the block is written, or nothing is."""
        self.write("BEGIN IMMEDIATE")
        try:
            yield
            self.write("COMMIT")
        finally:
            if self._connection.in_transaction:  # no longer, where SQLite itself has rolled back
                self._connection.execute("ROLLBACK")

    def _prepare(self) -> None:
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            problem = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]  # 25 ms for 100,000 sessions
            if problem == "ok":
                migrate(self._connection, path=self._path)
        except sqlite3.OperationalError as error:  # locked, read-only, full: another file would not help
            raise StateError(
                f"{self._path} cannot be used: {error}; see who has it open, and that it has room"
            ) from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error
        if problem != "ok":
            raise self._damaged(problem)

    def _damaged(self, problem: object) -> StateError:
        what = str(problem).splitlines()[-1]  # quick_check puts a heading above what it found
        return StateError(f"{self._path} is damaged ({what}); move it away and start again without it")

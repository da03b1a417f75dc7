"""The tables, as steps: step N takes a file from user_version N to N + 1. A step that was released is never changed.

No STRICT tables: the SQLite of a distribution that is still supported (3.34) does not know them.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from wakegate.core.errors import StateError

STEPS = (
    # WITHOUT ROWID: each table is read by its key, and its rows are short. It also puts the key into every index, so
    # that 100,000 live sessions are counted in 7 ms instead of 110.
    """
    CREATE TABLE record (
        name TEXT PRIMARY KEY, version INTEGER NOT NULL, phase TEXT NOT NULL, since INTEGER NOT NULL,
        last_active_at INTEGER NOT NULL, targets TEXT NOT NULL, wake_by INTEGER, owner TEXT NOT NULL,
        owner_until INTEGER, failure_reason TEXT, failure_count INTEGER, failure_at INTEGER,
        keep_until INTEGER, keep_reason TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE wake (
        id TEXT PRIMARY KEY, service TEXT NOT NULL, at INTEGER NOT NULL, cause TEXT NOT NULL, agent TEXT NOT NULL,
        outcome TEXT NOT NULL, reason TEXT NOT NULL, start_s REAL NOT NULL, listen_s REAL NOT NULL,
        settle_s REAL NOT NULL, duration_s REAL NOT NULL, held INTEGER NOT NULL, served INTEGER NOT NULL,
        refused INTEGER NOT NULL, gone INTEGER NOT NULL, open INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX wake_newest ON wake (service, at, id);
    CREATE TABLE session (
        service TEXT NOT NULL, id TEXT NOT NULL, created_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL,
        requests INTEGER NOT NULL, expires INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (service, id)
    ) WITHOUT ROWID;
    CREATE INDEX session_expiry ON session (expires);
    CREATE TABLE secret (id INTEGER PRIMARY KEY CHECK (id = 1), value BLOB NOT NULL);
    """,
)


def migrate(connection: sqlite3.Connection, *, path: Path, steps: Sequence[str] = STEPS) -> None:
    """Bring a file up to date, each step in a transaction of its own; raise `StateError` for one from the future."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(steps):
        raise StateError(
            f"{path} was written by a newer wakegate (schema {version}, this one knows {len(steps)}); "
            "install that one, or move the file away and start again without it"
        )
    for number, step in enumerate(steps[version:], start=version + 1):
        try:
            connection.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

"""State and sessions in one SQLite file.

A write takes some 25 microseconds, so it is made on the event loop: the order of writes is the order of decisions.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from wakegate.core.errors import ConflictError
from wakegate.core.ledger import WakeLine
from wakegate.core.record import ServiceRecord
from wakegate.core.session import Session
from wakegate.local.store import rows
from wakegate.local.store.database import Database
from wakegate.local.store.stamp import to_us

WAKES_KEPT = 1_000  # lines of the ledger a service

# ruff: noqa: S608  statements are put together here, from the names of columns only
RECORD, WAKE, SESSION = ", ".join(rows.RECORD), ", ".join(rows.WAKE), ", ".join(rows.SESSION)
LOAD = f"SELECT {RECORD} FROM record WHERE name = ?"
SAVE_FIRST = f"INSERT OR IGNORE INTO record ({RECORD}) VALUES ({rows.marks(rows.RECORD)})"
SAVE = f"UPDATE record SET {', '.join(f'{column} = ?' for column in rows.RECORD)} WHERE name = ? AND version = ?"
WRITE_WAKE = f"INSERT OR REPLACE INTO wake ({WAKE}) VALUES ({rows.marks(rows.WAKE)})"
DROP_WAKES = (
    "DELETE FROM wake WHERE id IN (SELECT id FROM wake WHERE service = ? ORDER BY at DESC, id DESC LIMIT -1 OFFSET ?)"
)
WAKES = f"SELECT {WAKE} FROM wake WHERE service = ? ORDER BY at DESC, id DESC LIMIT ?"
GET = f"SELECT {SESSION} FROM session WHERE service = ? AND id = ?"
# Whoever has seen it last says how long it lives; what was seen before that is only counted.
TOUCH = (
    f"INSERT INTO session ({SESSION}) VALUES ({rows.marks(rows.SESSION)}) ON CONFLICT (service, id) DO UPDATE SET "
    "requests = requests + excluded.requests, "
    "expires = CASE WHEN excluded.last_seen_at >= last_seen_at THEN excluded.expires ELSE expires END, "
    "last_seen_at = max(last_seen_at, excluded.last_seen_at)"
)
PUT = f"{TOUCH}, data = excluded.data"
# The planner would take the key, whose pages hold the rows, where the index alone is a tenth of that.
COUNT = "SELECT count(*) FROM session INDEXED BY session_expiry WHERE service = ? AND expires > ?"
COUNTS = "SELECT service, count(*) FROM session INDEXED BY session_expiry WHERE expires > ? GROUP BY service"
PURGE = "DELETE FROM session WHERE expires <= ?"
SESSIONS = (
    f"SELECT {SESSION} FROM session WHERE service = ? AND expires > ? ORDER BY last_seen_at DESC, id DESC LIMIT ?"
)


class SqliteStore:
    """A `StateStore` and a `SessionStore`; for the thread that made it."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path)
        self._secret = b""  # once it was read: it never changes

    def __enter__(self) -> Self:
        """Use it until the block ends."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._database.close()

    # -- StateStore

    def load(self, name: str) -> ServiceRecord | None:
        """See `StateStore.load`."""
        found = self._database.read(LOAD, (name,))
        return rows.record_of_row(found[0]) if found else None

    def save(self, record: ServiceRecord, *, expected_version: int) -> None:
        """See `StateStore.save`."""
        assert record.version == expected_version + 1, "every write adds one to the version"
        row = rows.row_of_record(record)
        if expected_version == 0:
            changed = self._database.write(SAVE_FIRST, row)
        else:
            changed = self._database.write(SAVE, (*row, record.name, expected_version))
        if changed != 1:
            raise ConflictError(f"{record.name}: version {expected_version} was expected, the store has another")

    def write_wake(self, line: WakeLine) -> None:
        """See `StateStore.write_wake`."""
        with self._database.transaction():
            self._database.write(WRITE_WAKE, rows.row_of_wake(line))
            self._database.write(DROP_WAKES, (line.service, WAKES_KEPT))

    def wakes(self, service: str, *, limit: int) -> Sequence[WakeLine]:
        """See `StateStore.wakes`."""
        return [rows.wake_of_row(row) for row in self._database.read(WAKES, (service, limit))]

    # -- SessionStore

    def get(self, service: str, session_id: str) -> Session | None:
        """See `SessionStore.get`."""
        found = self._database.read(GET, (service, session_id))
        return rows.session_of_row(found[0]) if found else None

    def put(self, session: Session) -> None:
        """See `SessionStore.put`."""
        self._database.write(PUT, rows.row_of_session(session))

    def touch(self, sessions: Iterable[Session]) -> None:
        """See `SessionStore.touch`."""
        with self._database.transaction():
            self._database.write_many(TOUCH, map(rows.row_of_session, sessions))

    def sessions(self, service: str, *, now: datetime, limit: int) -> Sequence[Session]:
        """See `SessionStore.sessions`."""
        return [rows.session_of_row(row) for row in self._database.read(SESSIONS, (service, to_us(now), limit))]

    def count(self, service: str, *, now: datetime) -> int:
        """See `SessionStore.count`."""
        return int(self._database.read(COUNT, (service, to_us(now)))[0][0])

    def counts(self, *, now: datetime) -> Mapping[str, int]:
        """See `SessionStore.counts`."""
        return dict(self._database.read(COUNTS, (to_us(now),)))

    def purge(self, *, now: datetime) -> int:
        """See `SessionStore.purge`."""
        return self._database.write(PURGE, (to_us(now),))

    def secret(self) -> bytes:
        """See `SessionStore.secret`."""
        self._secret = self._secret or self._read_secret()
        return self._secret

    def _read_secret(self) -> bytes:
        query = "SELECT value FROM secret"
        found = self._database.read(query)
        if not found:
            self._database.write("INSERT OR IGNORE INTO secret (id, value) VALUES (1, ?)", (os.urandom(32),))
            found = self._database.read(query)
        value = found[0][0]
        assert isinstance(value, bytes)
        return value

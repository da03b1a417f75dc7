"""State and sessions in memory, with the contract of the real store; it outlives the gateway of a simulation."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from wakegate.core.errors import ConflictError, StateError
from wakegate.core.ledger import WakeLine
from wakegate.core.record import ServiceRecord
from wakegate.core.session import Session

WAKES_KEPT = 1_000


class SimStore:
    """A `StateStore` and a `SessionStore`. Set `is_full` and every write fails, as on a full disk."""

    def __init__(self) -> None:
        self.is_full = False
        self.write_count = 0
        self.saving: Callable[[ServiceRecord], None] = lambda _: None  # told of each record that is to be saved
        self._records: dict[str, ServiceRecord] = {}
        self._wakes: dict[str, WakeLine] = {}
        self._sessions: dict[tuple[str, str], Session] = {}

    # -- StateStore

    def load(self, name: str) -> ServiceRecord | None:
        """See `StateStore.load`."""
        return self._records.get(name)

    def save(self, record: ServiceRecord, *, expected_version: int) -> None:
        """See `StateStore.save`."""
        assert record.version == expected_version + 1, "every write adds one to the version"
        self.saving(record)
        self._write()
        stored = self._records.get(record.name)
        version = 0 if stored is None else stored.version
        if version != expected_version:
            raise ConflictError(f"{record.name}: version {expected_version} was expected, the store has {version}")
        self._records[record.name] = record

    def write_wake(self, line: WakeLine) -> None:
        """See `StateStore.write_wake`."""
        self._write()
        self._wakes[line.id] = line
        for old in self.wakes(line.service, limit=len(self._wakes))[WAKES_KEPT:]:
            del self._wakes[old.id]

    def wakes(self, service: str, *, limit: int) -> Sequence[WakeLine]:
        """See `StateStore.wakes`."""
        lines = [line for line in self._wakes.values() if line.service == service]
        return sorted(lines, key=lambda line: (line.at, line.id), reverse=True)[:limit]

    # -- SessionStore

    def get(self, service: str, session_id: str) -> Session | None:
        """See `SessionStore.get`."""
        return self._sessions.get((service, session_id))

    def put(self, session: Session) -> None:
        """See `SessionStore.put`."""
        self._write()
        self._add(session, data=session.data)

    def touch(self, sessions: Iterable[Session]) -> None:
        """See `SessionStore.touch`."""
        self._write()
        for session in sessions:
            stored = self._sessions.get((session.service, session.id))
            self._add(session, data=session.data if stored is None else stored.data)

    def sessions(self, service: str, *, now: datetime, limit: int) -> Sequence[Session]:
        """See `SessionStore.sessions`."""
        return sorted(self._live(service, now), key=lambda one: (one.last_seen_at, one.id), reverse=True)[:limit]

    def count(self, service: str, *, now: datetime) -> int:
        """See `SessionStore.count`."""
        return len(self._live(service, now))

    def counts(self, *, now: datetime) -> Mapping[str, int]:
        """See `SessionStore.counts`."""
        return Counter(one.service for one in self._sessions.values() if one.expires > now)

    def purge(self, *, now: datetime) -> int:
        """See `SessionStore.purge`."""
        self._write()
        expired = [key for key, session in self._sessions.items() if session.expires <= now]
        for key in expired:
            del self._sessions[key]
        return len(expired)

    def secret(self) -> bytes:
        """See `SessionStore.secret`; always the same, so that a seed replays."""
        return b"simulation" + bytes(22)

    def _add(self, session: Session, *, data: bytes) -> None:
        stored = self._sessions.get((session.service, session.id))
        if stored is not None:
            newest = session if session.last_seen_at >= stored.last_seen_at else stored
            requests = stored.requests + session.requests
            session = replace(newest, created_at=stored.created_at, requests=requests)
        self._sessions[session.service, session.id] = replace(session, data=data)

    def _live(self, service: str, now: datetime) -> list[Session]:
        return [one for one in self._sessions.values() if one.service == service and one.expires > now]

    def _write(self) -> None:
        if self.is_full:
            raise StateError("the simulated store cannot be written: database or disk is full")
        self.write_count += 1

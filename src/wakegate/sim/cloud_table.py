"""The table of the world: one record with conditional writes, sessions, and the newest wakes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from wakegate.core.errors import ConflictError
from wakegate.core.ledger import WakeLine, newest
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.core.session import Session
from wakegate.sim.cloud import Hub

READ_S, WRITE_S = (0.004, 0.02), (0.004, 0.02)

Watcher = Callable[[Phase, ServiceRecord], None]


class SimTable:
    """A `Table`; `watchers` hear of every change of phase, `readers` of every look at the record."""

    def __init__(self, hub: Hub) -> None:
        self.record: ServiceRecord | None = None
        self.sessions: dict[str, Session] = {}
        self.watchers: list[Watcher] = []
        self.readers: list[Callable[[], None]] = []
        self.written: list[tuple[float, str]] = []  # when, and by whom a touch was written
        self._hub = hub
        self._wakes: tuple[WakeLine, ...] = ()

    def load(self) -> ServiceRecord | None:
        """See `Table.load`."""
        record = self._hub.call("table.load", lambda: self.record, takes_s=READ_S)
        for reader in self.readers:
            reader()
        return record

    def save(self, record: ServiceRecord, *, expected_version: int) -> None:
        """See `Table.save`."""
        assert record.version == expected_version + 1, "every write adds one to the version"
        self._hub.call("table.save", lambda: self._save(record, expected_version), takes_s=WRITE_S)

    def touch(self, at: datetime) -> ServiceRecord | None:
        """See `Table.touch`."""
        return self._hub.call("table.touch", lambda: self._touch(at), takes_s=WRITE_S)

    def refresh(self, targets: tuple[str, ...], *, phase: Phase, since: datetime) -> None:
        """See `Table.refresh`."""
        self._hub.call("table.refresh", lambda: self._refresh(targets, phase, since), takes_s=WRITE_S)

    def keep(self, until: datetime, *, reason: str) -> None:
        """See `Table.keep`."""
        self._hub.call("table.keep", lambda: self._keep(until, reason), takes_s=WRITE_S)

    def wakes(self) -> tuple[WakeLine, ...]:
        """See `Table.wakes`."""
        return self._hub.call("table.wakes", lambda: self._wakes, takes_s=READ_S)

    def add_wake(self, line: WakeLine) -> None:
        """See `Table.add_wake`."""
        self._hub.call("table.add_wake", lambda: self._add_wake(line), takes_s=WRITE_S)

    def get_session(self, session_id: str) -> Session | None:
        """See `Table.get_session`."""
        return self._hub.call("table.get_session", lambda: self.sessions.get(session_id), takes_s=READ_S)

    def put_session(self, session: Session, *, requests: int, with_data: bool) -> None:
        """See `Table.put_session`."""
        effect = partial(self._put_session, session, requests=requests, with_data=with_data)
        self._hub.call("table.put_session", effect, takes_s=WRITE_S)

    def secret(self) -> bytes:
        """See `Table.secret`."""
        return self._hub.call("table.secret", lambda: b"simulation" + bytes(22), takes_s=READ_S)

    # -- the effects

    def _save(self, record: ServiceRecord, expected_version: int) -> None:
        before = self.record
        version = 0 if before is None else before.version
        if version != expected_version:
            raise ConflictError(f"version {expected_version} was expected, the table has {version}")
        self.record = record
        phase = Phase.ASLEEP if before is None else before.phase
        if record.phase is not phase:
            for watcher in self.watchers:
                watcher(phase, record)

    def _touch(self, at: datetime) -> ServiceRecord | None:
        if self.record is not None:
            newest = max(at, self.record.last_active_at)
            self.record = replace(self.record, version=self.next_version(self.record), last_active_at=newest)
            self.written.append((self._hub.now_s, self._hub.who()))
        return self.record

    def next_version(self, record: ServiceRecord) -> int:
        """Return the version that a touch writes."""
        return record.version + 1

    def _refresh(self, targets: tuple[str, ...], phase: Phase, since: datetime) -> None:
        record = self.record
        if record is None or record.phase is not phase or record.since != since:
            raise ConflictError(f"it is not {phase} since {since} any more")
        self.record = replace(record, version=record.version + 1, targets=targets)

    def _keep(self, until: datetime, reason: str) -> None:
        record = self.record
        if record is not None and (record.keep_until is None or record.keep_until < until):
            self.record = replace(record, version=record.version + 1, keep_until=until, keep_reason=reason)

    def _add_wake(self, line: WakeLine) -> None:
        self._wakes = newest((line, *self._wakes))

    def _put_session(self, session: Session, *, requests: int, with_data: bool) -> None:
        stored = self.sessions.get(session.id)
        self.sessions[session.id] = replace(
            session,
            created_at=session.created_at if stored is None else stored.created_at,
            requests=requests + (0 if stored is None else stored.requests),
            data=session.data if with_data or stored is None else stored.data,
        )

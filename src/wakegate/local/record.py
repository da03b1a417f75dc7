"""The record of one service as its gateway keeps it: every phase change is a row of the table, and is stored."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from wakegate.core.errors import ConflictError, StateError
from wakegate.core.ledger import WakeLine
from wakegate.core.notice import Notice
from wakegate.core.phase import Event, Phase, after
from wakegate.core.record import ServiceRecord
from wakegate.core.spec import ServiceSpec
from wakegate.ports import Clock, StateStore, Timeline


class Keeper:
    """Keeps spec and record of one service, in memory and in the store; `changed` is called after every change.

    A store that fails is told once and written again next time: the service goes on without it.
    """

    def __init__(self, spec: ServiceSpec, *, store: StateStore, clock: Clock, timeline: Timeline) -> None:
        self.spec = spec
        self.store = store
        self.clock = clock
        self.changed: Callable[[], None] = lambda: None
        self._timeline = timeline
        now = clock.utc()
        long_ago = now - timedelta(days=1)
        self.record = store.load(spec.name) or ServiceRecord(
            name=spec.name, version=0, phase=Phase.ASLEEP, since=now, last_active_at=long_ago
        )
        self.phase = self.record.phase
        self.since_s = clock.now_s() - max(0.0, (now - self.record.since).total_seconds())
        self._stored_version = self.record.version
        self._is_failing = False
        self._is_ours = True
        self._write_wake: Callable[[WakeLine], None] = store.write_wake

    def let_go(self, *, write_wake: Callable[[WakeLine], None]) -> None:
        """Store nothing more: from now on the record is another gateway's, which gets lines of the ledger by this."""
        self._is_ours = False
        self._write_wake = write_wake

    def go(self, event: Event, *, kind: str = "", text: str = "", **changes: Any) -> None:
        """Make the phase change of this event, with these fields; tell the timeline where there is something to say."""
        row = after(self.phase, event)
        since = self.record.since
        if row.to is not self.phase:
            since = self.clock.utc()
            self.since_s = self.clock.now_s()
        self.phase = row.to
        self.write(phase=row.to, since=since, **changes)
        if text:
            self.tell(kind, text)

    def write(self, **changes: Any) -> None:
        """Store these fields under the next version."""
        self.record = replace(self.record, version=self._stored_version + 1, **changes)
        try:
            if self._is_ours:
                self._save()
        except StateError as error:
            self._failed(error)
        else:
            self._stored_version = self.record.version
            self._is_failing = False
        self.changed()

    def write_wake(self, line: WakeLine) -> None:
        """Store a line of the ledger; without it the wake goes on all the same."""
        try:
            self._write_wake(line)
        except StateError as error:
            self._failed(error)

    def tell(self, kind: str, text: str, *, subject: str = "", detail: tuple[str, ...] = (), **facts: object) -> None:
        """Tell the timeline something of this service."""
        name = self.spec.name
        notice = Notice(
            at=self.clock.utc(),
            kind=kind,
            service=name,
            subject=subject or name,
            text=text,
            detail=detail,
            facts={"phase": str(self.phase), **facts},
        )
        self._timeline.tell(notice)

    def _save(self) -> None:
        try:
            self.store.save(self.record, expected_version=self._stored_version)
        except ConflictError:
            if not self._is_failing:
                raise
            # A write that failed may have arrived all the same: nobody else writes this record.
            stored = self.store.load(self.spec.name)
            version = 0 if stored is None else stored.version
            self.record = replace(self.record, version=version + 1)
            self.store.save(self.record, expected_version=version)

    def _failed(self, error: StateError) -> None:
        if not self._is_failing:
            self._is_failing = True
            self.tell("warning", f"state could not be stored, going on without: {error}")

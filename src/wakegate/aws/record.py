"""The record of the service in one invocation: read, and written by compare-and-swap, a phase only by the table."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from wakegate.aws.change import PhaseChange, write_change
from wakegate.aws.cloud import Cloud
from wakegate.core.activity import Activity
from wakegate.core.phase import Event, Phase, after
from wakegate.core.record import ServiceRecord

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Keeper:
    """Reads and writes the record; a `ConflictError` means that the decision was made on an older reading."""

    def __init__(self, cloud: Cloud, *, name: str) -> None:
        self._table = cloud.table
        self._clock = cloud.clock
        self._log = cloud.log
        self._name = name

    def load(self) -> ServiceRecord:
        """Return the record; a service never seen is asleep, and its first write makes the item."""
        record = self._table.load()
        if record is None:
            return ServiceRecord(name=self._name, version=0, phase=Phase.ASLEEP, since=NEVER, last_active_at=NEVER)
        return record

    def go(self, record: ServiceRecord, event: Event, *, reason: str = "", **changes: Any) -> ServiceRecord:
        """Write where the event leads, and say so in the log; `since` is now, where it is not given."""
        now = self._clock.now()
        changes.setdefault("since", now)
        new = self.write(record, phase=after(record.phase, event).to, **changes)
        change = PhaseChange(
            service=new.name,
            before=record.phase,
            to=new.phase,
            event=event,
            version=new.version,
            reason=reason,
            duration_s=_lasted_s(record, now=now),
        )
        self._log(write_change(change))
        return new

    def write(self, record: ServiceRecord, **changes: Any) -> ServiceRecord:
        """Write these changes if nobody wrote since `record` was read."""
        new = replace(record, version=record.version + 1, **changes)
        self._table.save(new, expected_version=record.version)
        return new


def activity_of(record: ServiceRecord, *, now: datetime) -> Activity:
    """Return what the record knows of who uses it; the clock of whoever touched it last may be ahead of ours."""
    return Activity(
        in_flight=0,
        held=0,
        touched_s=min(record.last_active_at.timestamp(), now.timestamp()),
        keep_until_s=0.0 if record.keep_until is None else record.keep_until.timestamp(),
        keep_reason=record.keep_reason,
    )


def _lasted_s(record: ServiceRecord, *, now: datetime) -> float | None:
    """Return how long the phase has lasted; while waking, `since` says something else (see `wake.py`)."""
    woken = record.woken if record.phase is Phase.WAKING else None
    began_at = record.since if woken is None else woken.at
    return None if began_at == NEVER else max(0.0, (now - began_at).total_seconds())


def is_routable(record: ServiceRecord) -> bool:
    """Say whether requests may go to its targets."""
    return record.phase is Phase.AWAKE and bool(record.targets)

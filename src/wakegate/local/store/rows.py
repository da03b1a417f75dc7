"""Values as rows of the tables, and back: the columns and their order."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from wakegate.core.ledger import WakeLine
from wakegate.core.phase import Phase
from wakegate.core.record import Failure, ServiceRecord
from wakegate.core.session import Session
from wakegate.local.store.stamp import from_us, maybe_from, maybe_us, to_us

RECORD = (
    "name", "version", "phase", "since", "last_active_at", "targets", "wake_by", "owner", "owner_until",
    "failure_reason", "failure_count", "failure_at", "keep_until", "keep_reason",
)  # fmt: skip
WAKE = tuple(field.name for field in fields(WakeLine))
SESSION = ("service", "id", "created_at", "last_seen_at", "requests", "expires", "data")


def marks(columns: Sequence[str]) -> str:
    """Return the question marks for the values of these columns."""
    return ", ".join("?" * len(columns))


def row_of_record(record: ServiceRecord) -> tuple[object, ...]:
    """Return a record in the order of RECORD."""
    failure = record.failure
    return (
        record.name,
        record.version,
        str(record.phase),
        to_us(record.since),
        to_us(record.last_active_at),
        " ".join(record.targets),
        maybe_us(record.wake_by),
        record.owner,
        maybe_us(record.owner_until),
        None if failure is None else failure.reason,
        None if failure is None else failure.count,
        None if failure is None else to_us(failure.at),
        maybe_us(record.keep_until),
        record.keep_reason,
    )


def record_of_row(row: tuple[Any, ...]) -> ServiceRecord:
    """Return the record of a row in the order of RECORD."""
    (name, version, phase, since, active, targets, wake_by, owner, owner_until, reason, count, at, keep, why) = row
    return ServiceRecord(
        name=name,
        version=version,
        phase=Phase(phase),
        since=from_us(since),
        last_active_at=from_us(active),
        targets=tuple(targets.split()),
        wake_by=maybe_from(wake_by),
        owner=owner,
        owner_until=maybe_from(owner_until),
        failure=None if reason is None else Failure(reason=reason, count=count, at=from_us(at)),
        keep_until=maybe_from(keep),
        keep_reason=why,
    )


def row_of_wake(line: WakeLine) -> tuple[object, ...]:
    """Return a line of the ledger in the order of WAKE."""
    return tuple(to_us(line.at) if name == "at" else getattr(line, name) for name in WAKE)


def wake_of_row(row: tuple[Any, ...]) -> WakeLine:
    """Return the line of the ledger of a row in the order of WAKE."""
    values = dict(zip(WAKE, row, strict=True))
    return WakeLine(**{**values, "at": from_us(values["at"])})


def row_of_session(one: Session) -> tuple[object, ...]:
    """Return a session in the order of SESSION."""
    created, seen, expires = to_us(one.created_at), to_us(one.last_seen_at), to_us(one.expires)
    return (one.service, one.id, created, seen, one.requests, expires, one.data)


def session_of_row(row: tuple[Any, ...]) -> Session:
    """Return the session of a row in the order of SESSION."""
    service, session_id, created, seen, requests, expires, data = row
    return Session(
        service=service,
        id=session_id,
        created_at=from_us(created),
        last_seen_at=from_us(seen),
        requests=requests,
        expires=from_us(expires),
        data=data,
    )

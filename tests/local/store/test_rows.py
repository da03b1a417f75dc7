"""Rows: every field of a value has its column, and comes back."""

from dataclasses import fields
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from wakegate.core.ledger import WakeLine
from wakegate.core.record import Failure, ServiceRecord
from wakegate.core.session import Session
from wakegate.local.store import rows

MOMENTS = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2999, 1, 1), timezones=st.just(UTC))
TARGETS = st.lists(st.from_regex(r"127\.0\.0\.1:[1-9][0-9]{0,4}", fullmatch=True)).map(tuple)
FAILURES = st.none() | st.builds(Failure, reason=st.text(), count=st.integers(1, 99), at=MOMENTS)
RECORDS = st.builds(
    ServiceRecord,
    since=MOMENTS,
    last_active_at=MOMENTS,
    wake_by=st.none() | MOMENTS,
    owner_until=st.none() | MOMENTS,
    keep_until=st.none() | MOMENTS,
    targets=TARGETS,
    failure=FAILURES,
)


@given(RECORDS)
def test_a_record_comes_back(record: ServiceRecord) -> None:
    """Also one that failed for an empty reason."""
    row = rows.row_of_record(record)
    assert len(row) == len(rows.RECORD)
    assert rows.record_of_row(row) == record


@given(st.builds(WakeLine, at=MOMENTS))
def test_a_wake_comes_back(line: WakeLine) -> None:
    """The ledger is read long after it was written."""
    assert rows.wake_of_row(rows.row_of_wake(line)) == line


@given(st.builds(Session, created_at=MOMENTS, last_seen_at=MOMENTS, expires=MOMENTS, data=st.binary()))
def test_a_session_comes_back(session: Session) -> None:
    """The app's data is opaque."""
    assert rows.session_of_row(rows.row_of_session(session)) == session


def test_every_field_has_its_column() -> None:
    """A field that is added to a value and not to its row would be forgotten by a restart."""
    failure = {f"failure_{field.name}" for field in fields(Failure)}
    in_ledger = {"woken"}  # a wake has its line here from its beginning
    assert set(rows.RECORD) == {field.name for field in fields(ServiceRecord)} - {"failure"} - in_ledger | failure
    assert set(rows.SESSION) == {field.name for field in fields(Session)}

"""Items: the attributes that the docs name, so that an operator's own queries keep working."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakegate.aws.items import binary, epoch, item_of_record, moment, octets, record_of_item, session_of_item, stamp
from wakegate.core.phase import Phase
from wakegate.core.record import Failure, ServiceRecord, Woken

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 1),
    max_value=datetime(9998, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=-8))]),
)


def test_a_record_is_the_item_that_the_docs_describe() -> None:
    """Unset is absent: a console that shows `owner: ""` would ask whose it is."""
    record = ServiceRecord(
        name="web",
        version=7,
        phase=Phase.WAKING,
        since=NOW,
        last_active_at=NOW,
        targets=("10.0.0.1:80",),
        owner="req-1",
        owner_until=NOW,
        failure=Failure(reason="not ready", count=2, at=NOW),
        woken=Woken(cause="GET /", agent="curl/8.5.0", at=NOW),
    )
    item = item_of_record(record, token="t")
    assert item == {
        "uuid": {"S": "service#web"},
        "version": {"N": "7"},
        "phase": {"S": "waking"},
        "since": {"S": "2026-03-01T12:00:00.000000Z"},
        "last_active_at": {"S": "2026-03-01T12:00:00.000000Z"},
        "targets": {"L": [{"S": "10.0.0.1:80"}]},
        "owner": {"S": "req-1"},
        "owner_until": {"S": "2026-03-01T12:00:00.000000Z"},
        "failure_reason": {"S": "not ready"},
        "failure_count": {"N": "2"},
        "failure_at": {"S": "2026-03-01T12:00:00.000000Z"},
        "woken_by": {"S": "GET /"},
        "woken_agent": {"S": "curl/8.5.0"},
        "woken_at": {"S": "2026-03-01T12:00:00.000000Z"},
        "written_by": {"S": "t"},
    }
    assert record_of_item(item) == record


def test_a_session_is_read_without_data() -> None:
    """Most apps keep none."""
    item = {
        "uuid": {"S": "session#a"},
        "service": {"S": "web"},
        "created_at": {"S": stamp(NOW)},
        "last_seen_at": {"S": stamp(NOW)},
        "requests": {"N": "3"},
        "expires": {"N": epoch(NOW)},
    }
    session = session_of_item(item)
    assert (session.id, session.requests, session.expires, session.data) == ("a", 3, NOW, b"")


@given(MOMENTS)
def test_a_stamp_comes_back(at: datetime) -> None:
    """To the microsecond, from any zone."""
    assert moment(stamp(at)) == at


@given(MOMENTS, MOMENTS)
def test_stamps_compare_as_text(one: datetime, other: datetime) -> None:
    """`last_active_at < :at` is a comparison of strings, and DynamoDB makes it."""
    assert (stamp(one) < stamp(other)) == (one < other)


def test_a_naive_stamp_is_a_bug() -> None:
    """It would be local time on a laptop and UTC in Lambda."""
    with pytest.raises(AssertionError):
        stamp(NOW.replace(tzinfo=None))


def test_a_session_never_expires_before_its_time() -> None:
    """TTL knows whole seconds: rounded up."""
    assert epoch(NOW + timedelta(microseconds=1)) == str(int(NOW.timestamp()) + 1)


@given(st.binary(max_size=50))
def test_bytes_come_back(data: bytes) -> None:
    """The JSON protocol has them in base64."""
    assert octets(binary(data)) == data

"""sessions: found by a scan, the newest first, without what is not one."""

from datetime import UTC, datetime, timedelta

from tests.account.account import Account

from wakegate.aws.operate.remote import Remote
from wakegate.aws.operate.sessions import sessions
from wakegate.aws.operate.stack import Stack
from wakegate.core.session import Session

NOW = datetime.now(UTC)


def session(name: str, *, seen_s: float, left_s: float = 3600.0, service: str = "my-scaling-service") -> Session:
    """Return a session that was last seen some seconds ago."""
    return Session(
        id=name,
        service=service,
        created_at=NOW - timedelta(hours=1),
        last_seen_at=NOW - timedelta(seconds=seen_s),
        requests=0,
        expires=NOW + timedelta(seconds=left_s),
        data=b"\x00\xff",
    )


def test_only_the_live_ones_of_this_service_and_the_newest_first(deployed: Account, stack: Stack) -> None:
    """The table also has the record, the signing key, and what its TTL has not deleted yet, for days."""
    table = Remote(stack).table
    table.secret()
    for one in (
        session("old", seen_s=500), session("new", seen_s=5), session("gone", seen_s=1, left_s=-60),
        session("other", seen_s=1, service="another"),
    ):  # fmt: skip
        table.put_session(one, requests=7, with_data=True)
    found = sessions(stack, limit=10)
    assert [one.id for one in found.sessions] == ["new", "old"]
    assert (found.sessions[0].requests, found.sessions[0].data) == (7, b"\x00\xff")
    assert found.is_complete
    assert [one.id for one in sessions(stack, limit=1).sessions] == ["new"]
    assert deployed.denied == []


def test_a_large_table_is_not_read_to_its_end(stack: Stack) -> None:
    """Every read costs the account money: beyond a bound it says that there are more."""
    table = Remote(stack).table
    for number in range(5):
        table.put_session(session(f"many-{number}", seen_s=number), requests=1, with_data=False)
    found = sessions(stack, limit=10, items_max=2)
    assert not found.is_complete
    assert len(found.sessions) <= 2

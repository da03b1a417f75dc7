"""What both stores promise: the real one and the simulated one are told the same, and answer the same."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakegate.core.errors import ConflictError
from wakegate.core.ledger import WakeLine
from wakegate.core.phase import Phase
from wakegate.core.record import Failure, ServiceRecord
from wakegate.core.session import Session
from wakegate.local.store.sqlite import SqliteStore
from wakegate.ports import SessionStore, StateStore
from wakegate.sim.store import SimStore

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Store(StateStore, SessionStore, Protocol):
    """Both ports in one."""


@pytest.fixture(params=["sqlite", "sim"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Yield each store once."""
    if request.param == "sim":
        yield SimStore()
    else:
        with SqliteStore(tmp_path / "state.sqlite") as real:
            yield real


def record(version: int, *, name: str = "web", phase: Phase = Phase.ASLEEP) -> ServiceRecord:
    """Return a record with nothing but what it must have."""
    return ServiceRecord(name=name, version=version, phase=phase, since=NOW, last_active_at=NOW)


def wake(number: int, *, service: str = "web", held: int = 0) -> WakeLine:
    """Return the n-th wake of a service, a second after the one before."""
    return WakeLine(id=f"{service}-{number:04}", service=service, at=NOW + number * SECOND, cause="GET /", held=held)


def session(session_id: str, *, service: str = "web", seen_s: int = 0, ttl_s: int = 60, data: bytes = b"") -> Session:
    """Return a session that was seen this long after NOW."""
    seen_at = NOW + seen_s * SECOND
    return Session(
        id=session_id,
        service=service,
        created_at=NOW,
        last_seen_at=seen_at,
        requests=3,
        expires=seen_at + ttl_s * SECOND,
        data=data,
    )


def test_of_what_was_never_seen_nothing_is_known(store: Store) -> None:
    """The first start of a gateway."""
    assert store.load("web") is None
    assert store.get("web", "a") is None
    assert list(store.wakes("web", limit=10)) == []
    assert list(store.sessions("web", now=NOW, limit=10)) == []
    assert (store.count("web", now=NOW), store.purge(now=NOW)) == (0, 0)


def test_a_record_comes_back_as_it_was(store: Store) -> None:
    """A restart goes on from the record alone."""
    full = ServiceRecord(
        name="web",
        version=1,
        phase=Phase.WAKING,
        since=NOW,
        last_active_at=NOW - SECOND,
        targets=("127.0.0.1:4001", "127.0.0.1:4002"),
        wake_by=NOW + 3 * SECOND,
        owner="gateway",
        owner_until=NOW + 10 * SECOND,
        failure=Failure(reason="exited with status 1 after 0.2 s", count=2, at=NOW - 5 * SECOND),
        keep_until=NOW + 7200 * SECOND,
        keep_reason="a demo\nfor the others",
    )
    store.save(full, expected_version=0)
    store.save(record(1, name="api"), expected_version=0)
    assert store.load("web") == full
    assert store.load("api") == record(1, name="api")


def test_a_write_with_the_version_that_was_read_succeeds(store: Store) -> None:
    """Each write is the next version; what an earlier one set and this one does not is gone."""
    store.save(record(1, phase=Phase.AWAKE), expected_version=0)
    store.save(record(2, phase=Phase.DRAINING), expected_version=1)
    assert store.load("web") == record(2, phase=Phase.DRAINING)


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_a_write_with_another_version_conflicts_and_changes_nothing(store: Store, expected: int) -> None:
    """A decision on an older reading must not be carried out."""
    store.save(record(1), expected_version=0)
    store.save(record(2, phase=Phase.AWAKE), expected_version=1)
    with pytest.raises(ConflictError, match="web: version"):
        store.save(record(expected + 1, phase=Phase.STOPPING), expected_version=expected)
    assert store.load("web") == record(2, phase=Phase.AWAKE)


def test_a_write_to_a_service_never_stored_needs_version_0(store: Store) -> None:
    """Whoever read a record that is gone must read again."""
    with pytest.raises(ConflictError):
        store.save(record(5), expected_version=4)
    assert store.load("web") is None


def test_a_write_that_keeps_the_version_is_a_bug(store: Store) -> None:
    """The version is the fencing token; two states under one would be taken for the same."""
    store.save(record(1), expected_version=0)
    with pytest.raises(AssertionError):
        store.save(record(1, phase=Phase.AWAKE), expected_version=1)


def test_wakes_come_newest_first_as_many_as_asked(store: Store) -> None:
    """`wakegate explain` reads the last ones."""
    for number in (2, 0, 3, 1):
        store.write_wake(wake(number))
    store.write_wake(wake(9, service="api"))
    assert [line.id for line in store.wakes("web", limit=3)] == ["web-0003", "web-0002", "web-0001"]


def test_a_wake_is_replaced_by_its_id(store: Store) -> None:
    """A line is written when the wake begins, and again with its outcome."""
    store.write_wake(wake(1))
    done = WakeLine(
        id="web-0001",
        service="web",
        at=NOW,
        cause="GET /orders",
        agent="curl/8",
        outcome="failed",
        reason="it said \"no\" and 'nö'",
        start_s=0.25,
        listen_s=1.5,
        settle_s=0.125,
        duration_s=1.875,
        held=4,
        served=1,
        refused=2,
        gone=1,
    )
    store.write_wake(done)
    assert list(store.wakes("web", limit=10)) == [done]


def test_the_ledger_keeps_the_newest_thousand_of_each_service(store: Store) -> None:
    """It must not grow for ever, and a busy service must not push out the wakes of a quiet one."""
    store.write_wake(wake(1, service="api"))
    for number in range(1_005):
        store.write_wake(wake((number * 7) % 1_005))
    kept = [line.id for line in store.wakes("web", limit=5_000)]
    assert (len(kept), kept[0], kept[-1]) == (1_000, "web-1004", "web-0005")
    assert len(store.wakes("api", limit=10)) == 1


def test_a_session_comes_back_as_it_was(store: Store) -> None:
    """Every byte may be in the app's data."""
    one = session("a", data=bytes(range(256)) * 16)
    store.put(one)
    assert store.get("web", "a") == one
    assert store.get("web", "b") is None


def test_one_id_in_two_services_is_two_sessions(store: Store) -> None:
    """Services must not see each other's visitors."""
    store.put(session("a", data=b"web"))
    store.put(session("a", service="api", data=b"api"))
    stored = store.get("web", "a"), store.get("api", "a")
    assert [one and one.data for one in stored] == [b"web", b"api"]


def test_touch_writes_many_and_replaces(store: Store) -> None:
    """It is the coalesced write of counts."""
    store.put(session("a", seen_s=0))
    store.touch([session("a", seen_s=9), session("b", seen_s=5)])
    store.touch([])
    assert [(one.id, one.last_seen_at) for one in store.sessions("web", now=NOW, limit=9)] == [
        ("a", NOW + 9 * SECOND),
        ("b", NOW + 5 * SECOND),
    ]


def test_live_sessions_come_the_most_recently_seen_first(store: Store) -> None:
    """`wakegate sessions` shows who is here now; another time to live, set since, does not change that order."""
    store.touch(
        [
            session("old", seen_s=0, ttl_s=10),
            session("a", seen_s=2, ttl_s=500),
            session("b", seen_s=4, ttl_s=50),
            session("c", seen_s=3, ttl_s=50),
            session("d", service="api", seen_s=5),
        ]
    )
    now = NOW + 10 * SECOND
    assert [one.id for one in store.sessions("web", now=now, limit=9)] == ["b", "c", "a"]
    assert [one.id for one in store.sessions("web", now=now, limit=2)] == ["b", "c"]
    assert (store.count("web", now=now), store.count("api", now=now)) == (3, 1)


def test_purge_deletes_what_has_expired_of_every_service(store: Store) -> None:
    """Expired at the very moment counts as expired, as for the count."""
    store.touch([session("a", ttl_s=10), session("b", ttl_s=11), session("c", service="api", ttl_s=9)])
    now = NOW + 10 * SECOND
    assert store.count("web", now=now) == 1
    assert store.get("web", "a") is not None
    assert (store.purge(now=now), store.purge(now=now)) == (2, 0)
    assert store.get("web", "a") is None
    assert store.get("web", "b") is not None


def test_the_secret_stays_the_same(store: Store) -> None:
    """Another secret would end every session."""
    assert len(store.secret()) == 32
    assert store.secret() == store.secret()


IDS = st.sampled_from(["a", "b", "c"])
SERVICES = st.sampled_from(["web", "api"])
MOMENTS = st.integers(-5, 5)
STEPS = st.one_of(
    st.tuples(st.just("save"), SERVICES, st.integers(0, 3)),
    st.tuples(st.just("wake"), SERVICES, MOMENTS),
    st.tuples(st.just("put"), SERVICES, IDS, MOMENTS),
    st.tuples(st.just("purge"), MOMENTS),
)


def step(store: Store, what: tuple[object, ...]) -> object:
    """Take one step and return what can be seen of it."""
    match what:
        case ("save", str(name), int(expected)):
            try:
                store.save(record(expected + 1, name=name), expected_version=expected)
            except ConflictError:
                return "conflict"
        case ("wake", str(name), int(at)):
            store.write_wake(wake(at + 5, service=name, held=at + 5))
        case ("put", str(name), str(session_id), int(seen)):
            store.put(session(session_id, service=name, seen_s=seen, ttl_s=3))
        case ("purge", int(at)):
            return store.purge(now=NOW + at * SECOND)
    return [
        (
            store.load(name),
            list(store.wakes(name, limit=3)),
            list(store.sessions(name, now=NOW, limit=2)),
            store.count(name, now=NOW),
            store.counts(now=NOW),
        )
        for name in ("web", "api")
    ]


@given(st.lists(STEPS, max_size=20))
@settings(max_examples=60, deadline=None)
def test_both_stores_answer_the_same_to_whatever_is_asked(steps: list[tuple[object, ...]]) -> None:
    """A simulation is worth as much as its store is like the real one."""
    sim = SimStore()
    with tempfile.TemporaryDirectory() as folder, SqliteStore(Path(folder) / "state.sqlite") as real:
        for what in steps:
            assert step(sim, what) == step(real, what)

"""What the table promises: two implementations of DynamoDB and the simulated table are told and answer the same.

Over 300 lines because it is one contract: who writes another table wants all of it in one place.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.aws.conftest import Dynamo, RealClock, make_table

from wakegate.aws.cloud import Table, UnknownOutcomeError
from wakegate.aws.items import stamp
from wakegate.aws.table import DynamoTable
from wakegate.core.errors import ConflictError
from wakegate.core.estimate import NEWEST_COUNT
from wakegate.core.ledger import WakeLine, durations
from wakegate.core.phase import Phase
from wakegate.core.record import Failure, ServiceRecord
from wakegate.core.session import Session
from wakegate.sim.cloud import Hub, Invocation
from wakegate.sim.cloud_table import SimTable

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
WHOLE = datetime(2026, 3, 1, 13, 0, 0, tzinfo=UTC)  # what DynamoDB's TTL can tell
SECOND = timedelta(seconds=1)

Make = Callable[[], Table]


class Simulated:
    """The simulated table outside a simulation: each call is an invocation of its own."""

    def __init__(self) -> None:
        self._hub = Hub(0, lost=UnknownOutcomeError)
        self._table = SimTable(self._hub)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a method of the table that runs to its end in virtual time."""

        def run(*args: Any, **parameters: Any) -> Any:
            ends: list[Callable[[], Any]] = []

            def work() -> None:
                try:
                    value = getattr(self._table, name)(*args, **parameters)
                except ConflictError as error:
                    ends.append(partial(fail, error))
                else:
                    ends.append(lambda: value)

            self._hub.spawn(lambda: self._hub.invoke(Invocation("test", end_s=float("inf")), work))
            self._hub.run(self._hub.now_s + 1)
            return ends[0]()

        return run


def fail(error: Exception) -> None:
    """Raise what an invocation has raised."""
    raise error


@pytest.fixture(params=["moto", "dynalite"])
def make(request: pytest.FixtureRequest, dynamo: Dynamo) -> Make:
    """Return what makes another view on one table, as another environment has."""
    return views(request, dynamo, of=request.param)


@pytest.fixture(params=["moto", "dynalite", "sim"])
def table(request: pytest.FixtureRequest, dynamo: Dynamo) -> Table:
    """Return a view on an empty table."""
    return cast("Table", Simulated()) if request.param == "sim" else views(request, dynamo, of=request.param)()


def views(request: pytest.FixtureRequest, dynamo: Dynamo, *, of: str) -> Make:
    """Return what makes views on one new table of an implementation."""
    url = request.getfixturevalue(f"{of}_url")
    name = make_table(dynamo(url))
    return lambda: DynamoTable(dynamo(url), table=name, service="web", clock=RealClock())


def record(version: int, *, phase: Phase = Phase.ASLEEP, active_s: float = 0) -> ServiceRecord:
    """Return a record with nothing but what it must have."""
    return ServiceRecord(name="web", version=version, phase=phase, since=NOW, last_active_at=NOW + active_s * SECOND)


def session(session_id: str = "a", *, requests: int = 0, data: bytes = b"", seen_s: float = 0) -> Session:
    """Return a session."""
    return Session(
        id=session_id,
        service="web",
        created_at=NOW + seen_s * SECOND,
        last_seen_at=NOW + seen_s * SECOND,
        requests=requests,
        expires=WHOLE + seen_s * SECOND,
        data=data,
    )


def test_of_what_was_never_seen_nothing_is_known(table: Table) -> None:
    """The first request of a new stack; nothing of it may make a record that nobody saved."""
    assert (table.load(), table.get_session("a"), table.wakes()) == (None, None, ())
    assert table.touch(NOW) is None
    table.keep(NOW, reason="nobody is there")
    with pytest.raises(ConflictError):
        table.refresh(("10.0.0.1:80",), phase=Phase.AWAKE, since=NOW)
    assert table.load() is None


def test_a_record_comes_back_as_it_was(table: Table) -> None:
    """Every invocation decides by it: a field that is lost is a decision that is wrong."""
    full = ServiceRecord(
        name="web",
        version=1,
        phase=Phase.WAKING,
        since=NOW,
        last_active_at=NOW - SECOND,
        targets=("10.0.0.1:80", "[fd00::1]:80"),
        wake_by=NOW + 180 * SECOND,
        owner="req-1",
        owner_until=NOW + 10 * SECOND,
        failure=Failure(reason="web: not ready after 180 s – «ü»", count=3, at=NOW - 60 * SECOND),
        keep_until=NOW + 3600 * SECOND,
        keep_reason="the app asked for it",
    )
    table.save(full, expected_version=0)
    assert table.load() == full
    bare = record(2)
    table.save(bare, expected_version=1)
    assert table.load() == bare


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_a_save_on_another_version_is_a_conflict(table: Table, expected: int) -> None:
    """The fencing token: who has not seen the last write may not write."""
    table.save(record(1), expected_version=0)
    table.save(record(2), expected_version=1)
    with pytest.raises(ConflictError):
        table.save(record(expected + 1, phase=Phase.AWAKE), expected_version=expected)
    assert table.load() == record(2)


def test_a_first_save_is_only_that(table: Table) -> None:
    """Of two invocations that see nothing, one makes the record; and what was never there is not at version 3."""
    with pytest.raises(ConflictError):
        table.save(record(4), expected_version=3)
    assert table.load() is None


def test_a_touch_moves_the_activity_and_the_version(table: Table) -> None:
    """A sleep that was decided on the older version fails (rule 2)."""
    table.save(record(1, phase=Phase.AWAKE), expected_version=0)
    told = table.touch(NOW + 5 * SECOND)
    assert told == record(2, phase=Phase.AWAKE, active_s=5)
    assert table.load() == told
    with pytest.raises(ConflictError):
        table.save(record(2, phase=Phase.DRAINING), expected_version=1)


@pytest.mark.parametrize("at_s", [-10, 0])
def test_activity_never_moves_back(table: Table, at_s: int) -> None:
    """Clocks of two machines differ; and it takes a version all the same, or a drain would not notice."""
    table.save(record(1), expected_version=0)
    assert table.touch(NOW + at_s * SECOND) == record(2)


def test_a_refresh_is_not_starved_by_touches(table: Table) -> None:
    """It is conditional on the phase and its beginning, which touches leave alone."""
    table.save(record(1, phase=Phase.AWAKE), expected_version=0)
    table.touch(NOW + SECOND)
    table.refresh(("10.0.0.2:80",), phase=Phase.AWAKE, since=NOW)
    loaded = table.load()
    assert loaded is not None
    assert (loaded.version, loaded.targets, loaded.last_active_at) == (3, ("10.0.0.2:80",), NOW + SECOND)


def test_a_refresh_of_another_life_is_a_conflict(table: Table) -> None:
    """Targets that were seen before the sleep must not be published after it."""
    table.save(record(1, phase=Phase.AWAKE), expected_version=0)
    for phase, since in ((Phase.DRAINING, NOW), (Phase.AWAKE, NOW + timedelta(microseconds=1))):
        with pytest.raises(ConflictError):
            table.refresh(("10.0.0.2:80",), phase=phase, since=since)
    assert table.load() == record(1, phase=Phase.AWAKE)


def test_a_keep_is_only_ever_longer(table: Table) -> None:
    """Two requests of one app ask for a minute and for an hour, in any order."""
    table.save(record(1), expected_version=0)
    for until_s, reason in ((60, "first"), (3600, "longer"), (1800, "shorter")):
        table.keep(NOW + until_s * SECOND, reason=reason)
    loaded = table.load()
    assert loaded is not None
    assert (loaded.version, loaded.keep_until, loaded.keep_reason) == (3, NOW + 3600 * SECOND, "longer")


def test_the_newest_wakes_are_remembered(table: Table) -> None:
    """The estimate of `Retry-After` is made of them."""
    for number in range(NEWEST_COUNT + 2):
        table.add_wake(wake_line(number, duration_s=number + 0.125))
    found = durations(table.wakes())
    assert (found[0], found[-1], len(found)) == (NEWEST_COUNT + 1.125, 2.125, NEWEST_COUNT)


def test_a_wake_is_read_as_it_was_written(table: Table) -> None:
    """An operator asks what woke it, and why the last one failed."""
    line = replace(wake_line(1), cause="GET /a b", agent="curl/8.5.0", outcome="failed", reason="exit code 3")
    table.add_wake(line)
    assert table.wakes() == (line,)


def wake_line(number: int, *, duration_s: float = 2.5) -> WakeLine:
    """Return a wake that is over."""
    at = NOW + number * SECOND
    return WakeLine(id=stamp(at), service="web", at=at, cause="GET /", outcome="ready", duration_s=duration_s)


def test_a_session_is_counted_by_everybody(make: Make) -> None:
    """Two environments have the same session in memory: neither may undo what the other wrote."""
    one, other = make(), make()
    one.put_session(session(data=b"\x00cart=3\xff"), requests=2, with_data=True)
    other.put_session(session(seen_s=60), requests=3, with_data=False)
    found = one.get_session("a")
    assert found == Session(
        id="a", service="web", created_at=NOW, last_seen_at=NOW + 60 * SECOND, requests=5,
        expires=WHOLE + 60 * SECOND, data=b"\x00cart=3\xff",
    )  # fmt: skip


def test_session_data_can_be_emptied(table: Table) -> None:
    """An app that clears its cart clears it."""
    table.put_session(session(data=b"cart=3"), requests=1, with_data=True)
    table.put_session(session(), requests=1, with_data=True)
    found = table.get_session("a")
    assert found is not None
    assert found.data == b""


def test_a_session_without_data_has_none_until_it_is_written(make: Make) -> None:
    """`data` only `with_data`: the first write is of the count alone."""
    table = make()
    table.put_session(session(data=b"not yet"), requests=1, with_data=False)
    found = table.get_session("a")
    assert found is not None
    assert (found.requests, found.data) == (1, b"")


def test_sessions_and_the_record_do_not_meet(table: Table) -> None:
    """One table has them all: an id that reads like a key is only an id."""
    table.save(record(1), expected_version=0)
    table.put_session(session("service#web"), requests=1, with_data=False)
    assert table.load() == record(1)
    assert table.get_session("web") is None


def test_the_secret_is_made_once_for_everybody(make: Make) -> None:
    """Two keys would log out half of the visitors, at random."""
    tables = [make() for _ in range(4)]
    found: list[bytes] = []
    at_once(lambda number: found.append(tables[number].secret()), count=4)
    assert len(found[0]) == 32
    assert len(set(found)) == 1
    assert make().secret() == found[0]


def test_of_many_saves_at_once_one_wins(make: Make) -> None:
    """N first requests make one scale call because of this and nothing else."""
    make().save(record(1), expected_version=0)
    won: list[int] = []

    def wake(number: int) -> None:
        table = make()
        try:
            table.save(ServiceRecord(
                name="web", version=2, phase=Phase.WAKING, since=NOW, last_active_at=NOW, owner=f"req-{number}"
            ), expected_version=1)  # fmt: skip
        except ConflictError:
            return
        won.append(number)

    at_once(wake, count=8)
    loaded = make().load()
    assert loaded is not None
    assert [loaded.owner] == [f"req-{number}" for number in won]


def test_no_touch_is_lost_among_others(make: Make) -> None:
    """Each took a version: whoever decided on an older one notices."""
    make().save(record(1), expected_version=0)
    at_once(lambda number: make().touch(NOW + number * SECOND), count=8)
    assert make().load() == record(9, active_s=7)


STAMPS = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
RECORDS = st.builds(
    ServiceRecord,
    name=st.just("web"),
    version=st.just(1),
    phase=st.sampled_from(Phase),
    since=STAMPS,
    last_active_at=STAMPS,
    targets=st.lists(st.from_regex(r"\A10\.0\.\d{1,3}\.\d{1,3}:\d{1,5}\Z"), max_size=3).map(tuple),
    wake_by=st.none() | STAMPS,
    owner=TEXT,
    owner_until=st.none() | STAMPS,
    failure=st.none()
    | st.builds(Failure, reason=st.text(st.characters(codec="utf-8")), count=st.integers(1, 10**6), at=STAMPS),
    keep_until=st.none() | STAMPS,
    keep_reason=TEXT,
)


@pytest.mark.parametrize("url", ["moto_url", "dynalite_url"])
@given(one=RECORDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_record_comes_back_as_it_was(
    request: pytest.FixtureRequest, dynamo: Dynamo, url: str, one: ServiceRecord
) -> None:
    """Whatever a reason or an owner is called."""
    client = dynamo(request.getfixturevalue(url))
    table = DynamoTable(client, table=make_table(client), service="web", clock=RealClock())
    table.save(one, expected_version=0)
    assert table.load() == one
    client.close()


def at_once(act: Callable[[int], object], *, count: int) -> None:
    """Let this many threads act at the same moment."""
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait(30)
        act(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)

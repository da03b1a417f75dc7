"""The simulated table has the contract of the real one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from wakegate.core.errors import ConflictError
from wakegate.core.ledger import WakeLine
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.core.session import Session
from wakegate.sim.clock import STARTED_AT as NOW
from wakegate.sim.cloud import Hub, Invocation
from wakegate.sim.cloud_table import SimTable

T = TypeVar("T")
LATER = NOW + timedelta(seconds=60)
RECORD = ServiceRecord(name="web", version=1, phase=Phase.AWAKE, since=NOW, last_active_at=NOW, targets=("a:80",))
SESSION = Session(id="s", service="web", created_at=NOW, last_seen_at=NOW, requests=9, expires=LATER, data=b"cart")


@pytest.fixture
def table() -> SimTable:
    """Return a table with a record."""
    made = SimTable(Hub(0, lost=RuntimeError))
    act(made, lambda: made.save(RECORD, expected_version=0))
    return made


def act(table: SimTable, work: Callable[[], T]) -> T:
    """Run this as an invocation."""
    hub, done, failed = table._hub, list[T](), list[Exception]()

    def run() -> None:
        try:
            done.append(work())
        except ConflictError as error:
            failed.append(error)

    hub.spawn(lambda: hub.invoke(Invocation("me", end_s=1e9), run))
    hub.run(hub.now_s + 10)
    if failed:
        raise failed[0]
    return done[0]


def test_a_write_on_an_older_version_is_a_conflict(table: SimTable) -> None:
    """And so is the repeat of one that did happen."""
    newer = replace(RECORD, version=2, phase=Phase.DRAINING)
    act(table, lambda: table.save(newer, expected_version=1))
    with pytest.raises(ConflictError):
        act(table, lambda: table.save(newer, expected_version=1))
    assert act(table, table.load) == newer


def test_a_touch_moves_forward_only_and_takes_a_version(table: SimTable) -> None:
    """Whatever the version was; it answers with the whole record."""
    touched = act(table, lambda: table.touch(LATER))
    assert touched is not None
    assert (touched.version, touched.last_active_at, touched.targets) == (2, LATER, ("a:80",))
    again = act(table, lambda: table.touch(NOW))
    assert again is not None
    assert (again.version, again.last_active_at) == (3, LATER)


def test_a_touch_without_a_record_writes_nothing() -> None:
    """There is nothing yet that could be put to sleep."""
    empty = SimTable(Hub(0, lost=RuntimeError))
    assert act(empty, lambda: empty.touch(NOW)) is None
    assert act(empty, empty.load) is None


def test_targets_are_refreshed_only_in_the_phase_that_was_seen(table: SimTable) -> None:
    """Whatever touches came meanwhile."""
    act(table, lambda: table.touch(LATER))
    act(table, lambda: table.refresh(("b:80",), phase=Phase.AWAKE, since=NOW))
    assert table.record is not None
    assert (table.record.version, table.record.targets) == (3, ("b:80",))
    with pytest.raises(ConflictError):
        act(table, lambda: table.refresh((), phase=Phase.AWAKE, since=LATER))


def test_a_keep_moves_forward_only(table: SimTable) -> None:
    """Two apps may ask, and the longer one holds."""
    act(table, lambda: table.keep(LATER, reason="long"))
    act(table, lambda: table.keep(NOW, reason="short"))
    assert table.record is not None
    assert (table.record.keep_until, table.record.keep_reason) == (LATER, "long")


def test_of_sessions_counts_are_added_and_data_only_replaced_when_it_is_given(table: SimTable) -> None:
    """Two environments write the same one."""
    act(table, lambda: table.put_session(SESSION, requests=1, with_data=True))
    act(table, lambda: table.put_session(replace(SESSION, data=b""), requests=2, with_data=False))
    stored = act(table, lambda: table.get_session("s"))
    assert stored is not None
    assert (stored.requests, stored.data) == (3, b"cart")


def test_the_newest_wakes_come_first(table: SimTable) -> None:
    """As the estimate wants them."""
    one = WakeLine(id="1", service="web", at=NOW, cause="GET /", outcome="ready", duration_s=1.0)
    two = replace(one, id="2", duration_s=2.0)
    act(table, lambda: table.add_wake(one))
    act(table, lambda: table.add_wake(two))
    assert act(table, table.wakes) == (two, one)

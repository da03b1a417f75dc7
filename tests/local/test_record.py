"""The record of one service: every phase change is a row of the table, and the store may fail."""

from typing import Any

import pytest
from tests.core.values import service

from wakegate.core.errors import ConflictError, StateError
from wakegate.core.ledger import WakeLine
from wakegate.core.notice import Notice
from wakegate.core.phase import Event, Phase
from wakegate.core.record import ServiceRecord
from wakegate.local.record import Keeper
from wakegate.sim.clock import HandClock
from wakegate.sim.store import SimStore


class Told(list[Notice]):
    """A timeline that can be read."""

    def tell(self, notice: Notice) -> None:
        """Take a notice."""
        self.append(notice)


class Doubtful(SimStore):
    """A store whose writes arrive and whose answers may not."""

    def __init__(self) -> None:
        super().__init__()
        self.is_mute = False

    def save(self, record: ServiceRecord, *, expected_version: int) -> None:
        """Write, and perhaps fail all the same."""
        super().save(record, expected_version=expected_version)
        if self.is_mute:
            raise StateError("disk I/O error")


def keeper(store: SimStore, *, clock: HandClock | None = None, told: Told | None = None) -> Keeper:
    """Return what a gateway that starts makes."""
    return Keeper(service(), store=store, clock=clock or HandClock(), timeline=told if told is not None else Told())


def stored(store: SimStore) -> ServiceRecord:
    """Return what is in the store."""
    record = store.load("web")
    assert record is not None
    return record


def test_a_service_never_seen_sleeps_since_long_ago() -> None:
    """So its first start is no activity, and nothing is written before something happens."""
    store = SimStore()
    keep = keeper(store)
    assert (keep.phase, store.load("web")) == (Phase.ASLEEP, None)
    assert (keep.clock.utc() - keep.record.last_active_at).days == 1


def test_a_phase_change_is_stored_with_what_goes_with_it() -> None:
    """Whoever reads the record sees one state, not half of two."""
    store, clock, told = SimStore(), HandClock(), Told()
    keep = keeper(store, clock=clock, told=told)
    clock.move(5)
    keep.go(Event.REQUEST_ARRIVED, kind="woke", text="woke web", owner="gateway")
    assert (stored(store).phase, stored(store).owner, stored(store).since) == (Phase.WAKING, "gateway", clock.utc())
    assert (keep.phase, keep.since_s) == (Phase.WAKING, clock.now_s())
    assert [(one.kind, one.text, one.facts["phase"]) for one in told] == [("woke", "woke web", "waking")]


def test_an_event_without_a_row_changes_nothing() -> None:
    """The table is the only way: a change elsewhere is a bug even if it works."""
    store = SimStore()
    keep = keeper(store)
    with pytest.raises(AssertionError, match="no row"):
        keep.go(Event.REPLICA_READY)
    assert (keep.phase, store.load("web")) == (Phase.ASLEEP, None)


def test_an_event_that_stays_in_its_phase_does_not_begin_it_anew() -> None:
    """`waking` lasts since the first attempt."""
    clock = HandClock()
    keep = keeper(SimStore(), clock=clock)
    keep.go(Event.REQUEST_ARRIVED)
    since_s = keep.since_s
    clock.move(9)
    keep.go(Event.DESIRED_ZERO_SEEN)
    assert (keep.phase, keep.since_s) == (Phase.WAKING, since_s)


def test_every_write_is_the_next_version_and_tells_who_listens() -> None:
    """The version is the fencing token; the hot path hears of each change."""
    store, calls = SimStore(), []
    keep = keeper(store)
    keep.changed = lambda: calls.append(keep.record.version)
    for count in (1, 2, 3):
        keep.write(keep_reason=str(count))
    assert (stored(store).version, calls) == (3, [1, 2, 3])


def test_a_restart_goes_on_from_the_record() -> None:
    """The phase lasts since when it began, by the wall clock; a clock that was set back makes it begin now."""
    store, clock = SimStore(), HandClock()
    keeper(store, clock=clock).go(Event.REQUEST_ARRIVED)
    clock.move(60)
    again = keeper(store, clock=clock)
    assert (again.phase, again.since_s) == (Phase.WAKING, clock.now_s() - 60)
    again.go(Event.REPLICA_READY)
    assert stored(store).version == 2
    assert keeper(store, clock=HandClock()).since_s == HandClock().now_s()


def test_while_the_store_fails_the_service_goes_on_and_it_is_told_once() -> None:
    """A full disk must neither stop a wake nor fill the log; what was missed is written with the next change."""
    store, told = SimStore(), Told()
    keep = keeper(store, told=told)
    store.is_full = True
    keep.go(Event.REQUEST_ARRIVED)
    keep.write_wake(wake_line())
    keep.go(Event.REPLICA_READY, targets=("a:1",))
    assert (keep.phase, store.load("web")) == (Phase.AWAKE, None)
    assert ["going on without" in one.text for one in told] == [True]
    store.is_full = False
    keep.write(keep_reason="x")
    assert (stored(store).phase, stored(store).version, stored(store).targets) == (Phase.AWAKE, 1, ("a:1",))
    store.is_full = True
    keep.write(keep_reason="y")
    assert len(told) == 2


def test_a_write_that_failed_and_arrived_all_the_same_is_no_conflict() -> None:
    """After an I/O error at the commit nobody knows; the next write must not end the service."""
    store = Doubtful()
    keep = keeper(store)
    store.is_mute = True
    keep.go(Event.REQUEST_ARRIVED)
    store.is_mute = False
    keep.go(Event.REPLICA_READY)
    assert (stored(store).phase, stored(store).version) == (Phase.AWAKE, 2)
    keep.write(keep_reason="x")
    assert stored(store).version == 3


def test_another_writer_is_a_bug_and_not_overwritten() -> None:
    """Two gateways on one record would undo each other; the lock on the state directory is to prevent it."""
    store = SimStore()
    keep, other = keeper(store), keeper(store)
    other.go(Event.REQUEST_ARRIVED)
    with pytest.raises(ConflictError):
        keep.write(keep_reason="x")
    assert stored(store).keep_reason == ""


def wake_line(**changes: Any) -> WakeLine:
    """Return a line of the ledger."""
    return WakeLine(id="1", service="web", at=HandClock().utc(), cause="GET /", **changes)


def test_a_record_that_was_let_go_is_not_written_any_more() -> None:
    """It is another gateway's: a request that ends here late must not undo what that one has decided."""
    store = SimStore()
    keep = keeper(store)
    keep.go(Event.REQUEST_ARRIVED)
    other = keeper(store)
    lines: list[WakeLine] = []
    keep.let_go(write_wake=lines.append)
    keep.write(keep_reason="a late answer")
    keep.write_wake(wake_line(served=1))
    other.write(keep_reason="of now")
    assert lines == [wake_line(served=1)]
    assert not store.wakes("web", limit=1)
    assert stored(store).keep_reason == "of now"

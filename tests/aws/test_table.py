"""The table when its calls are lost, late, doubled or refused: what is told must be what has happened."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.aws.conftest import Dynamo, Faults, RealClock, make_table

from wakegate.aws.cloud import RefusedError, UnknownOutcomeError
from wakegate.aws.table import WITHIN_S, DynamoTable
from wakegate.core.errors import ConflictError
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.core.session import Session

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CAME_THROUGH = ["lost", "late", "error", "cut", "page"]
DID_NOTHING = ["dropped", "busy", "throttled"]


class Stage:
    """Two views on one table: `table` through faults, `other` without; and the time of the first."""

    def __init__(self, faults: Faults, dynamo: Dynamo, *, direct: str) -> None:
        self.name = make_table(dynamo(direct))
        self.clock = RealClock()
        self.faults = faults
        self.dynamo = dynamo
        self.table = self.view(self.name, patience_s=10)
        self.other = DynamoTable(dynamo(direct), table=self.name, service="web", clock=RealClock())

    def view(self, name: str, *, patience_s: float) -> DynamoTable:
        """Return another view through the faults."""
        client = self.dynamo(self.faults.url, read_timeout_s=patience_s)
        return DynamoTable(client, table=name, service="web", clock=self.clock)

    def breaks(self, *faults: str) -> None:
        """Let the next calls end so; nobody waits long for an answer that never comes."""
        if "late" in faults:
            self.table = self.view(self.name, patience_s=1)
        self.faults.next, self.faults.seen = list(faults), []


@pytest.fixture
def stage(faults: Faults, dynamo: Dynamo, moto_url: str) -> Stage:
    """Return a table with its first record."""
    made = Stage(faults, dynamo, direct=moto_url)
    made.other.save(record(1), expected_version=0)
    return made


def record(version: int, *, phase: Phase = Phase.ASLEEP, owner: str = "", active_s: float = 0) -> ServiceRecord:
    """Return a record."""
    return ServiceRecord(
        name="web", version=version, phase=phase, since=NOW, last_active_at=NOW + active_s * SECOND, owner=owner
    )


@pytest.mark.parametrize("fault", CAME_THROUGH + DID_NOTHING)
def test_a_save_whose_answer_was_lost_is_no_conflict(stage: Stage, fault: str) -> None:
    """The winner of a wake would else believe that another makes the scale call, and nobody would."""
    stage.breaks(fault)
    stage.table.save(record(2, phase=Phase.WAKING, owner="me"), expected_version=1)
    assert stage.other.load() == record(2, phase=Phase.WAKING, owner="me")
    asked = ["PutItem", "PutItem", "GetItem"] if fault in CAME_THROUGH else ["PutItem", "PutItem"]
    assert stage.faults.seen == asked
    assert len(stage.clock.slept) == 1


def test_a_first_save_whose_answer_was_lost_is_no_conflict(stage: Stage) -> None:
    """The first request of a new stack is a wake as well."""
    table = stage.view(make_table(stage.dynamo(stage.faults.url)), patience_s=10)
    stage.breaks("lost")
    table.save(record(1), expected_version=0)
    assert table.load() == record(1)


def test_a_save_that_came_through_and_was_touched_since_is_no_conflict(stage: Stage) -> None:
    """A touch leaves in the record whose write it was."""
    stage.breaks("lost")
    stage.clock.meanwhile = lambda: stage.other.touch(NOW + SECOND)
    stage.table.save(record(2, phase=Phase.WAKING, owner="me"), expected_version=1)
    assert stage.other.load() == record(3, phase=Phase.WAKING, owner="me", active_s=1)


def test_a_save_that_did_not_come_through_and_was_overtaken_is_a_conflict(stage: Stage) -> None:
    """The repeat finds what another has written at this version: ours has never been."""
    stage.breaks("dropped")
    stage.clock.meanwhile = lambda: stage.other.save(record(2, owner="other"), expected_version=1)
    with pytest.raises(ConflictError, match="version 1 was expected, there is 2"):
        stage.table.save(record(2, owner="me"), expected_version=1)
    assert stage.other.load() == record(2, owner="other")


def test_of_a_save_that_was_written_over_nobody_can_tell(stage: Stage) -> None:
    """It may have been the one before; a claim either way could be false."""
    stage.breaks("lost")
    stage.clock.meanwhile = lambda: stage.other.save(record(3, owner="other"), expected_version=2)
    with pytest.raises(UnknownOutcomeError):
        stage.table.save(record(2, owner="me"), expected_version=1)


def test_a_plain_conflict_costs_one_call(stage: Stage) -> None:
    """499 of 500 first requests get one: no reading back for them."""
    stage.other.touch(NOW)
    stage.breaks()
    with pytest.raises(ConflictError):
        stage.table.save(record(2), expected_version=1)
    assert stage.faults.seen == ["PutItem"]


@pytest.mark.parametrize("fault", CAME_THROUGH + DID_NOTHING)
def test_a_touch_whose_outcome_is_unknown_is_written_again(stage: Stage, fault: str) -> None:
    """Rule 1; the version moves twice, and nobody minds."""
    stage.breaks(fault)
    told = stage.table.touch(NOW + SECOND)
    assert told == record(3 if fault in CAME_THROUGH else 2, active_s=1)
    assert stage.other.load() == told


def test_a_touch_is_one_call(stage: Stage) -> None:
    """It is all that a warm request may cost, once an interval."""
    stage.breaks()
    stage.table.touch(NOW + SECOND)
    assert stage.faults.seen == ["UpdateItem"]


@pytest.mark.parametrize("fault", CAME_THROUGH + DID_NOTHING)
def test_a_read_is_repeated(stage: Stage, fault: str) -> None:
    """It changes nothing, so any failure will do."""
    stage.breaks(fault, fault)
    assert stage.table.load() == record(1)
    assert stage.faults.seen == ["GetItem"] * 3


@pytest.mark.parametrize("fault", ["lost", "dropped", "error"])
def test_the_secret_is_the_one_that_was_stored(stage: Stage, fault: str) -> None:
    """The maker whose answer was lost takes what is there, though it is his own."""
    stage.breaks("pass", fault)
    made = stage.table.secret()
    assert stage.other.secret() == made


def test_the_secret_is_asked_for_once(stage: Stage) -> None:
    """It never changes."""
    stage.breaks()
    assert stage.table.secret() == stage.table.secret()
    assert stage.faults.seen == ["GetItem", "PutItem"]


def test_a_sessions_write_survives_a_lost_answer(stage: Stage) -> None:
    """Its data is what the app was promised; one request more in its count is not."""
    stage.breaks("lost")
    session = Session(
        id="a", service="web", created_at=NOW, last_seen_at=NOW, requests=0, expires=NOW + SECOND, data=b"cart=3"
    )
    stage.table.put_session(session, requests=1, with_data=True)
    found = stage.other.get_session("a")
    assert found is not None
    assert found.data == b"cart=3"


@pytest.mark.parametrize("code", ["ThrottlingException", "ProvisionedThroughputExceededException"])
def test_throttled_to_the_end_is_an_unknown_outcome(stage: Stage, code: str) -> None:
    """It ends inside its time, with more and more patience, and says what AWS said."""
    stage.faults.throttled_as = code
    stage.breaks(*["throttled"] * 100)
    with pytest.raises(UnknownOutcomeError, match=f"update the table: tried .* times, last: {code}: slow down"):
        stage.table.touch(NOW)
    assert sum(stage.clock.slept) <= WITHIN_S
    assert 5 <= len(stage.clock.slept) <= 30


def test_what_aws_refuses_is_not_asked_twice(stage: Stage) -> None:
    """A missing permission does not come by waiting; the message says which call and why."""
    stage.breaks("denied", "denied")
    with pytest.raises(RefusedError, match="read the table: AccessDeniedException: not allowed to do that"):
        stage.table.load()
    assert stage.faults.seen == ["GetItem"]


def test_a_table_that_is_not_there_is_named_as_that(moto_url: str, dynamo: Dynamo) -> None:
    """The wrong region, mostly."""
    table = DynamoTable(dynamo(moto_url), table="nowhere", service="web", clock=RealClock())
    with pytest.raises(RefusedError, match="ResourceNotFoundException"):
        table.load()


def test_a_table_that_cannot_be_reached_is_an_unknown_outcome(dynamo: Dynamo, faults: Faults) -> None:
    """No route, no DNS: the request is answered with a come-back, not with a traceback."""
    faults.close()
    clock = RealClock()
    table = DynamoTable(dynamo(faults.url), table="t", service="web", clock=clock)
    with pytest.raises(UnknownOutcomeError, match="cannot be reached"):
        table.save(record(1), expected_version=0)
    assert sum(clock.slept) <= WITHIN_S

"""The steps of the schema: each is taken once, whole or not at all, and keeps what is there."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from wakegate.core.errors import StateError
from wakegate.local.store import sqlite
from wakegate.local.store.schema import STEPS, migrate

PATH = Path("state.sqlite")
NEXT_STEP = "ALTER TABLE session ADD COLUMN country TEXT NOT NULL DEFAULT '';"
BROKEN_STEP = "CREATE TABLE half (id INTEGER); CREATE TABLE session (id INTEGER);"


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """Yield a database of user_version 0 with nothing in it."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def version(connection: sqlite3.Connection) -> int:
    """Return the user_version."""
    number = connection.execute("PRAGMA user_version").fetchone()[0]
    assert isinstance(number, int)
    return number


def tables(connection: sqlite3.Connection) -> set[str]:
    """Return the names of the tables."""
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_a_new_file_gets_all_tables(connection: sqlite3.Connection) -> None:
    """From user_version 0 to the newest."""
    migrate(connection, path=PATH)
    assert tables(connection) == {"record", "wake", "session", "secret"}
    assert version(connection) == len(STEPS)


def test_a_file_that_is_up_to_date_is_left_alone(connection: sqlite3.Connection) -> None:
    """Every start but the first."""
    migrate(connection, path=PATH)
    changes = connection.total_changes
    migrate(connection, path=PATH)
    assert connection.total_changes == changes
    assert version(connection) == len(STEPS)


def test_an_older_file_keeps_what_is_in_it(connection: sqlite3.Connection) -> None:
    """An upgrade must not end a session."""
    migrate(connection, path=PATH)
    connection.execute("INSERT INTO session VALUES ('web', 'a', 1, 2, 3, 4, 'data')")
    migrate(connection, path=PATH, steps=(*STEPS, NEXT_STEP))
    assert connection.execute("SELECT * FROM session").fetchall() == [("web", "a", 1, 2, 3, 4, "data", "")]
    assert version(connection) == len(STEPS) + 1


def test_a_step_that_fails_leaves_the_file_as_it_was(connection: sqlite3.Connection) -> None:
    """The release before must still be able to use it."""
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, path=PATH, steps=(*STEPS, BROKEN_STEP))
    assert "half" not in tables(connection)
    assert version(connection) == len(STEPS)
    assert not connection.in_transaction


def test_a_file_from_the_future_is_refused(connection: sqlite3.Connection) -> None:
    """It is not changed, so that the newer release can go on with it."""
    migrate(connection, path=PATH, steps=(*STEPS, NEXT_STEP))
    with pytest.raises(StateError, match="newer wakegate"):
        migrate(connection, path=PATH)
    assert version(connection) == len(STEPS) + 1


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (sqlite.GET, "USING PRIMARY KEY (service=? AND id=?)"),
        (sqlite.COUNT, "USING COVERING INDEX session_expiry (expires>?)"),
        (sqlite.PURGE, "session_expiry (expires<?)"),
        (sqlite.WAKES, "USING INDEX wake_newest (service=?)"),
    ],
)
def test_no_query_reads_a_whole_table(connection: sqlite3.Connection, query: str, index: str) -> None:
    """They run on the event loop, where 100,000 sessions would be a tenth of a second."""
    migrate(connection, path=PATH)
    plan = [line for *_, line in connection.execute(f"EXPLAIN QUERY PLAN {query}", (None,) * query.count("?"))]
    assert len(plan) == 1
    assert index in plan[0]

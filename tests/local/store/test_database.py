"""A file that cannot be used is told in one sentence with what to do, and a transaction is all or nothing."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from wakegate.core.errors import StateError
from wakegate.local.store.database import Database
from wakegate.local.store.schema import STEPS

SESSION = "INSERT INTO session VALUES ('web', ?, 0, 0, 1, 0, zeroblob(500))"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the file of a store that was used and closed: some dozens of pages."""
    path = tmp_path / "state.sqlite"
    with closing(Database(path)) as database, database.transaction():
        database.write_many(SESSION, [(f"session-{number}",) for number in range(500)])
    return path


def why(path: Path) -> str:
    """Return why it cannot be opened."""
    with pytest.raises(StateError) as caught:
        Database(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


def test_a_file_that_is_something_else_is_told(tmp_path: Path) -> None:
    """A file of that name may have been copied there by mistake."""
    path = tmp_path / "state.sqlite"
    path.write_bytes(b"not a database, and longer than its header would be" * 20)
    assert why(path) == f"{path} is damaged (file is not a database); move it away and start again without it"


def test_a_file_that_was_cut_is_told(file: Path) -> None:
    """A copy that was interrupted."""
    file.write_bytes(file.read_bytes()[:30_000])
    assert "is damaged (" in why(file)
    assert "move it away" in why(file)


def test_a_damaged_page_is_told_at_the_start(file: Path) -> None:
    """Found by the first request that needs the page, it would be found at night."""
    content = bytearray(file.read_bytes())
    content[-8192:] = bytes(8192)
    file.write_bytes(content)
    assert "move it away" in why(file)


def test_a_file_of_a_newer_release_is_told(file: Path) -> None:
    """After a downgrade its tables mean something that this release does not know."""
    with closing(sqlite3.connect(file)) as newer:
        newer.execute("PRAGMA user_version = 99")
    message = why(file)
    assert f"was written by a newer wakegate (schema 99, this one knows {len(STEPS)})" in message
    assert "move the file away" in message


def test_a_directory_in_its_place_is_told(tmp_path: Path) -> None:
    """SQLite's own words for it would be "unable to open database file"."""
    assert "cannot be opened" in why(tmp_path)


def test_a_file_that_another_holds_is_told_and_can_be_used_later(file: Path) -> None:
    """It is not damaged: moving it away would be the wrong advice."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        message = why(file)
    assert "database is locked" in message
    assert "move it away" not in message
    Database(file).close()


def test_a_new_file_on_a_full_disk_is_told(
    tmp_path: Path, full_disk: Callable[[], AbstractContextManager[None]]
) -> None:
    """A fresh machine with a full disk."""
    with full_disk():
        message = why(tmp_path / "state.sqlite")
    assert "cannot be used" in message
    Database(tmp_path / "state.sqlite").close()


def insert(database: Database, ids: Iterable[str]) -> None:
    """Insert sessions in one transaction."""
    with database.transaction():
        for one in ids:
            database.write(SESSION, (one,))


def test_a_transaction_that_fails_leaves_nothing(file: Path) -> None:
    """Half a batch would be counts that fit nothing."""
    with closing(Database(file)) as database:
        with pytest.raises(StateError, match="cannot be written: UNIQUE"):
            insert(database, ("new", "session-1"))
        with pytest.raises(ZeroDivisionError):
            insert(database, (f"new {1 // number}" for number in (1, 0)))
        assert database.read("SELECT count(*) FROM session WHERE id LIKE 'new%'") == [(0,)]
        with database.transaction():
            database.write(SESSION, ("new",))
        assert database.read("SELECT count(*) FROM session WHERE id = 'new'") == [(1,)]


def test_a_commit_without_room_leaves_nothing_and_the_next_one_works(
    file: Path, full_disk: Callable[[], AbstractContextManager[None]]
) -> None:
    """A transaction left open would make every later one fail."""
    with closing(Database(file)) as database:
        with full_disk(), pytest.raises(StateError, match="cannot be written"), database.transaction():
            database.write(SESSION, ("new",))
        with database.transaction():
            database.write(SESSION, ("newer",))
        assert database.read("SELECT id FROM session WHERE id LIKE 'new%'") == [("newer",)]


def test_a_reader_beside_it_disturbs_nobody(file: Path) -> None:
    """Somebody looks into the file with sqlite3 while the gateway runs."""
    with closing(Database(file)) as database, closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT count(*) FROM session").fetchone()
        database.write(SESSION, ("new",))
        assert reader.execute("SELECT count(*) FROM session").fetchone() == before


def test_it_is_durable_against_the_death_of_the_process_only(file: Path) -> None:
    """Asked of SQLite itself: WAL, and no wait for the disk at each commit."""
    with closing(Database(file)) as database:
        assert database.read("PRAGMA journal_mode") == [("wal",)]
        assert database.read("PRAGMA synchronous") == [(1,)]

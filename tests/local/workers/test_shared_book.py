"""Sessions of two workers: what one stores the other reads, and no count is lost between them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wakegate.core.session import Session
from wakegate.core.spec import SessionSpec
from wakegate.local.lane import Visit
from wakegate.local.store.sqlite import SqliteStore
from wakegate.local.workers.board import Board
from wakegate.local.workers.shared_book import SharedBook
from wakegate.sim.clock import HandClock


class Worker:
    """One worker's book, with a connection of its own to the store."""

    def __init__(self, path: Path, board: Board, clock: HandClock) -> None:
        self.store = SqliteStore(path)
        self.warnings: list[str] = []
        self.book = SharedBook(
            SessionSpec(),
            board=board,
            service="web",
            path="/",
            store=self.store,
            clock=clock,
            warn=self.warnings.append,
        )

    def cookie(self) -> str:
        """Begin a session."""
        visit = self.book.visit(None)
        assert visit.set_cookie is not None
        self.book.cookie_sent(visit)
        return visit.set_cookie.decode().partition("=")[2].partition(";")[0]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Worker, Worker]]:
    """Yield two workers of one gateway."""
    board, clock = Board.make(), HandClock()
    path = tmp_path / "state.sqlite"
    workers = Worker(path, board, clock), Worker(path, board, clock)
    yield workers
    for worker in workers:
        worker.store.__exit__(None, None, None)


def test_a_session_is_one_at_both(two: tuple[Worker, Worker]) -> None:
    """The secret is in the store."""
    one, other = two
    cookie = one.cookie()
    assert one.book.visit(cookie).id == other.book.visit(cookie).id


def test_data_is_read_by_the_other_at_once(two: tuple[Worker, Worker]) -> None:
    """A browser asks the other worker the moment it has its answer."""
    one, other = two
    cookie = one.cookie()
    for worker in two:
        worker.book.visit(cookie)
    for number in range(5):
        writer, reader = two if number % 2 else (other, one)
        data = b"basket-%d" % number
        writer.book.store_data(writer.book.visit(cookie), data)
        assert reader.book.visit(cookie).data == data
        assert writer.book.visit(cookie).data == data


def test_data_that_is_stored_again_as_it_was_before_is_stored(two: tuple[Worker, Worker]) -> None:
    """What a worker remembers is not what is there."""
    one, other = two
    cookie = one.cookie()
    one.book.store_data(one.book.visit(cookie), b"empty")
    visit: Visit = one.book.visit(cookie)
    other.book.store_data(other.book.visit(cookie), b"full")
    one.book.store_data(visit, b"empty")
    assert other.book.visit(cookie).data == b"empty"


def test_counts_of_both_are_added(two: tuple[Worker, Worker]) -> None:
    """Each writes what it has counted since it last wrote."""
    one, other = two
    cookie = one.cookie()
    visits = [worker.book.visit(cookie) for worker in (one, other, one, one, other)]
    for worker in (one, other, one):
        worker.book.flush()
    stored = one.store.get("web", visits[0].id)
    assert stored is not None
    assert stored.requests == 1 + len(visits)


def test_a_first_visit_at_both_keeps_what_was_stored_in_between(two: tuple[Worker, Worker]) -> None:
    """One has looked, and found nothing, before the other has written what its app stores."""
    one, other = two
    cookie = one.cookie()

    def meanwhile() -> None:
        one.book.store_data(one.book.visit(cookie), b"basket")

    other.book._store = Overtaken(other.store, meanwhile)
    visit = other.book.visit(cookie)
    stored = one.store.get("web", visit.id)
    assert stored is not None
    assert stored.data == b"basket"
    assert other.book.visit(cookie).data == b"basket"
    assert one.warnings == other.warnings == []


class Overtaken:
    """A store of which something is done behind the back of its first reader."""

    def __init__(self, store: SqliteStore, meanwhile: Callable[[], None]) -> None:
        self._store = store
        self._meanwhile: Callable[[], None] | None = meanwhile
        self.put, self.touch, self.sessions = store.put, store.touch, store.sessions
        self.count, self.counts, self.purge, self.secret = store.count, store.counts, store.purge, store.secret

    def get(self, service: str, session_id: str) -> Session | None:
        """See `SessionStore.get`; what it returns is old already."""
        found = self._store.get(service, session_id)
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return found

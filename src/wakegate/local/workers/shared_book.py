"""The sessions of one service in a worker: a cache that knows when another worker has stored a session's data.

Each worker writes to the store itself: a write is durable before its answer goes out, whether or not there is a
keeper just then. The store adds what is counted, so that none undoes another's.
"""

from collections.abc import Callable

from wakegate.core.errors import StateError
from wakegate.core.spec import SessionSpec
from wakegate.local.lane import Visit
from wakegate.local.sessions import SessionBook
from wakegate.local.visit import Entry
from wakegate.local.workers.board import Board
from wakegate.ports import Clock, SessionStore


class SharedBook(SessionBook):
    """A `SessionBook` whose entries are looked up again when their mark on the board has changed."""

    def __init__(
        self,
        spec: SessionSpec,
        *,
        board: Board,
        service: str,
        path: str,
        store: SessionStore,
        clock: Clock,
        warn: Callable[[str], None],
    ) -> None:
        super().__init__(spec, service=service, path=path, store=store, clock=clock, warn=warn)
        self._board = board
        self._marks: dict[Entry, int] = {}  # when its data was read or written

    def visit(self, cookie: str | None) -> Visit:
        """See `lane.Sessions.visit`."""
        entry = self._entries.get(cookie)
        if entry is not None and self._marks[entry] != self._board.mark(entry.id):
            self._read_again(entry)
        return super().visit(cookie)

    def store_data(self, visit: Visit, data: bytes) -> None:
        """See `lane.Sessions.store_data`."""
        # What this worker has in its cache may be older than what is stored, and equal to what is to be stored now.
        entry = self._entries.get(self._sign(visit.id))
        if entry is not None and self._marks[entry] != self._board.mark(entry.id):
            self._read_again(entry)
        if data == visit.data:
            return
        super().store_data(visit, data)
        mark = self._board.change(visit.id)
        if entry is not None:
            self._marks[entry] = mark

    def _read_again(self, entry: Entry) -> None:
        mark = self._board.mark(entry.id)  # before it is read: what comes in between is seen by the next visit
        try:
            stored = self._store.get(self._service, entry.id)
        except StateError as error:
            self._failed(error)
            return
        if stored is not None and entry not in self._unstored:
            entry.data = stored.data
        self._marks[entry] = mark

    def _remember(self, cookie: str, entry: Entry) -> None:
        super()._remember(cookie, entry)
        self._marks[entry] = -1  # it was read before its mark: look once more

    def _forget(self, cookie: str | None) -> None:
        del self._marks[self._entries[cookie]]
        super()._forget(cookie)

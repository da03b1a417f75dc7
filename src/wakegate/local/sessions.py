"""The sessions of one service as requests meet them: a cache in front of the store.

A session is first written when its cookie comes back, before the request goes on: a client that drops cookies costs
no write and no memory. After that its counts are written together, once a second; the app's data at once.
A store that fails is told once: what could not be written stays in memory and is written as soon as it can be.
"""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import islice

from wakegate.core.errors import StateError, WakegateError
from wakegate.core.session import Session, sign, verify
from wakegate.core.session_id import RANDOM_BYTES, issued_at, make_id
from wakegate.core.spec import SessionSpec
from wakegate.local.lane import Visit
from wakegate.local.visit import CookieVisit, Entry
from wakegate.ports import Clock, SessionStore

CACHED_MAX = (
    10_000  # sessions in memory, some 400 bytes and their data each; the one seen least recently is written and goes
)
FLUSH_INTERVAL_S = 1.0  # what a kill -9 may cost: the counts of this long, never a session or its data
FLUSH_BATCH_MAX = 200  # rows in one turn of the loop: some 2 ms


class SessionBook:
    """Implements `lane.Sessions` for one service. `warn` hears of a store that fails."""

    def __init__(
        self,
        spec: SessionSpec,
        *,
        service: str,
        path: str,
        store: SessionStore,
        clock: Clock,
        warn: Callable[[str], None] = lambda _: None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.changed: Callable[[], None] = lambda: None  # something is to be written: `write_soon` is asked for
        self._service = service
        self.configure(spec, path=path)
        self._store = store
        self._clock = clock
        self._now_s = clock.now_s
        self._warn = warn
        self._random = random
        self._secret = store.secret()
        self._entries: OrderedDict[str | None, Entry] = OrderedDict()  # by cookie value, the least recently seen first
        self._dirty: dict[Entry, None] = {}  # to be written, the oldest first
        self._unstored: set[Entry] = set()  # of those, the ones whose data is to be written, too
        self._is_due = False  # `write_soon` was asked for and has not ended
        self._is_failing = False

    def configure(self, spec: SessionSpec, *, path: str) -> None:
        """Go on under other settings, which take effect with the next visit."""
        self._spec = spec
        self._renew_after_s = spec.ttl_s / 2
        secure = "; Secure" if spec.secure else ""
        self._attributes = f"; Path={path}; HttpOnly; SameSite=Lax; Max-Age={spec.ttl_s:.0f}{secure}"

    # -- the hot path

    def visit(self, cookie: str | None) -> Visit:
        """See `lane.Sessions.visit`."""
        entry = self._entries.get(cookie)
        if entry is None:
            return self._meet(cookie)
        now_s = self._now_s()
        # One comparison for two cases: the cookie of an expired session is at least as old, as nothing sets it unseen.
        if now_s - entry.cookie_set_s > self._renew_after_s:
            return self._look_again(entry, cookie, now_s=now_s)
        entry.requests += 1
        entry.seen_s = now_s
        if entry not in self._dirty:
            self._soil(entry, cookie)
        return entry

    def cookie_sent(self, visit: Visit) -> None:
        """See `lane.Sessions.cookie_sent`."""
        if isinstance(visit, CookieVisit) and visit.entry is not None:
            visit.entry.cookie_set_s = visit.entry.seen_s = self._now_s()

    def store_data(self, visit: Visit, data: bytes) -> None:
        """See `lane.Sessions.store_data`."""
        if len(data) > self._spec.data_bytes_max:
            limit = self._spec.data_bytes_max
            raise WakegateError(f"{self._service}: session data of {len(data)} bytes, at most {limit} are kept")
        if data == visit.data:
            return
        # By id, not by visit: the entry may have been evicted, and loaded again, since the request came.
        entry = self._entries.get(self._sign(visit.id))
        if entry is not None:
            entry.data = data
            self._unstored.add(entry)
            self._write(entry, write=self._store.put)
            return
        try:
            stored = self._store.get(self._service, visit.id)
            session = self._session(self._issued(visit.id)) if stored is None else replace(stored, requests=0)
            self._store.put(replace(session, data=data))
        except StateError as error:
            self._failed(error)

    # -- beside the requests

    @property
    def is_changed(self) -> bool:
        """Say whether something is to be written."""
        return bool(self._dirty)

    async def write_soon(self) -> None:
        """Write what has changed, each interval until nothing is left: of 10,000 idle services none has a task."""
        try:
            while self._dirty:
                await asyncio.sleep(FLUSH_INTERVAL_S)
                await self._flush_in_turns()
        finally:
            self._is_due = False

    def flush(self) -> None:
        """Write what has changed."""
        self._flush_batch()
        while self._dirty and not self._is_failing:
            self._flush_batch()

    def live_count(self) -> int:
        """Count the sessions that have not expired."""
        return self._store.count(self._service, now=self._clock.utc())

    # -- off the hot path: a cookie that is new here, or old

    def _meet(self, cookie: str | None) -> Visit:
        """Load the session of a cookie that we issued, make it durable if it never came back before, or begin one."""
        session_id = None if cookie is None else verify(cookie, service=self._service, secret=self._secret)
        if cookie is None or session_id is None:
            return self._begin()
        now, now_s = self._clock.utc(), self._now_s()
        try:
            stored = self._store.get(self._service, session_id)
        except StateError as error:
            self._failed(error)
            # Not remembered: what could not be read must not be overwritten by nothing.
            return CookieVisit(session_id, set_cookie=None, entry=None)
        if stored is None:
            entry = self._issued(session_id)
            ends_at = entry.created_at + timedelta(seconds=self._spec.ttl_s)
        else:
            entry = Entry(session_id, created_at=stored.created_at, requests=0, data=stored.data, seen_s=now_s)
            ends_at = stored.expires
        if ends_at <= now:
            return self._begin()
        # When the browser got its copy is not known. It was not before this, and to renew it too early does no harm.
        entry.cookie_set_s = now_s - max(0.0, (now - entry.created_at).total_seconds())
        self._remember(cookie, entry)
        visit = self._count(entry, cookie, now_s=now_s)
        if stored is None:
            self._write(entry, write=self._first)
        return visit

    def _look_again(self, entry: Entry, cookie: str | None, *, now_s: float) -> Visit:
        """The cookie is old: begin another session if this one has expired, else renew the browser's copy."""
        assert cookie is not None, "None is nobody's cookie"
        if now_s - entry.seen_s > self._spec.ttl_s:
            self._forget(cookie)
            return self._begin()
        return self._count(entry, cookie, now_s=now_s)

    def _count(self, entry: Entry, cookie: str, *, now_s: float) -> Visit:
        entry.requests += 1
        entry.seen_s = now_s
        self._soil(entry, cookie)
        if now_s - entry.cookie_set_s > self._renew_after_s:
            return CookieVisit(entry.id, set_cookie=self._set_cookie(cookie), entry=entry)
        return entry

    def _begin(self) -> CookieVisit:
        """Issue a session; it is nowhere but in the cookie until that comes back."""
        session_id = make_id(issued_at=self._clock.utc(), random=self._random(RANDOM_BYTES))
        return CookieVisit(session_id, set_cookie=self._set_cookie(self._sign(session_id)), entry=None)

    def _issued(self, session_id: str) -> Entry:
        """Return the entry of a session that was issued and is not stored; its first request counts."""
        created_at = issued_at(session_id) or self._clock.utc()
        return Entry(session_id, created_at=created_at, requests=1, data=b"", seen_s=self._now_s())

    def _sign(self, session_id: str) -> str:
        return sign(session_id, service=self._service, secret=self._secret)

    def _set_cookie(self, value: str) -> bytes:
        return f"{self._spec.cookie}={value}{self._attributes}".encode()

    # -- the cache

    def _remember(self, cookie: str, entry: Entry) -> None:
        if len(self._entries) >= CACHED_MAX:
            oldest, leaving = next(iter(self._entries.items()))
            if leaving in self._dirty:
                self._flush_batch()  # it is among the first: both are in the order in which sessions were seen
            self._forget(oldest)
        self._entries[cookie] = entry

    def _forget(self, cookie: str | None) -> None:
        entry = self._entries.pop(cookie)
        self._dirty.pop(entry, None)
        self._unstored.discard(entry)

    def _soil(self, entry: Entry, cookie: str | None) -> None:
        """It has changed since it was written: once a second at most, so the cache's order is that exact."""
        self._dirty[entry] = None
        self._entries.move_to_end(cookie)
        self._ask()

    def _ask(self) -> None:
        if not self._is_due:
            self._is_due = True
            self.changed()

    # -- the store

    def _first(self, session: Session) -> None:
        """Insert one; where another process has just done so, what its request has stored stays."""
        self._store.touch((session,))

    def _write(self, entry: Entry, *, write: Callable[[Session], None]) -> None:
        """Make one durable now."""
        try:
            write(self._session(entry))
        except StateError as error:
            self._failed(error)
            self._dirty[entry] = None
            self._ask()
        else:
            self._written(entry)

    async def _flush_in_turns(self) -> None:
        """Flush, and let requests have their turn between two batches."""
        self._flush_batch()
        while self._dirty and not self._is_failing:
            await asyncio.sleep(0)
            self._flush_batch()

    def _flush_batch(self) -> None:
        batch = list(islice(self._dirty, FLUSH_BATCH_MAX))
        if not batch:
            return
        try:
            for entry in self._unstored.intersection(batch):
                self._store.put(self._session(entry))
                self._written(entry)
            self._store.touch([self._session(entry) for entry in batch if entry in self._dirty])
        except StateError as error:
            self._failed(error)
        else:
            for entry in batch:
                self._written(entry)

    def _written(self, entry: Entry) -> None:
        self._is_failing = False
        self._dirty.pop(entry, None)
        self._unstored.discard(entry)
        entry.requests = 0

    def _failed(self, error: StateError) -> None:
        if not self._is_failing:
            self._is_failing = True
            self._warn(f"sessions could not be stored, they are in memory only until they can be: {error}")

    def _session(self, entry: Entry) -> Session:
        seen_at = self._clock.utc() - timedelta(seconds=self._now_s() - entry.seen_s)
        return Session(
            id=entry.id,
            service=self._service,
            created_at=entry.created_at,
            last_seen_at=seen_at,
            requests=entry.requests,
            expires=seen_at + timedelta(seconds=self._spec.ttl_s),
            data=entry.data,
        )

"""sessions: issue and recognise them, count them, keep the app's data; a cache in each environment before the table.

A session is first written when its cookie comes back, before the request goes on: a client that drops cookies costs
nothing. The cookie's value ends in a stamp of the app's data: an environment whose copy has another stamp reads it
again, so that a visitor sees what it has just stored, whichever environment answers; all others save the read.
"""

import sys
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b

from wakegate.aws.cloud import Clock, RefusedError, Table, UnknownOutcomeError
from wakegate.aws.instance import Entry, Instance
from wakegate.core.session import Session, sign, verify
from wakegate.core.session_id import RANDOM_BYTES, issued_at, make_id
from wakegate.core.spec import SessionSpec

COALESCE_S = 60.0  # counts are written this often, by each environment; what one that ends has not written is lost
CACHED_MAX = 1_000
TRIES = 5  # to keep the app's data: its answer waits for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One session as a request meets it; `renew` says that its cookie is to be set."""

    id: str
    data: bytes = b""
    renew: bool = False
    entry: Entry | None = None  # None: just issued, nowhere but in the cookie


class SessionBook:
    """The sessions of one service, as one invocation sees them."""

    def __init__(self, spec: SessionSpec, *, service: str, table: Table, clock: Clock, instance: Instance) -> None:
        self._spec = spec
        self._service = service
        self._table = table
        self._clock = clock
        self._instance = instance
        self._ttl = timedelta(seconds=spec.ttl_s)

    def visit(self, cookie: str | None) -> Visit:
        """Count a request of the session that this cookie names; issue one where it is missing, not ours, or over."""
        secret = self._secret()  # needed in any case, and to be had before the request goes on: it cannot fail later
        if cookie is None:
            return self._issue()
        value, stamp = _split(cookie)
        session_id = verify(value, service=self._service, secret=secret)
        if session_id is None:
            return self._issue()
        now = self._clock.now()
        entry = self._instance.sessions.get(session_id)
        if entry is None or _stamp(entry.session.data) != stamp or entry.session.expires <= now:
            entry = self._load(session_id, now=now)
        if entry.session.expires <= now:
            return self._issue()
        self._count(entry, now=now)
        is_old = now - entry.cookie_at > self._ttl / 2 or _stamp(entry.session.data) != stamp
        return Visit(id=session_id, data=entry.session.data, renew=is_old, entry=entry)

    def store_data(self, visit: Visit, data: bytes) -> Visit | None:
        """Keep the app's own data, in the table when this returns; None: it was not kept.

        Raises nothing: the answer is there, and the request must not be sent again for this.
        """
        if data == visit.data:
            return visit
        if len(data) > self._spec.data_bytes_max:
            return None
        now = self._clock.now()
        entry = visit.entry
        if entry is None:
            entry = self._entry(visit.id)
            entry.unwritten = 1  # the request that it was issued to: this write is made in any case
        session = replace(entry.session, data=data, last_seen_at=now, expires=now + self._ttl)
        for _ in range(TRIES):
            try:
                self._table.put_session(session, requests=entry.unwritten, with_data=True)
            except UnknownOutcomeError:
                continue
            except RefusedError as refused:
                sys.stderr.write(f"{refused}\n")
                return None
            entry.session, entry.unwritten, entry.written_at = session, 0, now
            self._remember(entry)
            return Visit(id=visit.id, data=data, renew=True, entry=entry)
        return None

    def set_cookie(self, visit: Visit, *, path: str, is_secure: bool) -> str:
        """Write the Set-Cookie value of a visit; the browser's copy is fresh then."""
        if visit.entry is not None:
            visit.entry.cookie_at = self._clock.now()
        value = sign(visit.id, service=self._service, secret=self._secret()) + _stamp(visit.data)
        attributes = f"Path={path}; HttpOnly; SameSite=Lax; Max-Age={self._spec.ttl_s:.0f}{'; Secure' * is_secure}"
        return f"{self._spec.cookie}={value}; {attributes}"

    def _issue(self) -> Visit:
        session_id = make_id(issued_at=self._clock.now(), random=self._instance.random_bytes(RANDOM_BYTES))
        return Visit(id=session_id, renew=True)

    def _load(self, session_id: str, *, now: datetime) -> Entry:
        """Read a session, or make the entry of one whose cookie comes back for the first time."""
        stored = self._table.get_session(session_id)
        entry = self._instance.sessions.get(session_id)
        if stored is None:
            entry = self._entry(session_id)
        elif entry is None:
            entry = Entry(stored, cookie_at=stored.created_at, written_at=now)
        else:
            entry.session = stored
        if entry.session.expires > now:
            self._remember(entry)
        return entry

    def _entry(self, session_id: str) -> Entry:
        """Return a session that was issued and is not in the table."""
        created_at = issued_at(session_id) or self._clock.now()
        session = Session(
            id=session_id,
            service=self._service,
            created_at=created_at,
            last_seen_at=created_at,
            requests=0,
            expires=created_at + self._ttl,
        )
        return Entry(session, cookie_at=created_at)

    def _count(self, entry: Entry, *, now: datetime) -> None:
        entry.unwritten += 1
        entry.session = replace(entry.session, last_seen_at=now, expires=now + self._ttl)
        self._instance.sessions.move_to_end(entry.session.id)
        if entry.written_at is None or (now - entry.written_at).total_seconds() > COALESCE_S:
            self._table.put_session(entry.session, requests=entry.unwritten, with_data=False)
            entry.unwritten, entry.written_at = 0, now

    def _remember(self, entry: Entry) -> None:
        sessions = self._instance.sessions
        sessions[entry.session.id] = entry
        sessions.move_to_end(entry.session.id)
        if len(sessions) > CACHED_MAX:
            sessions.popitem(last=False)

    def _secret(self) -> bytes:
        if self._instance.secret is None:
            self._instance.secret = self._table.secret()
        return self._instance.secret


def _split(cookie: str) -> tuple[str, str]:
    """Take the stamp off a cookie's value: "id.mac" and "" or ".stamp"."""
    head, _, tail = cookie.partition(".")
    mac, dot, stamp = tail.partition(".")
    return (f"{head}.{mac}", dot + stamp) if tail else (cookie, "")


def _stamp(data: bytes) -> str:
    """Return what tells two states of the app's data apart; nothing for none."""
    return f".{blake2b(data, digest_size=5).hexdigest()}" if data else ""

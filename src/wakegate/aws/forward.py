"""forward: send the request to a target, repeat it where that is safe, and do what the answer's headers ask of us."""

import sys
from datetime import timedelta
from typing import Any

from wakegate.aws.cloud import AppResponse, Cloud, RefusedError, UnknownOutcomeError
from wakegate.aws.hold import Hold
from wakegate.aws.instance import Instance
from wakegate.aws.payload import Incoming, header, to_app
from wakegate.aws.result import from_app
from wakegate.aws.sessions import SessionBook, Visit
from wakegate.aws.settings import Settings
from wakegate.core.errors import ConnectionLostError, UnreachableError
from wakegate.core.session import rendezvous, shareable

IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"))  # RFC 9110, 9.2.2
REPEATS_MAX = 2  # of a request whose connection was lost before an answer
KEEP_AWAKE_MAX_S = 365 * 86_400


class Forwarder:
    """The way of one request to the app and back; once an answer is there, nothing here fails any more."""

    def __init__(self, incoming: Incoming, *, cloud: Cloud, instance: Instance, settings: Settings, hold: Hold) -> None:
        self._incoming = incoming
        self._cloud = cloud
        self._clock = cloud.clock
        self._instance = instance
        self._settings = settings
        self._hold = hold
        self._name = settings.spec.name
        self._repeats = 0

    def forward(self, targets: tuple[str, ...], *, was_held: bool) -> dict[str, Any] | None:
        """Return what the function returns; None: every target refuses."""
        book, visit = self._visit()
        waited_s = self._hold.waited_s
        response = self._send(targets, visit)
        if response is None:
            return None
        added = self._take_off(response, book=book, visit=visit)
        if was_held:
            added.append(("Server-Timing", f"wake;dur={1000 * waited_s:.1f}"))
        return from_app(response, self._incoming, service=self._name, added=tuple(added))

    def _send(self, targets: tuple[str, ...], visit: Visit | None) -> AppResponse | None:
        """Try one target after the other; what may have reached the app is repeated only if it is idempotent."""
        session_id = "" if visit is None else visit.id
        request = to_app(self._incoming, session_id=session_id, session_data=b"" if visit is None else visit.data)
        for target in self._order(targets, "" if visit is None or visit.entry is None else session_id):
            try:
                return self._cloud.network.forward(request, target, timeout_s=self._hold.forward_s)
            except UnreachableError:
                self._instance.unreachable.add(target)
            except ConnectionLostError:
                self._repeats += 1
                if request.method not in IDEMPOTENT or self._repeats > REPEATS_MAX:
                    raise
        return None

    def _order(self, targets: tuple[str, ...], session_id: str) -> list[str]:
        """Put the targets in the order in which they are tried: a session's own first, the silent ones last."""
        if len(targets) == 1:
            return list(targets)
        order = self._instance.random.sample(targets, len(targets))
        if session_id:
            own = rendezvous(session_id, targets)
            order.remove(own)
            order.insert(0, own)
        return sorted(order, key=self._instance.unreachable.__contains__)

    # -- what the app asks for, and sessions

    def _visit(self) -> tuple[SessionBook | None, Visit | None]:
        spec = self._settings.spec.session
        if not spec.cookie:
            return None, None
        book = SessionBook(
            spec, service=self._name, table=self._cloud.table, clock=self._clock, instance=self._instance
        )
        return book, book.visit(self._incoming.cookie(spec.cookie))

    def _take_off(
        self, response: AppResponse, *, book: SessionBook | None, visit: Visit | None
    ) -> list[tuple[str, str]]:
        """Do what the answer's headers ask of us; return the headers that are added to it."""
        seconds = header(response.headers, "wakegate-keep-awake") or ""
        if seconds.isascii() and seconds.isdigit():
            self._keep_awake(min(int(seconds[:9]), KEEP_AWAKE_MAX_S))
        if book is None or visit is None:
            return []
        data = header(response.headers, "wakegate-session-data")
        if data is not None:
            stored = book.store_data(visit, data.encode("latin-1"))
            if stored is None:
                sys.stderr.write(
                    f"{self._name}: session data was not kept: over the limit, or the table did not answer\n"
                )
            visit = stored or visit
        if not visit.renew or shareable(header(response.headers, "cache-control") or ""):
            return []
        is_secure = self._incoming.proto == "https"
        return [("Set-Cookie", book.set_cookie(visit, path=self._incoming.prefix or "/", is_secure=is_secure))]

    def _keep_awake(self, seconds: int) -> None:
        """Keep it awake, written once an interval: an app that works says so with every answer."""
        now, known = self._clock.now(), self._instance.kept_until
        until = now + timedelta(seconds=seconds)
        if known is not None and until <= known:
            return
        until += timedelta(seconds=self._settings.coalesce_s)
        try:
            self._cloud.table.keep(until, reason="the app asked for it")
        except UnknownOutcomeError:
            return  # the next answer says it again
        except RefusedError as refused:
            sys.stderr.write(f"{refused}\n")
            return
        self._instance.kept_until = until

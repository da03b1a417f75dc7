"""What an execution environment remembers from one invocation to the next; it may vanish at any moment."""

import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from wakegate.core.record import ServiceRecord
from wakegate.core.session import Session


@dataclass(slots=True)
class Entry:
    """A session as this environment knows it; others may know more."""

    session: Session
    cookie_at: datetime  # when the browser got its copy of the cookie, at the latest
    written_at: datetime | None = None  # None: it is not in the table
    unwritten: int = 0  # requests that were counted here and are not in the table yet


class Instance:
    """The caches of one environment: the route, when it touched, the signing key, sessions."""

    __slots__ = (
        "_fresh_until", "_record", "kept_until", "random", "random_bytes", "secret", "sessions", "touched_at",
        "unreachable",
    )  # fmt: skip

    def __init__(self, *, random: Random | None = None, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self.random = random or Random()  # noqa: S311  spreads and jitters, keeps no secret
        self.random_bytes = random_bytes
        self.secret: bytes | None = None
        self.sessions: OrderedDict[str, Entry] = OrderedDict()  # the least recently seen first
        self.touched_at: datetime | None = None  # None: never
        self.kept_until: datetime | None = None  # the newest keep that was written here
        self.unreachable: set[str] = set()  # targets of this route that took no connection: each try may cost seconds
        self._record: ServiceRecord | None = None
        self._fresh_until: datetime | None = None

    def route(self, now: datetime) -> ServiceRecord | None:
        """Return the record while it may be used without another look."""
        if self._fresh_until is None or now >= self._fresh_until:
            return None
        return self._record

    def learn(self, record: ServiceRecord, *, read_at: datetime, ttl_s: float) -> None:
        """Remember a record whose read began at `read_at`.

        A touch is anybody's: one that is in the table and recent enough stands for ours (0008, "Touches").
        """
        self.touched_at = (
            record.last_active_at if self.touched_at is None else max(self.touched_at, record.last_active_at)
        )
        self.unreachable.clear()
        self._record = record
        self._fresh_until = read_at + timedelta(seconds=ttl_s)

    def forget(self) -> None:
        """Look again next time."""
        self._record = self._fresh_until = None

    def may_skip_touch(self, now: datetime, *, coalesce_s: float) -> bool:
        """Say whether the last touch is recent enough to stand for this one."""
        return self.touched_at is not None and (now - self.touched_at).total_seconds() <= coalesce_s

"""What a request gets of its session: the entry itself, or a visit of its own where its answer sets the cookie."""

from datetime import datetime


class Entry:
    """A session whose cookie has come back; the visit of every request that needs no Set-Cookie. See `lane.Visit`."""

    __slots__ = ("cookie_set_s", "created_at", "data", "id", "requests", "seen_s")
    set_cookie: bytes | None = None

    def __init__(self, session_id: str, *, created_at: datetime, requests: int, data: bytes, seen_s: float) -> None:
        self.id = session_id
        self.created_at = created_at
        self.requests = requests  # since it was last written
        self.data = data
        self.seen_s = seen_s
        self.cookie_set_s = seen_s  # when the browser got its copy of the cookie


class CookieVisit:
    """One request whose answer is to carry Set-Cookie: the first of a session, or one that renews the browser's copy.

    Requests of one session run at the same time: a Set-Cookie kept in the shared entry would be taken by none, or all.
    """

    __slots__ = ("entry", "id", "set_cookie")

    def __init__(self, session_id: str, *, set_cookie: bytes | None, entry: Entry | None) -> None:
        self.id = session_id
        self.set_cookie = set_cookie
        self.entry = entry

    @property
    def data(self) -> bytes:
        """What the app stored: the newest, also for a request that was held since before it was stored."""
        return b"" if self.entry is None else self.entry.data

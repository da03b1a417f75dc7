"""What a request and its service know of each other: the lane, the targets in it, and whoever waits for one.

The HTTP side (`request/accept.py`, `request/forward.py`) holds a `Lane` and is a `Waiter`; the service side
(`service.py`) is the `Lane` and owns the `Target`s. Neither imports the other.
"""

from itertools import count
from typing import Any, Protocol

from wakegate.core.errors import RequestError
from wakegate.core.progress import Progress
from wakegate.core.spec import ServiceSpec

_serials = count(1)


class Target:
    """One replica as requests see it: where it listens, how busy it is, and the idle connections to it."""

    __slots__ = ("elsewhere", "host", "idle", "in_flight", "key", "number", "port", "serial", "shut", "unanswered")

    def __init__(self, *, number: int, host: str, port: int) -> None:
        self.number = number
        self.serial = next(_serials)  # no other target has it, while a replica's number is given again
        self.host = host
        self.port = port
        self.key = f"{host}:{port}"
        self.in_flight = 0  # requests given to this target and not finished
        self.unanswered = 0  # of those, the ones whose response head has not come yet
        self.elsewhere = 0  # once it is shut: those that other processes gave it and have not finished
        self.shut = False  # draining or gone: no new request, no connection goes back to `idle`
        self.idle: list[Any] = []  # upstream connections, newest last; `request/forward.py` owns the content

    @property
    def busy(self) -> int:
        """Count what must end before it may be stopped."""
        return self.in_flight + self.elsewhere


class Waiter(Protocol):
    """One request, as its service sees it: an exchange of `request/`, or a fake one of a test.

    Exactly one of `release`, `refuse` or (by the client) `Lane.leave` ends the wait.
    """

    arrived_s: float
    counts: bool  # set by the lane; False: ignored by policy, neither wakes nor keeps awake
    session_id: str | None
    method: str
    path: str  # without the query

    @property
    def is_navigation(self) -> bool:
        """Say whether a browser navigates: it may get the waiting page."""
        ...

    @property
    def agent(self) -> str:
        """Return the User-Agent, "" where there is none."""
        ...

    def release(self, target: Target, *, was_held: bool = True) -> None:
        """Go to this target now; it has already been counted in flight there.

        It was not held where its lane only had to ask another process: then its answer tells of no cold start.
        """
        ...

    def refuse(self, error: RequestError) -> None:
        """Answer with this error; the wait is over."""
        ...

    def interim(self) -> None:
        """Send a 102 interim response to a client that still waits."""
        ...

    def comment(self) -> None:
        """Send an SSE comment line to a client that still waits; a no-op where it did not ask for an event stream."""
        ...


class Visit(Protocol):
    """One session as a request meets it."""

    @property
    def id(self) -> str:
        """22 URL-safe characters; what the app gets as X-Wakegate-Session."""
        ...

    @property
    def data(self) -> bytes:
        """What the app stored, b"" for nothing."""
        ...

    @property
    def set_cookie(self) -> bytes | None:
        """The whole Set-Cookie value for a client that has no valid cookie yet, or an old copy of it; else None."""
        ...


class Sessions(Protocol):
    """The sessions of one service, on the hot path."""

    def visit(self, cookie: str | None) -> Visit:
        """Count a request of the session that this cookie value names; begin a new one for None or a value not ours.

        The second visit of a session makes it durable before this returns; later ones are coalesced.
        """
        ...

    def cookie_sent(self, visit: Visit) -> None:
        """The answer has carried `set_cookie`: the browser's copy is fresh. Until then every visit offers it again."""
        ...

    def store_data(self, visit: Visit, data: bytes) -> None:
        """Keep the app's own data; durable when this returns."""
        ...


class Lane(Protocol):
    """What a request may ask of its service. All are plain functions: nothing awaits between a read and a write."""

    spec: ServiceSpec

    @property
    def sessions(self) -> Sessions | None:
        """Return the sessions, None where they are turned off."""
        ...

    def admit(self, waiter: Waiter) -> Target | None:
        """Count the request in; return a target to forward to now, or None: it waits, `release` or `refuse` will come.

        Raise `RequestError` to refuse at once (then it was not counted). On the hot path this is one attribute
        check and two increments.
        """
        ...

    def leave(self, waiter: Waiter) -> None:
        """The client hung up while it waited: free its seat. Never after `release` or `refuse`."""
        ...

    def answered(self, target: Target, waiter: Waiter) -> None:
        """The response head has come (or the request ended without one): call exactly once for each target given."""
        ...

    def finished(self, target: Target, waiter: Waiter) -> None:
        """The last byte has gone, or the request failed: the request is no longer in flight. After `answered`."""
        ...

    def unreachable(self, target: Target, waiter: Waiter, reason: str) -> None:
        """No connection to the target could be made, no byte has reached it: the request waits again, first in line.

        Replaces `answered` and `finished` for this target; `release` or `refuse` will come.
        """
        ...

    def keep_awake(self, seconds: float, *, reason: str) -> None:
        """The app (or a person) asks to be kept awake for this long from now."""
        ...

    def progress(self) -> Progress:
        """Return how far the wake is, for the waiting page."""
        ...

    def retry(self) -> bool:
        """Somebody presses "try now": forget the backoff unless a wake was tried in the last 2 s; say whether."""
        ...


class Home(Lane, Protocol):
    """A lane whose requests other processes let in: what they report, and ask for, is told to it."""

    def find(self, serial: int) -> Target | None:
        """Return a target by its serial, None once its replica is gone."""
        ...

    def suspect(self, serial: int, reason: str) -> None:
        """No connection to a target could be made: offer it to nobody until it answers its probe again."""
        ...

    def heard(self, serial: int | None = None) -> None:
        """What other processes may still do, or have in flight, has become less; at this target, if one is given."""
        ...

"""What the two handlers ask of AWS, as Protocols with their contracts; `sim/cloud.py` is a world that obeys them.

Every call may raise `UnknownOutcomeError`: it timed out, or was throttled to the end; it may have happened.
Each may raise `RefusedError`: nobody's to catch but his who answers the client, for only an operator can mend it.
Reads of the platform are eventually consistent; those of the table are not. Times are aware UTC datetimes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from wakegate.core.abandon import Crash
from wakegate.core.errors import WakegateError
from wakegate.core.ledger import WakeLine
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.core.session import Session


class UnknownOutcomeError(WakegateError):
    """A call whose answer did not come: it may have happened, or not."""


class RefusedError(WakegateError):
    """A call that AWS refuses, and will at every repeat: no permission, no such table, cluster or service."""


class Clock(Protocol):
    """Time, for one invocation."""

    def now(self) -> datetime:
        """The wall clock: all that invocations on different machines share."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Table(Protocol):
    """The record of one service, its sessions and the signing key."""

    def load(self) -> ServiceRecord | None:
        """Return the record, consistently; None for a service never seen."""
        ...

    def save(self, record: ServiceRecord, *, expected_version: int) -> None:
        """Write if the stored version is `expected_version` (0: none stored yet); else raise `ConflictError`.

        `record.version` is `expected_version + 1`. A repeat of a write that did happen is a conflict, too.
        """
        ...

    def touch(self, at: datetime) -> ServiceRecord | None:
        """Move `last_active_at` forward to `at` and add one to the version, whatever it is; return the whole record.

        None where there is no record: then nothing was written.
        """
        ...

    def refresh(self, targets: tuple[str, ...], *, phase: Phase, since: datetime) -> None:
        """Replace the targets and add one to the version if `phase` and `since` still hold; else raise `ConflictError`.

        Not conditional on the version: touches under load would starve it.
        """
        ...

    def keep(self, until: datetime, *, reason: str) -> None:
        """Move `keep_until` forward to `until` and add one to the version, whatever it is; nothing without a record."""
        ...

    def wakes(self) -> tuple[WakeLine, ...]:
        """Return the newest wakes that are over, the newest first (`core.ledger.newest`); perhaps not all of them."""
        ...

    def add_wake(self, line: WakeLine) -> None:
        """Remember a wake that is over; of two at once, one may be forgotten."""
        ...

    def get_session(self, session_id: str) -> Session | None:
        """Return a session, expired or not."""
        ...

    def put_session(self, session: Session, *, requests: int, with_data: bool) -> None:
        """Insert a session, or bring it up to date, in one write: other environments write the same one.

        `requests` are added to the stored count, `last_seen_at` and `expires` replaced, `data` only `with_data`;
        `service` and `created_at` are kept where there are any. `session.requests` is not looked at.
        """
        ...

    def secret(self) -> bytes:
        """Return the 32-byte key that signs session ids; the first caller makes it, for everybody."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task as the platform tells it; whether the app in it answers is another question (`Network.connects`)."""

    arn: str
    created_at: datetime
    target: str  # "10.0.1.7:80", "" until it has an address
    is_leaving: bool  # asked to stop, or stopping


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The service as one read showed it, perhaps some seconds late."""

    desired: int
    tasks: tuple[Task, ...]


class Platform(Protocol):
    """The ECS service and the rule that wakes the cleanup."""

    def scale(self, desired: int) -> None:
        """Set the desired count; acknowledged when this returns."""
        ...

    def look(self) -> Seen:
        """Return the desired count and the tasks with their addresses."""
        ...

    def crashes(self, since: datetime) -> tuple[Crash, ...]:
        """Return the tasks created since then that could not start or ended by themselves, the newest end last."""
        ...

    def set_rule(self, *, enabled: bool) -> None:
        """Enable or disable the schedule of the cleanup; harmless when repeated."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRequest:
    """A request for the app, complete: target as the app shall see it, header lines in order."""

    method: str
    target: str  # path and query, origin form
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppResponse:
    """The app's answer, complete; headers in order, repeated ones repeated."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


class Network(Protocol):
    """The way to the tasks."""

    def connects(self, target: str) -> bool:
        """Say whether the app at this target is ready: one attempt of its probe; never raises."""
        ...

    def forward(self, request: AppRequest, target: str, *, timeout_s: float) -> AppResponse:
        """Send the request and return the whole answer.

        Raise `UnreachableError` when no byte of it has reached the app; `ConnectionLostError` when it may have, and no
        byte came back; `BadResponseError` when one did; `ResponseTimeoutError` when the time was up (`core.errors`).
        """
        ...


def log_nothing(_: str) -> None:
    """Be the log of an operator's command, which says what it did by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """All of it, as a handler is given it."""

    clock: Clock
    table: Table
    platform: Platform
    network: Network
    log: Callable[[str], None] = log_nothing  # takes a line of the function's log, without its end


class Context(Protocol):
    """What Lambda says about the invocation."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return how long this invocation may still run."""
        ...

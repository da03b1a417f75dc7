"""The record of a service: what the store keeps, changed only by conditional writes.

Every write adds one to `version`, the fencing token; stamps are aware UTC datetimes.
"""

from dataclasses import dataclass
from datetime import datetime

from wakegate.core.phase import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The last failed wake; `count` is how many failed in a row."""

    reason: str
    count: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Woken:
    """What the newest wake began with: its cause ("GET /orders"), the User-Agent or who asked, and when."""

    cause: str
    agent: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRecord:
    """One row of the state store (DynamoDB item `service#<name>`, SQLite row)."""

    name: str
    version: int
    phase: Phase
    since: datetime
    last_active_at: datetime
    targets: tuple[str, ...] = ()
    wake_by: datetime | None = None
    owner: str = ""
    owner_until: datetime | None = None
    failure: Failure | None = None
    keep_until: datetime | None = None
    keep_reason: str = ""
    woken: Woken | None = None  # kept only where the ledger has no line of a wake before it has ended

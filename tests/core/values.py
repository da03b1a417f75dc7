"""The values that core tests begin with: a service, its record, a reading of it; each changed where a test says so."""

from datetime import UTC, datetime
from typing import Any

from wakegate.core.activity import Activity
from wakegate.core.ledger import WakeLine
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.core.spec import ProcessSpec, ServiceSpec

NOW = datetime(2026, 3, 9, 14, 2, 11, tzinfo=UTC)
NOW_S = 100_000.0  # the monotonic clock at NOW


def service(**changes: Any) -> ServiceSpec:
    """Return a service with these tables."""
    return ServiceSpec(name="web", run=ProcessSpec(command=("app",)), **changes)


def record(phase: Phase = Phase.ASLEEP, **changes: Any) -> ServiceRecord:
    """Return the record of a service in this phase since NOW."""
    fields: dict[str, Any] = {"name": "web", "version": 1, "since": NOW, "last_active_at": NOW}
    return ServiceRecord(phase=phase, **(fields | changes))


def activity(**changes: Any) -> Activity:
    """Return a reading of a service that nobody uses, touched at NOW_S."""
    fields: dict[str, Any] = {"in_flight": 0, "held": 0, "touched_s": NOW_S}
    return Activity(**(fields | changes))


def wake_line(**changes: Any) -> WakeLine:
    """Return a good wake at NOW."""
    fields: dict[str, Any] = {"id": "1", "service": "web", "at": NOW, "cause": "GET /", "outcome": "ready"}
    return WakeLine(**(fields | changes))

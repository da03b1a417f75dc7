"""How a service is, for `wakegate status` and the dashboard."""

from dataclasses import dataclass
from datetime import datetime

from wakegate.core.phase import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """One row of the status table; `next` is a sentence: what will happen to it next."""

    name: str
    phase: Phase
    since: datetime
    replicas_ready: int
    replicas_wanted: int
    replicas_max: int
    in_flight: int
    held: int
    sessions: int
    last_active_at: datetime | None  # None: nobody has come yet
    usual_wake_s: float | None
    failure: str
    next: str
    urls: tuple[str, ...]
    pids: tuple[int, ...]
    memory_bytes: int = 0
    requests: int = 0  # since it woke
    p99_s: float | None = None  # of the newest requests, waits included; None before the first
    replicas_paused: int = 0  # frozen while it is asleep; their memory is in `memory_bytes`

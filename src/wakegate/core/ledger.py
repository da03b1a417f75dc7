"""A line of the wake ledger: what woke a service, who waited, how long each step took."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from wakegate.core.estimate import NEWEST_COUNT
from wakegate.core.record import Woken

FAILED_COUNT = 10  # of a short ledger: those that failed tell nothing about how long a good one takes


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeLine:
    """One wake. `held = served + refused + gone + open + lost`; lost is always 0, or the ledger has found a bug.

    `start_s` until the replica was started, `listen_s` until it answered its probe, `settle_s` the settling time.
    """

    id: str
    service: str
    at: datetime
    cause: str  # "GET /orders", "wakegate wake", "min = 1"
    agent: str = ""  # the User-Agent, or who asked
    outcome: str = "waking"  # "waking", "ready" (it was started), "resumed" (it was paused) or "failed"
    reason: str = ""  # why it failed
    start_s: float = 0.0
    listen_s: float = 0.0
    settle_s: float = 0.0
    duration_s: float = 0.0  # 0.0: not over, or not known
    held: int = 0
    served: int = 0
    refused: int = 0
    gone: int = 0
    open: int = 0  # held, or on their way to the app, when the line was written

    @property
    def lost(self) -> int:
        """Requests that were held and that nobody can say the ending of."""
        return self.held - self.served - self.refused - self.gone - self.open


def line_of(woken: Woken, *, service: str, outcome: str, reason: str = "", duration_s: float = 0.0) -> WakeLine:
    """Return the line of a wake that only the record of its service tells of: when it began names it."""
    return WakeLine(
        id=woken.at.isoformat(),
        service=service,
        at=woken.at,
        cause=woken.cause,
        agent=woken.agent,
        outcome=outcome,
        reason=reason,
        duration_s=duration_s,
    )


def newest(lines: Sequence[WakeLine]) -> tuple[WakeLine, ...]:
    """Return what a short ledger keeps of these, the newest first: as many good ones as an estimate looks at."""
    good = [line for line in lines if line.outcome == "ready"][:NEWEST_COUNT]
    others = [line for line in lines if line.outcome != "ready"][:FAILED_COUNT]
    return tuple(line for line in lines if line in good or line in others)


def durations(lines: Iterable[WakeLine], *, outcome: str = "ready") -> tuple[float, ...]:
    """Return how long those that ended so took, in seconds, in the order of the lines."""
    return tuple(line.duration_s for line in lines if line.outcome == outcome and line.duration_s)

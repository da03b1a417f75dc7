"""Something worth telling the operator: a line of the timeline, of the log, and an object of `--json`."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One line. `subject` is the service's name, or a request ("GET /"); `detail` lines are indented below it.

    `kind` is stable for programs: started, woke, pulling, pulled, building, built, progress, starting-needed,
    starting, ready, awake, draining, stopping, asleep, paused, wake-failed, exited, unreachable, scaled-out,
    scaled-in, adopted, stopped-orphan, reloaded, closing, stopped, warning, bug.
    """

    at: datetime
    kind: str
    service: str
    subject: str
    text: str
    detail: tuple[str, ...] = ()
    facts: dict[str, object] = field(default_factory=dict)

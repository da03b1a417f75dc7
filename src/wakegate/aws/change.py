"""change: a change of phase as one line of a function's log (JSON), and back for whoever reads the log."""

import json
from dataclasses import dataclass

from wakegate.core.phase import Event, Phase
from wakegate.core.say import say_duration

_KIND = "phase"  # under the key "wakegate": what the lines of this program are known by


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChange:
    """`version` is the record's after it; `duration_s` how long the phase before lasted, None: nobody knows."""

    service: str
    before: Phase
    to: Phase
    event: Event
    version: int
    reason: str = ""
    duration_s: float | None = None


def write_change(change: PhaseChange) -> str:
    """Return the line."""
    fields = {
        "wakegate": _KIND,
        "service": change.service,
        "from": change.before,
        "to": change.to,
        "event": change.event,
        "reason": change.reason,
        "version": change.version,
        "duration_s": None if change.duration_s is None else round(change.duration_s, 3),
    }
    return json.dumps(fields, ensure_ascii=False)


def read_change(line: str) -> PhaseChange | None:
    """Return the change that a line of a log tells, None for any other line."""
    if not line.startswith('{"wakegate"'):
        return None
    try:
        found = json.loads(line)
        if found["wakegate"] != _KIND:
            return None
        return PhaseChange(
            service=str(found["service"]),
            before=Phase(found["from"]),
            to=Phase(found["to"]),
            event=Event(found["event"]),
            version=int(found["version"]),
            reason=str(found["reason"]),
            duration_s=None if found["duration_s"] is None else float(found["duration_s"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def say_change(change: PhaseChange) -> str:
    """Say it: "asleep → waking · a request arrived: GET /orders · was asleep for 2h 10m"."""
    said = f"{change.before} → {change.to} · {change.event}"
    said += f": {change.reason}" if change.reason else ""
    return said if change.duration_s is None else f"{said} · was {change.before} for {say_duration(change.duration_s)}"

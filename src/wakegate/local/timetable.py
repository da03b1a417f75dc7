"""The schedule of one service, read from the wall clock; computed again only when the answer can be another."""

from collections.abc import Sequence
from datetime import datetime

from wakegate.core.schedule import ScheduleVerdict, Window, decide_schedule
from wakegate.ports import Clock

LOOK_INTERVAL_S = 60.0  # while it sleeps: a clock that is set, or a machine that slept, tells nobody


class Timetable:
    """Remembers the newest verdict: a service that is busy asks with every request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked: tuple[Sequence[Window], float] = ((), 0.0)
        self._at: datetime | None = None
        self._verdict: ScheduleVerdict | None = None

    def look(self, windows: Sequence[Window], *, lead_s: float) -> ScheduleVerdict | None:
        """Return the verdict of now, None where there is no schedule."""
        if not windows:
            return None
        now = self._clock.utc()
        is_fresh = self._at is not None and self._verdict is not None and self._at <= now < self._verdict.until
        if not is_fresh or self._asked != (windows, lead_s):
            self._asked, self._at = (windows, lead_s), now
            self._verdict = decide_schedule(windows, now=now, lead_s=lead_s)
        return self._verdict

    def left_s(self, verdict: ScheduleVerdict) -> float:
        """Return for how long it holds."""
        return max(0.0, (verdict.until - self._clock.utc()).total_seconds())

"""The real clock: the event loop's monotonic time, and the wall clock for stamps."""

import time
from datetime import UTC, datetime


class SystemClock:
    """A `Clock`. uvloop's own time is a millisecond coarse; both count from the same start, so they can be mixed."""

    now_s = staticmethod(time.monotonic)

    def utc(self) -> datetime:
        """Return the wall clock."""
        return datetime.now(UTC)

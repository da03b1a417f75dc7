"""touch: a request is in flight from its admission to its last byte, and both ends count as activity."""

from datetime import datetime, timedelta

from wakegate.core.activity import Activity
from wakegate.local.lane import Waiter
from wakegate.ports import Clock

RECENT_MAX = 1024  # durations kept for the p99 that the timeline shows


class Touch:
    """Counts what is in flight and when the service was last active. The hot path writes its fields directly."""

    __slots__ = (
        "_clock",
        "_ended",
        "_recent",
        "asked",
        "in_flight",
        "keep_reason",
        "keep_until_s",
        "newest",
        "requests",
        "requests_before",
        "touched_s",
    )

    def __init__(self, *, clock: Clock) -> None:
        self.in_flight = 0
        self.requests = 0  # admitted since the gateway started
        self.requests_before = 0  # admitted before the service woke
        self.touched_s = clock.now_s()
        self.keep_until_s = 0.0
        self.keep_reason = ""
        self.newest: Waiter | None = None  # the newest request that counted, for `explain`
        self.asked = ""  # what an operator asked since then
        self._clock = clock
        self._recent: list[float] = []  # grows when it is used: of 10,000 services most sleep
        self._ended = 0  # durations seen since the service woke

    def restore(self, *, last_active_at: datetime) -> None:
        """Carry activity over a restart: a step of the wall clock can only make the service stay awake longer."""
        idle_s = (self._clock.utc() - last_active_at).total_seconds()
        self.touched_s = self._clock.now_s() - max(0.0, idle_s)

    def woke(self, *, for_somebody: bool) -> None:
        """The service is awake from now on; its idle time begins, unless nobody asked for it: a crash is no visit."""
        self.requests_before = self.requests
        self._recent.clear()
        self._ended = 0
        if for_somebody:
            self.touched_s = self._clock.now_s()

    def ended(self, *, arrived_s: float, counts: bool, is_cold: bool) -> None:
        """Mark the end of a request that was counted in; one that waited for a wake says nothing of the app's speed."""
        now_s = self._clock.now_s()
        self.in_flight -= 1
        assert self.in_flight >= 0, "admit and finished are not paired"
        if not is_cold:
            if len(self._recent) < RECENT_MAX:
                self._recent.append(now_s - arrived_s)
            else:
                self._recent[self._ended % RECENT_MAX] = now_s - arrived_s
            self._ended += 1
        if counts:
            self.touched_s = now_s

    def keep(self, seconds: float, *, reason: str) -> None:
        """Keep awake for this long from now; a shorter keep never cuts a longer one.

        0 ends the keep that was made for this reason, or any without a reason: an app cannot end a person's.
        """
        until_s = self._clock.now_s() + seconds
        if seconds <= 0:
            if reason in ("", self.keep_reason):
                self.keep_until_s, self.keep_reason = 0.0, ""
        elif until_s > self.keep_until_s:
            self.keep_until_s, self.keep_reason = until_s, reason

    def last(self) -> str:
        """Name the newest activity: a request that counted, or what an operator asked; "" before the first."""
        newest = self.newest
        if newest is None:
            return self.asked
        return f"{newest.method} {newest.path}" + (f" from {newest.agent}" if newest.agent else "")

    def last_active_at(self) -> datetime:
        """Return the wall-clock time of the newest activity."""
        return self._clock.utc() - timedelta(seconds=self._clock.now_s() - self.touched_s)

    def activity(self, *, held: int, cpu_percent: float | None) -> Activity:
        """Return a reading for the decisions."""
        return Activity(
            in_flight=self.in_flight,
            held=held,
            touched_s=self.touched_s,
            keep_until_s=self.keep_until_s,
            keep_reason=self.keep_reason,
            cpu_percent=cpu_percent,
        )

    def p99_s(self) -> float | None:
        """Return the 99th percentile of the newest durations since the service woke; None before the first."""
        return sorted(self._recent)[-1 - len(self._recent) // 100] if self._recent else None

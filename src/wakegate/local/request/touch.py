"""touch: a request is in flight from its admission to its last byte, and both ends count as activity."""

from datetime import datetime, timedelta

from wakegate.core.activity import Activity
from wakegate.local.elsewhere import NOWHERE, Elsewhere
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
        "elsewhere",
        "in_flight",
        "keep_reason",
        "keep_until_s",
        "newest",
        "requests",
        "requests_before",
        "touched_s",
    )

    def __init__(self, *, clock: Clock, elsewhere: Elsewhere = NOWHERE) -> None:
        self.elsewhere = elsewhere  # what other processes let in: the readings below count it, the fields do not
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
        self.requests_before = self.all_requests
        self.elsewhere.woke()
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

    @property
    def all_in_flight(self) -> int:
        """Count what is in flight, whichever process let it in."""
        return self.in_flight + self.elsewhere.in_flight()

    @property
    def all_requests(self) -> int:
        """Count what was admitted since the gateway started, whichever process did it."""
        return self.requests + self.elsewhere.requests()

    @property
    def newest_s(self) -> float:
        """Return when the newest activity was."""
        return max(self.touched_s, self.elsewhere.touched_s())

    def last(self) -> str:
        """Name the newest activity: a request that counted, or what an operator asked; "" before the first."""
        if self.elsewhere.touched_s() > self.touched_s and (newest_there := self.elsewhere.last()):
            return newest_there
        newest = self.newest
        if newest is None:
            return self.asked
        return name_of(newest)

    def last_active_at(self) -> datetime:
        """Return the wall-clock time of the newest activity."""
        return self._clock.utc() - timedelta(seconds=self._clock.now_s() - self.newest_s)

    def activity(self, *, held: int, cpu_percent: float | None) -> Activity:
        """Return a reading for the decisions."""
        return Activity(
            in_flight=self.all_in_flight,
            held=held,
            touched_s=self.newest_s,
            unheard=self.elsewhere.unheard(),
            keep_until_s=self.keep_until_s,
            keep_reason=self.keep_reason,
            cpu_percent=cpu_percent,
        )

    def p99_s(self) -> float | None:
        """Return the 99th percentile of the newest durations since the service woke; None before the first."""
        recent = sorted((*self._recent, *self.elsewhere.durations()))
        return recent[-1 - len(recent) // 100] if recent else None


def name_of(request: Waiter) -> str:
    """Name a request as `explain` does: "GET /a from curl/8"."""
    return f"{request.method} {request.path}" + (f" from {request.agent}" if request.agent else "")

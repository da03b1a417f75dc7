"""hold: how long a request may wait in its invocation, how often it looks, and what it is told when that is not enough.

How many wait is not counted here: environments know nothing of one another, and a counter would cost two writes a
request. The function's reserved concurrency bounds them; beyond it the front itself refuses.
"""

from dataclasses import replace
from datetime import datetime
from functools import cached_property

from wakegate.aws.cloud import Cloud
from wakegate.aws.payload import Incoming
from wakegate.aws.settings import Settings
from wakegate.core.errors import HoldTimeoutError, StillWakingError
from wakegate.core.estimate import remaining_s, usual_wake_s
from wakegate.core.hold import Answer, decide_hold
from wakegate.core.ledger import durations
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.core.say import say_duration

HOP = "wakegate-hop"
MARGIN_S = 3.0  # of the function's own time: a last round, and the answer
FORWARD_MIN_S = 8.0  # the app has at least this long to answer before its front gives up; else the client comes back
OWNER_PAUSE_S = 1.0  # three calls to ECS and EC2 a second and service
STOPPING_PAUSE_S = 0.3  # a stop is acknowledged within a second
PAUSE_MIN_S, PAUSE_MAX_S = 0.5, 2.0  # 500 who watch read the record 250 to 1,000 times a second; an item bears 3,000


def split_hop(query: str) -> tuple[str, int]:
    """Take the hop counter off a query; a client may write what it likes into it: that only shortens its wait."""
    if HOP not in query:
        return query, 0
    fields = query.split("&")
    values = [field.partition("=")[2] for field in fields if field.partition("=")[0] == HOP]
    hops = max((int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 4), default=0)
    return "&".join(field for field in fields if field.partition("=")[0] != HOP), hops


class Hold:
    """The wait of one request."""

    def __init__(
        self, incoming: Incoming, *, hops: int, cloud: Cloud, settings: Settings, arrived_at: datetime, left_s: float
    ) -> None:
        self._incoming = incoming
        self._hops = hops
        self._cloud = cloud
        self._settings = settings
        self._arrived_at = arrived_at
        self._timeout_s = settings.spec.wake.timeout_s
        self._front_s = self._timeout_s if incoming.is_function_url else settings.hold_s
        waited_before_s = hops * self._front_s
        self.limit_s = max(0.0, min(self._front_s, left_s - MARGIN_S, self._timeout_s - waited_before_s))
        self._answer_s = left_s - 1.0 if incoming.is_function_url else min(settings.answer_s, left_s - 1.0)

    @property
    def waited_s(self) -> float:
        """Return how long the request has been here."""
        return (self._cloud.clock.now() - self._arrived_at).total_seconds()

    @property
    def forward_s(self) -> float:
        """Return how long the app may take to answer."""
        return max(0.1, self._answer_s - self.waited_s)

    @cached_property
    def durations(self) -> tuple[float, ...]:
        """How long the newest wakes took, read once."""
        return durations(self._cloud.table.wakes())

    def check(self, record: ServiceRecord, *, is_owner: bool) -> None:
        """Return if the request may go on waiting; else raise what its client is told."""
        usual_s, elapsed_s = usual_wake_s(self.durations), self.elapsed_s(record)
        verdict = decide_hold(
            replace(self._settings.spec.hold, timeout_s=self.limit_s),
            held=0,
            waited_s=self.waited_s,
            is_waking=True,
            is_navigation=self._incoming.is_page,
            usual_s=usual_s,
            elapsed_s=elapsed_s,
            wake_timeout_s=self._timeout_s,
        )
        left_s = self.remaining_s(record)
        if verdict.answer is Answer.PAGE:
            raise StillWakingError(record.name, verdict.reason, retry_after_s=left_s, elapsed_s=elapsed_s)
        if verdict.answer is Answer.TIMEOUT:
            raise HoldTimeoutError(record.name, verdict.reason, retry_after_s=left_s, elapsed_s=elapsed_s)
        may_hop = self._settings.on_long_wait == "307" or self._incoming.is_function_url
        if not is_owner and not may_hop and usual_s is not None and self.waited_s < 1.0 and left_s > self.limit_s:
            reason = f"still waking, and not ready within the {say_duration(self.limit_s)} that a request may wait here"
            raise HoldTimeoutError(record.name, reason, retry_after_s=left_s, elapsed_s=elapsed_s)

    def check_time_to_forward(self, name: str) -> None:
        """Raise if what is left after the wait is too short for the app: no byte of the request has reached it yet."""
        if self._answer_s - self.waited_s < FORWARD_MIN_S:
            raise self.timeout(name, "it is ready now")

    def timeout(self, name: str, why: str) -> HoldTimeoutError:
        """Return the error of one who has waited as long as it may, and may come back at once."""
        detail = f"not answered after {say_duration(self.waited_s)}: {why}"
        return HoldTimeoutError(name, detail, retry_after_s=1.0, elapsed_s=self.waited_s)

    def is_over(self) -> bool:
        """Say whether the request has waited as long as it may."""
        return self.waited_s >= self.limit_s

    def pause_s(self, record: ServiceRecord, *, is_owner: bool, jitter: float) -> float:
        """Return how long to wait before the next look; `jitter` from 0 to 1 keeps a herd from looking in step."""
        if is_owner:
            pause_s = OWNER_PAUSE_S
        elif record.phase is Phase.STOPPING:
            pause_s = STOPPING_PAUSE_S * (0.5 + jitter)
        else:
            soon_s = self.remaining_s(record) / 4
            pause_s = min(PAUSE_MAX_S, max(PAUSE_MIN_S, soon_s)) * (0.75 + jitter / 2)
        return max(0.01, min(pause_s, self.limit_s - self.waited_s))

    def elapsed_s(self, record: ServiceRecord) -> float:
        """Return how long this wake has taken so far."""
        if record.phase is not Phase.WAKING or record.wake_by is None:
            return 0.0
        return max(0.0, self._timeout_s - (record.wake_by - self._cloud.clock.now()).total_seconds())

    def remaining_s(self, record: ServiceRecord) -> float:
        """Estimate what remains of this wake, or how long one that began now would take."""
        return remaining_s(self.durations, elapsed_s=self.elapsed_s(record), timeout_s=self._timeout_s)

    def come_back(self) -> str | None:
        """Return where the client shall ask again to go on waiting: here, one hop further; None: not any more."""
        incoming = self._incoming
        is_last = (self._hops + 1) * self._front_s >= self._timeout_s
        # Browsers follow no redirect of a preflight.
        if self._settings.on_long_wait != "307" or is_last or incoming.is_preflight:
            return None
        path = incoming.prefix + incoming.path
        if path.startswith(("//", "/\\")):
            path = f"/.{path}"  # else the client would take it for another host
        query = f"{incoming.query}&" if incoming.query else ""
        return f"{path}?{query}{HOP}={self._hops + 1}"

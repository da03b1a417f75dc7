"""A gateway as far as operators see it: it knows one service, and remembers what was asked of it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from wakegate.core.errors import ServiceUnknownError, WakeFailedError, WakegateError
from wakegate.core.ledger import WakeLine
from wakegate.core.phase import Phase
from wakegate.core.session import Session
from wakegate.core.status import ServiceStatus

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class Desk:
    """`Operations` with the service "web": it wakes when `may_wake` is set, and is busy where told so."""

    phase: Phase = Phase.ASLEEP
    in_flight: int = 0
    is_stopped: bool = False
    kept_s: float = 0.0
    kept_because: str = ""
    services_count: int = 1
    said_count: int = field(default=0, compare=False)  # of the statuses
    wake_failure: str = ""
    asked_wakes: asyncio.Queue[str] = field(default_factory=asyncio.Queue, compare=False)
    may_wake: asyncio.Event = field(default_factory=asyncio.Event, compare=False)

    def statuses(self) -> Iterator[ServiceStatus]:
        """Say how "web" is, as often as there are to be services."""
        status = ServiceStatus(
            name="web", phase=self.phase, since=NOW, replicas_ready=0, replicas_wanted=0, replicas_max=3,
            in_flight=self.in_flight, held=0, sessions=0, last_active_at=NOW, usual_wake_s=None, failure="",
            next="wakes on the first request", urls=(), pids=(),
        )  # fmt: skip
        for number in range(self.services_count):
            self.said_count = number + 1
            yield status

    async def wake(self, name: str, *, cause: str) -> None:
        """Take the time that the test gives."""
        self._known(name)
        self.asked_wakes.put_nowait(cause)
        await self.may_wake.wait()
        if self.wake_failure:
            raise WakeFailedError(name, self.wake_failure, retry_after_s=5)
        self.phase = Phase.AWAKE

    async def sleep(self, name: str, *, force: bool, stop: bool) -> None:
        """Refuse while it is busy, and note whether it was to be stopped."""
        self._known(name)
        if self.in_flight and not force:
            raise WakegateError(f"{name}: {self.in_flight} requests are in flight")
        self.phase, self.is_stopped = Phase.ASLEEP, stop

    def keep(self, name: str, seconds: float, *, reason: str) -> None:
        """Note it."""
        self._known(name)
        self.kept_s, self.kept_because = seconds, reason

    def explain(self, name: str) -> tuple[str, ...]:
        """Say one sentence."""
        self._known(name)
        return (f"{name} is {self.phase}.",)

    def sessions(self, name: str, *, limit: int) -> tuple[Session, ...]:
        """Return as many as asked for, of three."""
        self._known(name)
        ends = NOW + timedelta(hours=1)
        one = Session(id="s0", service=name, created_at=NOW, last_seen_at=NOW, requests=1, expires=ends)
        made = [one, replace(one, id="s1"), replace(one, id="s2")]
        return tuple(made[:limit])

    def ledger(self, name: str, *, limit: int) -> tuple[WakeLine, ...]:
        """Return as many as asked for, of two; the second one has lost a request."""
        self._known(name)
        good = WakeLine(id="2", service=name, at=NOW, cause="GET /", outcome="ready", held=3, served=2, gone=1)
        bad = WakeLine(id="1", service=name, at=NOW, cause="GET /", outcome="ready", held=3, served=2)
        return (good, bad)[:limit]

    def _known(self, name: str) -> None:
        if name != "web":
            raise ServiceUnknownError(f'no service is called "{name}"; there is web')


@pytest.fixture
def desk() -> Desk:
    """Return a gateway's desk."""
    return Desk()

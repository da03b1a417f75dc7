"""What the handlers ask of AWS, answered by the simulated account: see `wakegate.aws.cloud`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from wakegate.aws.cloud import AppRequest, AppResponse, Seen, Task
from wakegate.core.abandon import Crash
from wakegate.core.errors import ConnectionLostError, ResponseTimeoutError, UnreachableError
from wakegate.sim.clock import STARTED_AT
from wakegate.sim.cloud import Hub
from wakegate.sim.cloud_ecs import SimFleet


class SimClock:
    """The clock of whoever runs."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self._hub.now()

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        self._hub.sleep(seconds)


class SimPlatform:
    """The platform as the handlers call it."""

    def __init__(self, hub: Hub, fleet: SimFleet) -> None:
        self._hub = hub
        self._fleet = fleet

    def scale(self, desired: int) -> None:
        """See `Platform.scale`."""
        self._hub.call(f"platform.scale({desired})", lambda: self._fleet.scale(desired), takes_s=(0.04, 0.6))

    def look(self) -> Seen:
        """See `Platform.look`."""
        desired, tasks = self._hub.call("platform.look", self._fleet.seen, takes_s=(0.03, 0.2))
        return Seen(
            desired=desired,
            tasks=tuple(
                Task(
                    arn=f"arn:task/{task.number}",
                    created_at=STARTED_AT + timedelta(seconds=task.created_s),
                    target=task.target,
                    is_leaving=task.leaving_s <= self._hub.now_s,
                )
                for task in tasks
            ),
        )

    def crashes(self, since: datetime) -> tuple[Crash, ...]:
        """See `Platform.crashes`."""
        since_s = (since - STARTED_AT).total_seconds()
        found = self._hub.call("platform.crashes", lambda: self._fleet.seen_crashes(since_s), takes_s=(0.03, 0.2))
        return tuple(Crash(reason="exit code 3", at=STARTED_AT + timedelta(seconds=at_s)) for _, at_s in found)

    def set_rule(self, *, enabled: bool) -> None:
        """See `Platform.set_rule`."""
        self._hub.call(
            f"platform.set_rule({enabled})", lambda: self._fleet.set_rule(enabled=enabled), takes_s=(0.02, 0.1)
        )


@dataclass(slots=True)
class Delivery:
    """What reached the app of one request."""

    method: str
    by: str
    task: int
    has_answered: bool = False


class SimNetwork:
    """The app: it counts a visitor's requests in the session's data, and takes as long as the query says."""

    def __init__(self, hub: Hub, fleet: SimFleet) -> None:
        self.deliveries: list[Delivery] = []
        self.stores = True  # whether the app keeps its count in the session
        self.cache_control = ""
        self._hub = hub
        self._fleet = fleet

    def connects(self, target: str) -> bool:
        """See `Network.connects`."""
        takes_s = (0.001, 0.01)
        return self._hub.call("network.connects", lambda: self._fleet.connects(target), takes_s=takes_s, is_lossy=False)

    def forward(self, request: AppRequest, target: str, *, timeout_s: float) -> AppResponse:
        """See `Network.forward`."""
        task = self._hub.call("network.forward", lambda: self._fleet.at(target), takes_s=(0.001, 0.004), is_lossy=False)
        if task is None:
            raise UnreachableError("web", "connection refused")
        delivery = Delivery(request.method, self._hub.who(), task.number)
        self.deliveries.append(delivery)
        asked = dict(parse_qsl(request.target.partition("?")[2]))
        takes_s, keep_awake_s = float(asked.get("takes", "0.01")), asked.get("keep", "")
        self._fleet.enter(task.number)
        is_there = False
        try:
            self._hub.sleep(min(takes_s, timeout_s))
        finally:
            is_there = self._fleet.leave(task.number)
        if not is_there:
            raise ConnectionLostError("web", "the app closed the connection")
        if takes_s > timeout_s:
            raise ResponseTimeoutError("web", f"no answer within {timeout_s:.0f} s")
        delivery.has_answered = True
        headers = dict(request.headers)
        visits = int(headers.get("Wakegate-Session-Data", "0")) + 1
        session = headers.get("X-Wakegate-Session", "")
        answered = [("Content-Type", "text/plain")]
        if self.stores:
            answered.append(("Wakegate-Session-Data", str(visits)))
        if self.cache_control:
            answered.append(("Cache-Control", self.cache_control))
        if keep_awake_s:
            answered.append(("Wakegate-Keep-Awake", keep_awake_s))
        return AppResponse(status=200, headers=tuple(answered), body=f"{session} {visits}".encode())

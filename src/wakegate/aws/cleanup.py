"""cleanup: the tick. idle -> drain -> stop, and repairs what the record and the world disagree about.

It may come twice, late, or die between any two calls: each tick looks anew, and does the next thing that is due.
"""

from typing import Any

from wakegate.aws import function
from wakegate.aws.cloud import Cloud, Context, Task
from wakegate.aws.record import Keeper, activity_of
from wakegate.aws.settings import Settings
from wakegate.aws.wake import Waker
from wakegate.core.drain import DrainVerdict, decide_drain
from wakegate.core.errors import ConflictError
from wakegate.core.idle import IdleVerdict, decide_idle
from wakegate.core.phase import Event, Phase
from wakegate.core.record import ServiceRecord, Woken

TASK_CHANGED = "ECS Task State Change"
STARTED = "tasks that somebody started"  # with the console, or by setting the desired count


def lambda_handler(event: Any, context: Context) -> dict[str, str]:
    """Do what is due: what Lambda calls."""
    return handle(event, context, cloud=function.cloud(), settings=function.settings())


def handle(event: Any, context: Context, *, cloud: Cloud, settings: Settings) -> dict[str, str]:
    """Do what is due, and say what it was."""
    return Cleanup(context, cloud=cloud, settings=settings).tick(event)


class Cleanup:
    """One invocation of the function."""

    waker_class = Waker

    def __init__(self, context: Context, *, cloud: Cloud, settings: Settings) -> None:
        self._cloud = cloud
        self._clock = cloud.clock
        self._settings = settings
        self._me = context.aws_request_id
        self._keeper = Keeper(cloud, name=settings.spec.name)
        self._waker = self.waker_class(cloud, settings, keeper=self._keeper, me=self._me)

    def tick(self, event: Any) -> dict[str, str]:
        """Look at the record, and do the next thing; whoever was faster has done it."""
        record = self._keeper.load()
        try:
            did = self._do(record, event)
        except ConflictError:
            did = "somebody else was faster"
        return {"service": record.name, "phase": record.phase, "did": did}

    def _do(self, record: ServiceRecord, event: Any) -> str:
        is_minute = self._is_minute(event)
        if record.phase is not Phase.ASLEEP and not is_minute:
            self._cloud.platform.set_rule(enabled=True)  # what should call this every minute did not
        match record.phase:
            case Phase.AWAKE:
                return self._awake(record)
            case Phase.DRAINING:
                return self._drain(record)
            case Phase.WAKING:
                return self._wake(record)
            case Phase.STOPPING:
                return self._stop(record)
            case Phase.ASLEEP:
                return self._asleep(record, is_minute=is_minute)

    # -- idle, drain, stop

    def _awake(self, record: ServiceRecord) -> str:
        verdict = self.decide_idle(record)
        if not verdict.sleep:
            return self._refresh(record) or verdict.reason
        return self._drain(self._keeper.go(record, Event.IDLE_PASSED, reason=verdict.reason))

    def _drain(self, record: ServiceRecord) -> str:
        """Wait for the grace, then stop unless anybody came; another tick may do the same at the same time."""
        since = record.since
        verdict = self.decide_drain(record)
        if verdict.recheck_s is not None:
            self._clock.sleep(verdict.recheck_s)
            record = self._keeper.load()
            if record.phase is not Phase.DRAINING or record.since != since:
                return "somebody else saw to the drain"
            verdict = self.decide_drain(record)
        if verdict.cancel:
            self._keeper.go(record, Event.REQUEST_ARRIVED, reason=verdict.reason)
        elif verdict.stop:
            self.stop(record, Event.GRACE_PASSED, reason=verdict.reason)
        return verdict.reason

    def stop(self, record: ServiceRecord, event: Event, *, reason: str = "") -> None:
        """Become the owner of the stop, then stop."""
        until = self._waker.lease(self._settings.life_s)
        self._waker.stop(self._keeper.go(record, event, reason=reason, targets=(), owner=self._me, owner_until=until))

    def decide_idle(self, record: ServiceRecord) -> IdleVerdict:
        """Ask the core."""
        return decide_idle(self._settings.spec, activity_of(record, now=self._clock.now()), now_s=self._now_s())

    def decide_drain(self, record: ServiceRecord) -> DrainVerdict:
        """Ask the core: whatever was touched since the drain began cancels it."""
        since_s = record.since.timestamp()
        return decide_drain(
            self._settings.spec,
            activity_of(record, now=self._clock.now()),
            since_s=since_s,
            now_s=max(self._now_s(), since_s),
        )

    # -- repair

    def _refresh(self, record: ServiceRecord) -> str:
        """Publish which replicas there are: scaled out, or gone. One that is only slow to answer stays."""
        if (self._clock.now() - record.since).total_seconds() <= self._settings.settle_s:
            return ""  # a read may be older than the targets
        tasks = self._cloud.platform.look().tasks
        there = tuple(task.target for task in tasks if not task.is_leaving and task.target in record.targets)
        targets = tuple(dict.fromkeys(there + self._waker.ready(tasks)))
        if set(targets) == set(record.targets):
            return ""
        self._cloud.table.refresh(targets, phase=record.phase, since=record.since)
        return f"targets: {', '.join(targets) or 'none left, the next request wakes it'}"

    def _wake(self, record: ServiceRecord) -> str:
        """Watch a wake for one round where nobody else does."""
        waker = self._waker
        if not waker.is_free(record):
            return "its owner is at work"
        record = waker.watch(waker.take_over(record))
        waker.hand_on(record)
        return f"watched a wake that nobody owned: {record.phase}"

    def _stop(self, record: ServiceRecord) -> str:
        """Stop for a stopper that is gone."""
        if not self._waker.is_free(record):
            return "its owner is at work"
        until = self._waker.lease(self._settings.life_s)
        self._waker.stop(self._keeper.write(record, owner=self._me, owner_until=until))
        return "ended a stop whose owner was gone"

    def _asleep(self, record: ServiceRecord, *, is_minute: bool) -> str:
        """Adopt what somebody has started; else nothing has to be looked at every minute any more."""
        seen = self._cloud.platform.look()
        if (self._clock.now() - record.since).total_seconds() <= self._settings.settle_s:
            return "asleep since a moment ago"
        if seen.desired == 0 and not is_minute:
            return "asleep"
        again = self._keeper.load()
        if again.version != record.version:
            return "woken meanwhile"
        if seen.desired > 0:
            return self._adopt(again, targets=self._waker.ready(self._settled(again, seen.tasks)))
        self._cloud.platform.set_rule(enabled=False)
        if self._keeper.load().phase is not Phase.ASLEEP:
            self._cloud.platform.set_rule(enabled=True)
        return "asleep; the schedule is off"

    def _settled(self, record: ServiceRecord, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
        """Return the tasks that are not what the sleep has left."""
        is_over = (self._clock.now() - record.since).total_seconds() > self._settings.trust_s
        return tuple(task for task in tasks if is_over or task.created_at >= record.since)

    def _adopt(self, record: ServiceRecord, *, targets: tuple[str, ...]) -> str:
        """Take what runs for awake, what does not yet for a wake that somebody began: either ends by itself."""
        now = self._clock.now()
        woken = Woken(cause=STARTED, at=now)
        self._cloud.platform.set_rule(enabled=True)
        if targets:
            self._keeper.go(record, Event.REPLICAS_SEEN, targets=targets, last_active_at=now, woken=woken)
            return "adopted what somebody started"
        wake_by = self._waker.lease(self._settings.spec.wake.timeout_s)
        since, event = record.since, Event.REQUEST_ARRIVED
        self._keeper.go(record, event, reason=STARTED, since=since, wake_by=wake_by, last_active_at=now, woken=woken)
        return "somebody started it; watched as a wake"

    def _is_minute(self, event: Any) -> bool:
        """Say whether this tick comes from the schedule that is turned off while asleep."""
        resources = event.get("resources") or [] if isinstance(event, dict) else []
        suffix = f"rule/{self._settings.rule_name}"
        return bool(self._settings.rule_name) and any(str(arn).endswith(suffix) for arn in resources)

    def _now_s(self) -> float:
        return self._clock.now().timestamp()


if function.is_loading():
    function.cloud()

"""wake: begin it once, watch it as its owner, hand it on; every call is one round, and may be the invocation's last.

While waking, `since` is the epoch: replicas created before it may be dying, and are not trusted (a stop may still be
at work on them). When the wake began follows from `wake_by`.
"""

from datetime import datetime, timedelta

from wakegate.aws.cloud import Cloud, Seen, Task
from wakegate.aws.record import Keeper
from wakegate.aws.settings import Settings
from wakegate.core.abandon import AbandonVerdict, Crash, WakeAttempt, decide_abandon
from wakegate.core.errors import WakeFailedError
from wakegate.core.ledger import WakeLine, line_of
from wakegate.core.phase import Event, Phase
from wakegate.core.record import Failure, ServiceRecord, Woken
from wakegate.core.wake import decide_wake

CALL_S = 20.0  # the longest that one call may take, its repeats included
CRASHES_EVERY_S = 5.0  # a look at them is two more calls to ECS
CAUSE_MAX = 200  # characters of a path or a User-Agent that the record keeps


class Waker:
    """What one invocation, `me`, does about a wake. Requests and ticks use the same.

    `cause` and `agent` are what a wake that it begins is remembered by: "GET /orders" and the User-Agent.
    """

    def __init__(
        self, cloud: Cloud, settings: Settings, *, keeper: Keeper, me: str, cause: str = "", agent: str = ""
    ) -> None:
        self.cloud = cloud
        self._clock = cloud.clock
        self.keeper = keeper
        self._settings = settings
        self._me = me
        self._cause, self._agent = cause[:CAUSE_MAX], agent[:CAUSE_MAX]
        self._scaled_at: datetime | None = None
        self._crashes_at: datetime | None = None  # when crashes were looked at
        self.has_owned = False  # whether there may be something to hand on

    def now(self) -> datetime:
        """Return the time of this invocation."""
        return self._clock.now()

    def advance(self, record: ServiceRecord) -> ServiceRecord:
        """Do what the record asks of a request: wake, cancel the drain, take over; return what it is now."""
        match record.phase:
            case Phase.ASLEEP:
                return self.begin(record, Event.REQUEST_ARRIVED)
            case Phase.AWAKE if not record.targets:
                return self.begin(record, Event.TARGETS_LOST)
            case Phase.DRAINING:
                active_at = max(self._clock.now(), record.last_active_at)
                return self.keeper.go(record, Event.REQUEST_ARRIVED, reason=self._cause, last_active_at=active_at)
            case Phase.STOPPING if self.is_free(record):
                return self.begin(record, Event.LEASE_EXPIRED)
            case Phase.STOPPING if self.owns(record) and not self._is_late(record):
                return self.stop(record)  # its outcome is not known
            case Phase.WAKING if not self.owns(record) and self.is_free(record):
                return self.take_over(record)
        return record

    def begin(
        self, record: ServiceRecord, event: Event, *, is_forced: bool = False, woken: Woken | None = None
    ) -> ServiceRecord:
        """Begin the one wake that everybody waits for; raise `WakeFailedError` while the backoff has not passed."""
        now = self._clock.now()
        verdict = decide_wake(self._settings.spec.wake, record, now=now)
        if not verdict.wake and not is_forced:
            raise WakeFailedError(record.name, verdict.reason, retry_after_s=verdict.retry_after_s)
        self.has_owned = True
        woken = woken or Woken(cause=self._cause, agent=self._agent, at=now)
        record = self.keeper.go(
            record,
            event,
            reason=woken.cause,
            woken=woken,
            # While it was awake nobody stopped anything: what was created since then may be trusted. A stop whose
            # owner vanished may still have an effect on what is older than itself.
            since=now if event is Event.REQUEST_ARRIVED else record.since,
            targets=(),
            owner=self._me,
            owner_until=now + timedelta(seconds=self._settings.lease_s),
            wake_by=now + timedelta(seconds=self._settings.spec.wake.timeout_s),
            last_active_at=max(now, record.last_active_at),
        )
        # Its targets may be lost for a moment only, full or being replaced: what was scaled out is not to be scaled in.
        if event is Event.TARGETS_LOST and self.cloud.platform.look().desired >= self._settings.replicas_on_wake:
            self.cloud.platform.set_rule(enabled=True)
        else:
            self.scale_out()
        return record

    def scale_out(self) -> None:
        """Scale; first the rule, so that nothing is ever awake without something to put it to sleep."""
        self.cloud.platform.set_rule(enabled=True)
        self._scaled_at = self._clock.now()
        self.cloud.platform.scale(self._settings.replicas_on_wake)

    def take_over(self, record: ServiceRecord) -> ServiceRecord:
        """Become the owner of a wake whose owner is gone, or has handed it on."""
        self.has_owned = True
        return self.keeper.write(record, owner=self._me, owner_until=self.lease(self._settings.lease_s))

    def watch(self, record: ServiceRecord) -> ServiceRecord:
        """Look once, as the owner: publish what is ready, give up, scale again, or renew the lease."""
        assert record.wake_by is not None, "a wake has an end"
        seen = self.cloud.platform.look()
        targets = self.ready(self.trusted(record, seen.tasks))
        if targets:
            return self.publish(record, targets)
        verdict = self._decide_abandon(record, seen)
        if verdict.abandon:
            return self.abandon(record, reason=verdict.reason)
        if seen.desired == 0 and self._is_settled(record):
            self.scale_out()
        assert record.owner_until is not None, "an owner has a lease"
        if record.owner_until < self.lease(self._settings.lease_s / 2):
            return self.keeper.write(record, owner_until=self.lease(self._settings.lease_s))
        return record

    def trusted(self, record: ServiceRecord, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
        """Return the tasks that no stop can be at work on: younger than the wake, or left alone for so long."""
        is_over = (self._clock.now() - self.began_at(record)).total_seconds() > self._settings.trust_s
        return tuple(task for task in tasks if is_over or task.created_at >= record.since)

    def ready(self, tasks: tuple[Task, ...]) -> tuple[str, ...]:
        """Return where the app answers its probe."""
        return tuple(t.target for t in tasks if t.target and not t.is_leaving and self.cloud.network.connects(t.target))

    def publish(self, record: ServiceRecord, targets: tuple[str, ...]) -> ServiceRecord:
        """Write that it is awake, which releases the held, and remember how long it took.

        It is active now: who has waited for it comes next, and need not write that, each of them, into one record.
        """
        before, now = record, self._clock.now()
        record = self.keeper.go(
            record,
            Event.REPLICA_READY,
            reason=", ".join(targets),
            targets=targets,
            owner="",
            owner_until=None,
            wake_by=None,
            failure=None,
            last_active_at=max(now, record.last_active_at),
        )
        self.cloud.table.add_wake(self._line(before, outcome="ready", now=now))
        return record

    def hand_on(self, record: ServiceRecord) -> None:
        """Leave the wake to whoever looks next, at once: nobody should have to wait for the lease to run out."""
        if record.phase is Phase.WAKING and self.owns(record):
            self.keeper.write(record, owner="", owner_until=None)

    def abandon(self, record: ServiceRecord, *, reason: str) -> ServiceRecord:
        """Give the wake up: stop, and remember why, so that the next try waits."""
        before, now = record, self._clock.now()
        count = 1 if record.failure is None else record.failure.count + 1
        record = self.keeper.go(
            record,
            Event.WAKE_FAILED,
            reason=reason,
            targets=(),
            wake_by=None,
            failure=Failure(reason=reason, count=count, at=now),
            owner=self._me,
            owner_until=self.lease(self._settings.life_s),
        )
        record = self.stop(record)
        self.cloud.table.add_wake(self._line(before, outcome="failed", now=now, reason=reason))
        return record

    def stop(self, record: ServiceRecord) -> ServiceRecord:
        """Scale to 0, as the owner; `asleep` is written when that was acknowledged: nothing late overtakes a wake."""
        self.cloud.platform.scale(0)
        return self.keeper.go(record, Event.STOP_ACKNOWLEDGED, owner="", owner_until=None)

    def owns(self, record: ServiceRecord) -> bool:
        """Say whether this invocation is the one that talks to the platform."""
        return record.owner == self._me

    def is_free(self, record: ServiceRecord) -> bool:
        """Say whether nobody is the owner, or its lease has run out."""
        return not record.owner or record.owner_until is None or self._clock.now() > record.owner_until

    def began_at(self, record: ServiceRecord) -> datetime:
        """Return when this wake began."""
        assert record.wake_by is not None, "a wake has an end"
        return record.wake_by - timedelta(seconds=self._settings.spec.wake.timeout_s)

    def _is_settled(self, record: ServiceRecord) -> bool:
        """Say whether the newest scale call must show by now: a read may be some seconds old."""
        newest_at = max(self.began_at(record), self._scaled_at or record.since)
        return (self._clock.now() - newest_at).total_seconds() > self._settings.settle_s

    def lease(self, seconds: float) -> datetime:
        """Return when a lease of this length, taken now, runs out."""
        return self._clock.now() + timedelta(seconds=seconds)

    def _is_late(self, record: ServiceRecord) -> bool:
        """Say whether a call that is made now could have its effect after the lease."""
        return record.owner_until is None or record.owner_until < self.lease(CALL_S)

    def _decide_abandon(self, record: ServiceRecord, seen: Seen) -> AbandonVerdict:
        """Ask the core; what has crashed is looked at now and then, and when the time is over."""
        assert record.wake_by is not None, "a wake has an end"
        now, began_at = self._clock.now(), self.began_at(record)
        crashes: tuple[Crash, ...] = ()
        if (now - (self._crashes_at or began_at)).total_seconds() >= CRASHES_EVERY_S or now > record.wake_by:
            crashes, self._crashes_at = self.cloud.platform.crashes(began_at), now
        attempt = WakeAttempt(
            began_at=began_at,
            wake_by=record.wake_by,
            replicas=self._settings.replicas_on_wake,
            tasks_count=len(seen.tasks),
            starting_count=sum(1 for task in seen.tasks if not task.is_leaving),
            crashes=crashes,
        )
        return decide_abandon(attempt, now=now)

    def _line(self, record: ServiceRecord, *, outcome: str, now: datetime, reason: str = "") -> WakeLine:
        """Return what the ledger keeps of a wake that ends now; `record` is as it was while waking."""
        began_at = self.began_at(record)
        woken = record.woken or Woken(cause="", at=began_at)
        duration_s = (now - began_at).total_seconds()
        return line_of(woken, service=record.name, outcome=outcome, reason=reason, duration_s=duration_s)

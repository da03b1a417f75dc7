"""One service: the lane of its requests, and where request, sleep and scale meet.

It alone changes the phase, through its keeper. No lock is needed: everything runs in one thread, and nothing awaits
between reading the phase and writing it. Over 300 lines because that can be checked only where all of it is in sight.
"""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from wakegate.core.activity import Activity, used_by
from wakegate.core.errors import AsleepError, HeldError, StoppingError, WakeFailedError
from wakegate.core.ignore import IgnoreRule
from wakegate.core.ledger import WakeLine
from wakegate.core.pause import Paused
from wakegate.core.phase import Event, Phase
from wakegate.core.progress import Progress, may_retry
from wakegate.core.say import say_count, say_duration
from wakegate.core.schedule import ScheduleVerdict
from wakegate.core.spec import ServiceSpec
from wakegate.core.wake import may_wake
from wakegate.local.elsewhere import NOWHERE, Address, Elsewhere, Outlook
from wakegate.local.flag import Flag
from wakegate.local.fleet import Fleet
from wakegate.local.lane import Target, Waiter
from wakegate.local.member import Member
from wakegate.local.needs import Linked, Links, leaving
from wakegate.local.record import Keeper
from wakegate.local.request.choose import choose, room
from wakegate.local.request.touch import Touch
from wakegate.local.request.wake import Waker
from wakegate.local.scale.scale import ScaleLoop
from wakegate.local.sessions import SessionBook
from wakegate.local.sleep.pause import pause_or_stop
from wakegate.local.sleep.stop import stop
from wakegate.local.sleep.tick import SAVE_INTERVAL_S, tick
from wakegate.local.timetable import LOOK_INTERVAL_S, Timetable
from wakegate.local.turns import Turns
from wakegate.ports import Clock, Meter, StateStore, Timeline, Workload

ADOPT_S = 3.0  # a replica that was ready when its gateway was killed may be too busy to answer at once
BROKEN = "a part of the gateway broke, its log says where; the service starts over"
BROKEN_S = 1.0  # how long a service that broke waits before it starts over: a bug that repeats must not burn a core

T = TypeVar("T")


class Service:
    """Implements `Lane` for requests and `Sleeper` for the way to sleep."""

    __slots__ = (  # a dict of that many takes 1.3 KB more: beyond 29 names, objects do not share their keys
        "_closing",
        "_elsewhere",
        "_ignore",
        "_is_hurried",
        "_is_hushed",
        "_is_let_sleep",
        "_is_open",
        "_is_warm",
        "_may_be_warm",
        "_phase_told",
        "_save_after_s",
        "_scaling",
        "_shut",
        "_tasks",
        "_timetable",
        "_turns",
        "begun",
        "book",
        "changed",
        "clock",
        "closed",
        "fleet",
        "hold",
        "keeper",
        "links",
        "scaler",
        "sessions",
        "spec",
        "touch",
        "waker",
    )

    def __init__(
        self,
        spec: ServiceSpec,
        *,
        workload: Workload,
        meter: Meter,
        store: StateStore,
        book: SessionBook,
        clock: Clock,
        turns: Turns,
        timeline: Timeline,
        shut: Callable[[Target], None],
        elsewhere: Elsewhere = NOWHERE,
    ) -> None:
        self.spec = spec
        self.book = book
        self.sessions = book if spec.session.cookie else None
        self.clock = clock
        self._turns = turns
        self.changed = Flag()
        self.begun = Flag()  # recovered: requests may come
        self.closed = Flag()  # nothing of it runs any more, and it wakes no more
        self.links = Links()
        self.keeper = Keeper(spec, store=store, clock=clock, timeline=timeline)
        self.touch = Touch(clock=clock, elsewhere=elsewhere)
        self.fleet = Fleet(
            spec,
            workload=workload,
            clock=clock,
            lost=self._replica_lost,
            opened=self._replica_ready,
            shut=self._target_shut,
            tell=self.keeper.tell,
        )
        self.waker = Waker(self.keeper, fleet=self.fleet, spawn=self._spawn, before=self._needs_awake)
        self.hold = self.waker.hold
        self.scaler = ScaleLoop(
            self.keeper,
            fleet=self.fleet,
            meter=meter,
            activity=self.activity,
            start=self.waker.start,
            spawn=self._spawn,
        )
        self._shut = shut
        self._elsewhere = elsewhere
        self._ignore = IgnoreRule(spec.ignore)
        self._is_warm = False  # the hot path: awake, a target there, nobody waits, nothing to check
        self._may_be_warm = False  # but for targets, and for requests that are ignored
        self._is_hurried = False
        self._is_hushed = False  # whoever lets requests in must ask first, whatever the phase
        self._save_after_s = 0.0  # a request after this is stored as activity at once, one before it by the next tick
        self._closing = ""  # why it takes no more requests
        self._is_open = False  # recovered: requests may come
        self._timetable = Timetable(clock)
        self._is_let_sleep = False  # somebody put it to sleep though it was due: until it is not, or is woken
        self._phase_told = self.keeper.phase  # to what it needs
        self._tasks: asyncio.TaskGroup | None = None
        self._scaling: asyncio.Task[None] | None = None
        self._restore()
        self.keeper.changed = self._refresh
        self.book.changed = self._write_sessions

    # -- its life

    async def run(self) -> None:
        """Live until cancelled. A bug costs those who wait an answer that says so, not the other services theirs."""
        while True:
            try:
                await self._live()
            except Exception as error:  # noqa: BLE001  it starts over, as after a crash of the whole gateway
                self._broke(error)
            await asyncio.sleep(BROKEN_S)

    async def _live(self) -> None:
        """Take over what an earlier gateway left, then go to sleep and scale for ever."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self.fleet.begin(tasks)
            await self._recover()
            self._is_open = True
            self._refresh()
            self.begun.set()
            self.links.nudge()
            if self.book.is_changed:
                self._write_sessions()
            await tick(self, clock=self.clock, turns=self._turns)

    def _broke(self, error: Exception) -> None:
        self._is_open = False
        self._tasks = self._scaling = None
        self.fleet.forget()
        detail = tuple("".join(traceback.format_exception(error)).splitlines())
        self.keeper.tell("bug", BROKEN, detail=detail)
        attempt = self.waker.attempt
        if attempt is not None and not attempt.settled.is_set():
            attempt.settle(error=self._refused, outcome="failed", reason=BROKEN)
        self.waker.refuse_all(self._refused)
        self._refresh()
        self.begun.set()

    async def close(self, *, reason: str, drain_timeout_s: float) -> None:
        """Refuse who waits, let who is in flight finish, then stop every replica."""
        try:
            await self._close(reason=reason, drain_timeout_s=drain_timeout_s)
        finally:
            self.closed.set()  # what it needs waits for that

    async def _close(self, *, reason: str, drain_timeout_s: float) -> None:
        self._closing = reason
        self._refresh()
        self.waker.refuse_all(self._refused)
        with suppress(TimeoutError):
            async with asyncio.timeout(drain_timeout_s):
                while (self._is_busy or not self._is_open) and not self._is_hurried:
                    self.changed.clear()
                    await self.changed.wait()
        self.put_to_sleep(reason)
        self.fleet.stop(is_patient=False)
        if self._is_hurried:
            self.fleet.kill()
        await self.fleet.gone()
        self.book.flush()

    @property
    def _is_busy(self) -> bool:
        return bool(self.touch.all_in_flight or self._elsewhere.unheard())

    # -- another gateway takes over

    @property
    def is_settled(self) -> bool:
        """Say whether nobody waits and no wake is under way: then another gateway can take it over."""
        return self._is_open and not self.hold and self.phase is not Phase.WAKING

    def let_go(self, *, reason: str, write_wake: Callable[[WakeLine], None]) -> None:
        """Leave what runs to another gateway: take, write and stop nothing more; who is in flight goes on.

        Whoever runs it cancels that next. Requests that waited for the last wake may still end: `write_wake` stores it.
        """
        assert self.is_settled
        self.save_activity()
        self.book.flush()
        self.keeper.let_go(write_wake=write_wake)
        self.book.changed = lambda: None
        self._closing, self._is_open = reason, False
        self.fleet.forget()
        self._refresh()

    def guest_came(self) -> None:
        """A gateway that leaves still has a request in flight here: it counts as one of ours."""
        self.touch.in_flight += 1
        self._refresh()

    def guest_left(self) -> None:
        """It has ended."""
        self.touch.ended(arrived_s=self.clock.now_s(), counts=True, is_cold=True)
        self._refresh()

    def hurry(self) -> None:
        """Wait neither for what is in flight nor for replicas that take their time to end."""
        self._is_hurried = True
        self.changed.set()
        self.fleet.kill()

    def configure(self, spec: ServiceSpec) -> None:
        """Go on under a changed specification; what runs is not touched."""
        self.spec = self.keeper.spec = self.fleet.spec = spec
        self._ignore = IgnoreRule(spec.ignore)
        self.book.configure(spec.session, path=spec.path)
        self.sessions = self.book if spec.session.cookie else None
        self._pump()  # there may be more room now

    def replace_workload(self, workload: Workload) -> None:
        """Let the old replicas finish what they have, and send everything new to replicas of another workload."""
        self.fleet.workload = workload
        self.keeper.write(failure=None)
        if self.phase is Phase.DRAINING and self._elsewhere.unheard():
            self.go(Event.REQUEST_ARRIVED, kind="awake", text="the configuration changed · the sleep is cancelled")
        if self.phase is Phase.DRAINING:
            stop(self)
        elif self.phase is Phase.AWAKE:
            for member in self.fleet.ready:
                self.fleet.retire(member)
            self.fleet.stop()  # those that are not ready
            self._wake_anew(Event.TARGETS_LOST)
        elif self.phase is Phase.WAKING:  # what starts now may be what the change is to mend
            self.fleet.stop()
            self._wake_anew(Event.DESIRED_ZERO_SEEN)
        else:
            self.stop_paused("the configuration changed")

    def _wake_anew(self, event: Event) -> None:
        before, cause = self.waker.attempt, "the configuration changed"
        self.waker.begin(event, cause=cause, is_forced=True)
        if before is not None and not before.settled.is_set():
            before.settle(outcome="failed", reason=cause)

    # -- Lane: what a request asks

    def admit(self, waiter: Waiter) -> Target | None:
        """See `Lane.admit`."""
        if self._is_warm:
            touch = self.touch
            touch.in_flight += 1
            touch.requests += 1
            touch.touched_s = waiter.arrived_s
            touch.newest = waiter
            if waiter.arrived_s > self._save_after_s:
                self.save_activity()
            targets = self.fleet.targets
            target = targets[0] if len(targets) == 1 else choose(waiter, targets)
            target.in_flight += 1
            target.unanswered += 1
            return target
        return self._admit_checked(waiter)

    def leave(self, waiter: Waiter) -> None:
        """See `Lane.leave`."""
        if self.hold.leave(waiter):
            if self.waker.attempt is not None:
                self.waker.attempt.gone(waiter)
            self._refresh()

    def answered(self, target: Target, waiter: Waiter) -> None:  # noqa: ARG002  for lanes of other processes
        """See `Lane.answered`."""
        target.unanswered -= 1
        assert target.unanswered >= 0, "a target was answered twice"
        if not self._is_warm and self.hold:
            self._pump()

    def finished(self, target: Target, waiter: Waiter) -> None:
        """See `Lane.finished`."""
        target.in_flight -= 1
        assert target.in_flight >= 0, "a target was finished twice"
        attempt = self.waker.attempt
        is_cold = attempt is not None and attempt.served(waiter)
        self.touch.ended(arrived_s=waiter.arrived_s, counts=waiter.counts, is_cold=is_cold)
        if target.shut:
            self.fleet.ended(target)
        if not self._is_warm:
            self._pump()

    def unreachable(self, target: Target, waiter: Waiter, reason: str) -> None:
        """See `Lane.unreachable`."""
        target.unanswered -= 1
        target.in_flight -= 1
        self.touch.in_flight -= 1
        self.touch.requests -= 1  # counted again when it is given to another
        self._doubt(target, reason)
        if self.phase is Phase.ASLEEP and self._refusal() is None:
            try:
                self._wake_again(waiter)
            except HeldError as error:  # nobody would end its wait
                if self.waker.attempt is not None:
                    self.waker.attempt.refused(waiter)
                waiter.refuse(error)
                return
        if self.waker.attempt is not None and not self.waker.attempt.settled.is_set():
            self.waker.attempt.held(waiter)
        self.hold.rejoin(waiter)
        self._pump()
        if self._refusal() is not None:
            self.waker.refuse_all(self._refused)

    def keep_awake(self, seconds: float, *, reason: str) -> None:
        """See `Lane.keep_awake`."""
        self.touch.keep(seconds, reason=reason)
        left_s = self.touch.keep_until_s - self.clock.now_s()
        until = self.clock.utc() + timedelta(seconds=left_s) if left_s > 0 else None
        stored = self.keeper.record.keep_until
        # An app may ask with every answer: a few seconds more are not worth a write, and a restart may forget them.
        if until is None and stored is None:
            return
        if until is None or stored is None or abs((until - stored).total_seconds()) > SAVE_INTERVAL_S:
            self.keeper.write(keep_until=until, keep_reason=self.touch.keep_reason)

    def progress(self) -> Progress:
        """See `Lane.progress`."""
        return self.waker.progress()

    def retry(self) -> bool:
        """See `Lane.retry`."""
        may = may_retry(self.keeper.record.failure, phase=self.phase, now=self.clock.utc())
        if not may or self._refusal() is not None:
            return False
        self.waker.begin(Event.REQUEST_ARRIVED, cause="try now", agent="waiting page", is_forced=True)
        return True

    # -- Home: what is asked on behalf of requests that other processes have let in, or want to

    def suspect(self, serial: int, reason: str) -> None:
        """See `Home.suspect`."""
        target = self.fleet.target(serial)
        if target is not None:
            self._doubt(target, reason)
            self._pump()

    def heard(self, serial: int | None = None) -> None:
        """See `Home.heard`."""
        target = None if serial is None else self.fleet.target(serial)
        if target is not None:
            self.fleet.ended(target)
        self.changed.set()

    def find(self, serial: int) -> Target | None:
        """See `Home.find`."""
        return self.fleet.target(serial)

    @asynccontextmanager
    async def hushed(self) -> AsyncIterator[None]:
        """In the block nobody lets a request in without asking: what is in flight is all there is."""
        self._is_hushed = True
        self._refresh()
        try:
            while self._elsewhere.unheard():
                self.changed.clear()
                await self.changed.wait()
            yield
        finally:
            self._is_hushed = False
            self._refresh()

    def _target_shut(self, target: Target) -> None:
        self._shut(target)
        self._publish()

    def _publish(self) -> None:
        """Tell other processes what they may do; there are none where everything is in this one."""
        if self._elsewhere is NOWHERE:
            return
        waker = self.waker
        self._elsewhere.publish(
            Outlook(
                is_warm=self._may_be_warm and bool(self.fleet.targets),
                targets=tuple(Address(serial=one.serial, host=one.host, port=one.port) for one in self.fleet.targets),
                phase=self.phase,
                waking_since_s=waker.waking_since_s,
                durations=waker.history.durations,
                failure=self.keeper.record.failure,
            )
        )

    # -- admission off the hot path

    def _doubt(self, target: Target, reason: str) -> None:
        self.keeper.tell("unreachable", f"replica {target.number} refused a connection: {reason}")
        self.fleet.doubt(target)

    def _admit_checked(self, waiter: Waiter) -> Target | None:
        waiter.counts = not self._ignore.matches(method=waiter.method, path=waiter.path, agent=waiter.agent)
        refusal = self._refusal()
        if refusal is not None:
            raise refusal
        if waiter.counts:
            self._touched(waiter)
        elif not self.fleet.targets:
            raise self._asleep("asleep, and this request does not wake it")
        targets = [] if self.hold else room(self.spec, self._open_targets())
        if targets:
            return self._give(waiter, choose(waiter, targets))
        self._join(waiter)
        return None

    def _touched(self, waiter: Waiter) -> None:
        """Count a request as activity: it cancels a drain, or wakes a service that sleeps."""
        self.touch.touched_s = waiter.arrived_s
        self.touch.newest = waiter
        if self.phase is Phase.DRAINING:
            self.go(Event.REQUEST_ARRIVED, kind="awake", text="a request arrived · the sleep is cancelled")
        elif self.phase is Phase.ASLEEP:
            if not may_wake(self.spec.wake, method=waiter.method, path=waiter.path):
                raise self._asleep("asleep, and this request may not wake it")
            self._wake_for(waiter)

    def _wake_for(self, waiter: Waiter) -> None:
        self.waker.begin(Event.REQUEST_ARRIVED, cause=f"{waiter.method} {waiter.path}", agent=waiter.agent)

    def _wake_again(self, waiter: Waiter) -> None:
        if not waiter.counts:
            raise self._asleep("asleep, and this request does not wake it")
        self._wake_for(waiter)

    def _asleep(self, detail: str) -> HeldError:
        error = self.waker.error(AsleepError, detail)
        assert isinstance(error, AsleepError)
        # A health check that hears "fine" from a service that cannot start hides the outage.
        error.is_quiet = self.spec.ignore.status == 204 and self.keeper.record.failure is None
        return error

    def _join(self, waiter: Waiter) -> None:
        attempt = self.waker.attempt
        if attempt is not None and not attempt.settled.is_set():
            attempt.held(waiter)
        self.hold.join(waiter)
        self._refresh()
        if len(self.hold) == 1 and (self.spec.hold.interim_interval_s or self.spec.hold.comment_interval_s):
            self._spawn(self.hold.comfort(), name="comfort")

    def _give(self, waiter: Waiter, target: Target) -> Target:
        """Count a request in flight at this target."""
        self.touch.in_flight += 1
        self.touch.requests += 1
        if waiter.counts:
            self.touch.touched_s = self.clock.now_s()
            if self.touch.touched_s > self._save_after_s:
                self.save_activity()
        target.in_flight += 1
        target.unanswered += 1
        return target

    def _open_targets(self) -> list[Target]:
        return self.fleet.targets if self.phase in (Phase.AWAKE, Phase.DRAINING) else []

    def _pump(self) -> None:
        """Release as many as there is room for, in order of arrival."""
        while self.hold:
            waiter = self.hold.first()
            targets = room(self.spec, self._open_targets())
            if not targets:
                break
            self.hold.leave(waiter)
            waiter.release(self._give(waiter, choose(waiter, targets)))
        self._refresh()

    def _refresh(self) -> None:
        """Something changed: recompute whether the hot path may be taken, and let tick look again."""
        self._may_be_warm = (
            self.phase is Phase.AWAKE
            and not self.hold
            and self._is_open
            and not self._closing
            and not self.spec.scale.concurrency_max
            and not self._is_hushed
        )
        self._is_warm = self._may_be_warm and bool(self.fleet.targets) and not self._ignore
        self._publish()
        if self.phase is Phase.AWAKE and self._is_open and (self._scaling is None or self._scaling.done()):
            self._scaling = self._spawn(self.scaler.run(), name="scale")
        if self.phase is not self._phase_told:
            self._phase_changed()
        self.changed.set()

    def _phase_changed(self) -> None:
        """Let what it needs look again, and once more when the last of its replicas has ended."""
        self._phase_told = self.phase
        if self.phase in (Phase.WAKING, Phase.AWAKE):
            self._is_let_sleep = False
        self.links.nudge()
        if self.phase is Phase.ASLEEP and self.links.needs and self._tasks is not None:
            self._spawn(self._nudge_when_gone(), name="gone")

    async def _nudge_when_gone(self) -> None:
        while ends := leaving(self.fleet):
            await asyncio.wait(ends)
        self.links.nudge()

    def _refusal(self) -> HeldError | None:
        """Return why no request is taken and no wake begun at all."""
        if self._closing:
            return self.waker.error(StoppingError, self._closing, retry_after_s=1.0)
        if not self._is_open:
            return self.waker.error(WakeFailedError, BROKEN, retry_after_s=BROKEN_S)
        return None

    def _refused(self) -> HeldError:
        refusal = self._refusal()
        assert refusal is not None
        return refusal

    # -- replicas: one is ready, one has ended on its own

    def _replica_ready(self, member: Member) -> None:
        if self.phase is Phase.WAKING:
            attempt = self.waker.attempt
            self.touch.woke(for_somebody=bool(self.hold) or attempt is None or attempt.is_visit)
            self.waker.ready(member)
        else:
            self.keeper.write(targets=self._targets())
        self._pump()

    def _replica_lost(self, member: Member, reason: str, log_tail: tuple[str, ...]) -> None:
        self.keeper.tell("exited", f"replica {member.target.number} {reason}", detail=log_tail)
        if self.fleet.ready or self.phase not in (Phase.AWAKE, Phase.DRAINING):
            self.keeper.write(targets=self._targets())
        elif self.phase is Phase.DRAINING:
            stop(self, event=Event.TARGETS_LOST)
        elif self._closing:
            self.put_to_sleep("its last replica ended")
        else:
            self.waker.lost_all(member, reason, log_tail=log_tail)

    # -- Sleeper: what tick, idle, drain and stop ask

    @property
    def phase(self) -> Phase:
        """See `Sleeper.phase`."""
        return self.keeper.phase

    @property
    def phase_since_s(self) -> float:
        """See `Sleeper.phase_since_s`."""
        return self.keeper.since_s

    def activity(self) -> Activity:
        """See `Sleeper.activity`."""
        reading = self.touch.activity(held=len(self.hold), cpu_percent=self.scaler.cpu_percent)
        if users := self.links.present_users:
            reading = replace(reading, users=users)
        schedule = self.scheduled()
        if schedule is not None and schedule.is_on and not self._is_let_sleep:
            until_s = self.clock.now_s() + self._timetable.left_s(schedule)
            if until_s > reading.keep_until_s:
                reading = replace(reading, keep_until_s=until_s, keep_reason=schedule.reason)
        return reading

    def scheduled(self) -> ScheduleVerdict | None:
        """Say whether it is to be awake by its schedule; None where it has none."""
        return self._timetable.look(self.spec.awake, lead_s=self.waker.history.usual_s or 0.0)

    def due(self) -> str:
        """Say why it has to be awake without a request, "" where it has not: "used by web"."""
        if self.links.awake_users:
            return used_by(self.links.awake_users)
        schedule = self.scheduled()
        return schedule.reason if schedule is not None and schedule.is_on else ""

    def go(self, event: Event, *, kind: str, text: str) -> None:
        """See `Sleeper.go`."""
        last_active_at = max(self.keeper.record.last_active_at, self.touch.last_active_at())
        self.keeper.go(event, kind=kind, text=text, last_active_at=last_active_at)

    @property
    def can_pause(self) -> bool:
        """See `Sleeper.can_pause`."""
        return self.fleet.workload.can_pause

    def paused(self) -> Paused | None:
        """See `Sleeper.paused`."""
        members = self.fleet.paused
        if not members:
            return None
        kept = [member.kept for member in members if member.kept is not None]
        return Paused(
            since_s=self.phase_since_s,
            kept_bytes=sum(one.after_bytes for one in kept),
            before_bytes=sum(one.before_bytes for one in kept),
        )

    def stop_paused(self, reason: str) -> None:
        """See `Sleeper.stop_paused`."""
        if self.fleet.paused:
            self.fleet.stop_paused()
            self.keeper.tell("asleep", f"asleep · its paused replica is stopped: {reason}")

    def stop_replicas(self) -> None:
        """See `Sleeper.stop_replicas`."""
        self._end_replicas(self.fleet.stop)

    def pause_replicas(self) -> None:
        """See `Sleeper.pause_replicas`."""
        self._end_replicas(self.fleet.pause)

    def _end_replicas(self, end: Callable[[], None]) -> None:
        survived = bool(self.fleet.ready)
        end()
        # One that lived to its sleep is no crash loop, however short its life was.
        self.keeper.write(targets=(), failure=None if survived else self.keeper.record.failure)
        if self.waker.attempt is not None and not self.touch.all_in_flight:
            self.waker.attempt.close()

    def wake_unasked(self) -> float | None:
        """See `Sleeper.wake_unasked`."""
        if self._refusal() is not None:
            return None
        minimum, users, due = self.spec.scale.replicas_min, self.links.awake_users, self.due()
        self._is_let_sleep = self._is_let_sleep and bool(due)
        if not minimum and (not due or self._is_let_sleep):
            schedule = self.scheduled()
            return None if schedule is None else min(self._timetable.left_s(schedule), LOOK_INTERVAL_S) or 0.001
        cause = f"min = {minimum}" if minimum else ", ".join(users) or "schedule"
        try:
            self.waker.begin(Event.REQUEST_ARRIVED, cause=cause, is_visit=bool(minimum or not users))
        except WakeFailedError as error:
            return max(error.retry_after_s, 0.1)
        return None

    def save_activity(self) -> None:
        """See `Sleeper.save_activity`."""
        self.waker.forgive()
        is_busy = self.touch.all_in_flight or len(self.hold)
        last_active_at = self.clock.utc() if is_busy else self.touch.last_active_at()
        if (last_active_at - self.keeper.record.last_active_at).total_seconds() > 0.5:
            self._save_after_s = (self.clock.now_s() if is_busy else self.touch.newest_s) + SAVE_INTERVAL_S
            self.keeper.write(last_active_at=last_active_at)

    def asleep_text(self) -> str:
        """See `Sleeper.asleep_text`."""
        awake = say_duration(self.clock.now_s() - self.waker.awake_since_s)
        served = self.touch.all_requests - self.touch.requests_before
        attempt = self.waker.attempt
        lost = attempt.line.lost + attempt.line.open if attempt is not None and attempt.settled.is_set() else 0
        since = "" if attempt is not None else " since it was taken over"
        return f"was awake {awake} · {say_count(served, 'request')}{since} · {lost} lost"

    async def rouse(self, *, cause: str) -> None:
        """Return when the service is awake, because an operator asked; raise the `HeldError` of a wake that failed."""
        refusal = self._refusal()
        if refusal is not None:
            raise refusal
        self.touch.touched_s = self.clock.now_s()
        self.touch.newest, self.touch.asked = None, cause
        if self.phase is Phase.DRAINING:
            self.go(Event.REQUEST_ARRIVED, kind="awake", text=f"{cause} · the sleep is cancelled")
        elif self.phase is Phase.ASLEEP:
            self.waker.begin(Event.REQUEST_ARRIVED, cause=cause, is_forced=True)
        while self.phase is Phase.WAKING and self.waker.attempt is not None:
            await self.waker.attempt.ready()

    async def wake_for(self, user: Linked) -> None:
        """See `Linked.wake_for`."""
        await self.begun.wait()
        while self.phase is not Phase.AWAKE and user.phase is not Phase.ASLEEP:
            refusal = self._refusal()
            if refusal is not None:
                raise refusal
            if self.phase is Phase.DRAINING:
                self.go(Event.REQUEST_ARRIVED, kind="awake", text=f"{user.spec.name} wakes · the sleep is cancelled")
            elif self.phase is Phase.ASLEEP:
                self.waker.begin(Event.REQUEST_ARRIVED, cause=user.spec.name, is_visit=False)
            else:
                assert self.waker.attempt is not None
                await self.waker.attempt.ready()

    async def _needs_awake(self, timeout_s: float) -> None:
        await self.links.awake(self, timeout_s=timeout_s, tell=self.keeper.tell)

    def put_to_sleep(self, reason: str, *, may_pause: bool = False) -> None:
        """Stop now, or pause where it may be: an operator asked, or the gateway goes down. There is no grace.

        Nothing but a request, a service that needs it, or the next window of its schedule wakes it again.
        """
        if self.phase is Phase.WAKING:
            self.waker.cancel(reason)
        elif self.phase is Phase.ASLEEP and not may_pause:
            self.stop_paused(reason)
        if self.phase is Phase.AWAKE:
            self.go(Event.SLEEP_ASKED, kind="draining", text=f"{reason} · draining")
        if self.phase is Phase.DRAINING:
            if may_pause:
                pause_or_stop(self, now_s=self.clock.now_s())
            else:
                stop(self)
            # Who waits for room at a replica that is gone now would wait for a wake that nobody begins.
            self.waker.refuse_all(
                partial(self.waker.error, WakeFailedError, f"put to sleep: {reason}", retry_after_s=1.0)
            )
        self._is_let_sleep = True

    # -- coming back

    def _restore(self) -> None:
        """Carry activity and keeps over a restart."""
        record = self.keeper.record
        # Activity is stored at intervals: while it was awake, the newest may be missing.
        missed = timedelta(seconds=SAVE_INTERVAL_S if record.phase is Phase.AWAKE else 0.0)
        self.touch.restore(last_active_at=record.last_active_at + missed)
        if record.keep_until is not None:
            left_s = (record.keep_until - self.clock.utc()).total_seconds()
            self.touch.keep(left_s, reason=record.keep_reason)

        for line in self.keeper.store.wakes(self.spec.name, limit=1):
            if line.outcome == "waking":
                self.keeper.write_wake(replace(line, outcome="failed", reason="its gateway was killed"))

    async def _recover(self) -> None:
        """Bring the record and the world together: adopt what still runs, forget what is gone."""
        was = self.phase
        adopted = await self.fleet.adopt(patience_s=ADOPT_S if was in (Phase.AWAKE, Phase.DRAINING) else 0.1)
        if was is Phase.STOPPING:
            (self.fleet.pause if self.fleet.paused else self.fleet.stop)()  # one that was paused already stays so
            self.keeper.go(Event.STOP_ACKNOWLEDGED, targets=())
        elif was is not Phase.ASLEEP and not adopted:
            self.keeper.go(Event.FOUND_DEAD, targets=(), wake_by=None, owner="")
        elif was is Phase.ASLEEP and adopted:
            self.touch.woke(for_somebody=True)
            self.keeper.go(Event.REPLICAS_SEEN, targets=self._targets())
        if adopted and was is not Phase.STOPPING:
            self.fleet.stop_paused()  # a wake or a sleep was cut off half-way
            self.waker.awake_since_s = self.keeper.since_s
            self.touch.requests_before = self.touch.all_requests
            self.keeper.tell("adopted", f"{say_count(adopted, 'running replica')} taken over")
        elif self.fleet.paused:
            self.keeper.tell("adopted", f"{say_count(len(self.fleet.paused), 'paused replica')} taken over")
        self._pump()

    # -- small things

    def _targets(self) -> tuple[str, ...]:
        return tuple(target.key for target in self.fleet.targets)

    def _write_sessions(self) -> None:
        self._spawn(self.book.write_soon(), name="sessions")

    def _spawn(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        assert self._tasks is not None, "the service runs"
        return self._tasks.create_task(work, name=f"{name}:{self.spec.name}")

"""The replicas of one service and their small life: starting -> ready -> draining -> stopping -> gone; or paused.

No policy lives here: the service says how many, the fleet starts, probes, watches, pauses and stops them.
Over 300 lines because whatever ends a step of a life (a stop, its end, a timeout) may come during each of the others.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from wakegate.core.drain import decide_retire
from wakegate.core.errors import WorkloadError
from wakegate.core.pause import Paused
from wakegate.core.spec import ServiceSpec
from wakegate.local.lane import Target
from wakegate.local.member import Life, Member, Steps
from wakegate.local.probe import until_ready
from wakegate.ports import Clock, Replica, Workload

T = TypeVar("T")

STOPPED = "it was stopped before it was ready"
DOUBT_PAUSE_S = 0.05  # before it is asked again: one that answers its probe and refuses requests must not be a loop
DOUBT_S = 10.0  # a replica that was ready and refuses connections has this long to answer its probe again
LISTENS_KEPT = 8  # of the newest starts: how soon an app listens, at its quickest
RESUME_S = 5.0  # one that was paused has this long to answer its probe, then a fresh one is started instead


class Fleet:
    """Starts, watches and stops the replicas of one service. `lost` is told of each that ends without being asked."""

    def __init__(
        self,
        spec: ServiceSpec,
        *,
        workload: Workload,
        clock: Clock,
        lost: Callable[[Member, str, tuple[str, ...]], None],
        opened: Callable[[Member], None],
        shut: Callable[[Target], None],
        tell: Callable[..., None],
    ) -> None:
        self.spec = spec
        self.targets: list[Target] = []
        self.workload = workload
        self._clock = clock
        self._lost = lost
        self._opened = opened
        self._shut = shut
        self._tell = tell
        self._members: dict[int, Member] = {}
        self._starting: set[int] = set()  # numbers whose replica is being started
        self._listens_s: tuple[float, ...] = ()  # how long the newest took from their start to their first answer
        self._stops = 0  # a start that was called before the newest stop must not end up running
        self._tasks: asyncio.TaskGroup | None = None

    def begin(self, tasks: asyncio.TaskGroup) -> None:
        """Use this task group for the watchers from now on."""
        self._tasks = tasks

    def forget(self) -> None:
        """The watchers are gone: leave what they watched for `adopt` to find again."""
        for member in self.members:
            self._close(member.target)
        self._members.clear()
        self._starting.clear()

    def __len__(self) -> int:
        """Count the replicas that run or are about to, not those that leave."""
        staying = sum(1 for member in self._members.values() if member.life in (Life.STARTING, Life.READY))
        return staying + len(self._starting)

    @property
    def replicas_max(self) -> int:
        """How many can run at once: the scale bound, or less where the workload can run only one."""
        bound = self.spec.scale.replicas_max
        return bound if self.workload.replicas_max is None else min(bound, self.workload.replicas_max)

    def log_tail(self, *, lines: int) -> tuple[str, ...]:
        """The newest lines that the service wrote."""
        return self.workload.log_tail(lines=lines)

    @property
    def ready(self) -> tuple[Member, ...]:
        """The members that may get requests, the oldest first."""
        return tuple(member for member in self._members.values() if member.life is Life.READY)

    @property
    def paused(self) -> tuple[Member, ...]:
        """The members that are frozen, or about to be."""
        return tuple(member for member in self._members.values() if member.life is Life.PAUSED)

    @property
    def resumes(self) -> bool:
        """Whether the next one to be ready is one that was paused: it is there, or is on its way."""
        lives = (member.life for member in self._members.values() if member.is_resumed)
        return bool(self.paused) or Life.STARTING in lives

    @property
    def members(self) -> tuple[Member, ...]:
        """Everything that is not gone yet."""
        return tuple(self._members.values())

    async def add(self, *, timeout_s: float, starting: Callable[[Member], None]) -> Steps:
        """Return when one more replica is ready; raise `WorkloadError` or `TimeoutError`, leaving nothing.

        It is one that is paused, where there is one; where that does not come back, it is a fresh one all the same.
        """
        began_s = self._clock.now_s()
        if self.paused:
            steps = await self._resume(self.paused[0], timeout_s=min(RESUME_S, timeout_s), starting=starting)
            if steps is not None:
                return steps
        return await self._start_ready(timeout_s=began_s + timeout_s - self._clock.now_s(), starting=starting)

    async def _start_ready(self, *, timeout_s: float, starting: Callable[[Member], None]) -> Steps:
        began_s = self._clock.now_s()
        member = await self._start(timeout_s)
        started_s = self._clock.now_s()
        starting(member)
        try:
            quickest_s = min(self._listens_s, default=0.0)
            await self._listen(member, timeout_s=began_s + timeout_s - started_s, quickest_s=quickest_s)
            listening_s = self._clock.now_s()
            self._listens_s = (listening_s - started_s, *self._listens_s[: LISTENS_KEPT - 1])
            await asyncio.sleep(self.spec.wake.settle_s)
            self._died(member)
        except asyncio.CancelledError:
            raise  # nobody is left to watch it end: `adopt` will find it
        except BaseException:
            self._stop(member)
            raise
        self._open(member)
        return Steps(
            start_s=started_s - began_s,
            listen_s=listening_s - started_s,
            settle_s=self._clock.now_s() - listening_s,
        )

    async def _resume(self, member: Member, *, timeout_s: float, starting: Callable[[Member], None]) -> Steps | None:
        """Return when it is ready again, None when it does not come back: then it is stopped, or gone."""
        began_s, stops = self._clock.now_s(), self._stops
        target = member.target
        member.target = Target(number=target.number, host=target.host, port=target.port)  # the old one is shut
        member.life, member.since_s, member.is_resumed, member.kept = Life.STARTING, began_s, True, None
        starting(member)
        try:
            resumed_s = await self._resumed(member, timeout_s=timeout_s)
        except asyncio.CancelledError:
            raise  # as in `_start_ready`
        except (WorkloadError, TimeoutError) as error:
            if stops != self._stops:
                raise WorkloadError(STOPPED) from error
            why = str(error) or f"no answer for {timeout_s:.0f} s"
            self._tell("exited", f"replica {target.number} did not come back from its pause: {why}")
            self._stop(member)
            return None
        except BaseException:
            self._stop(member)
            raise
        self._open(member)
        return Steps(start_s=resumed_s - began_s, listen_s=self._clock.now_s() - resumed_s, settle_s=0.0)

    async def _resumed(self, member: Member, *, timeout_s: float) -> float:
        """Let it go on; return when it did, once it answers its probe."""
        began_s = self._clock.now_s()
        async with asyncio.timeout(timeout_s):
            await _frozen(member, timeout_s=timeout_s)
            await member.replica.resume()
        resumed_s = self._clock.now_s()
        await self._listen(member, timeout_s=began_s + timeout_s - resumed_s)
        return resumed_s

    async def adopt(self, *, patience_s: float) -> int:
        """Take over what an earlier gateway left; return how many answer in time.

        Those that do not are stopped; those that are paused stay so, and are not counted.
        """
        found = [self._enter(replica) for replica in await self.workload.adopt()]
        members = [member for member in found if member.life is not Life.PAUSED]
        for member in self.paused:  # what it keeps is not known any more
            self._spawn(self._give_back(member), name=f"give-back:{self.spec.name}-{member.target.number}")
        answers = await asyncio.gather(*(self._listens(member, patience_s) for member in members))
        for member, is_there in zip(members, answers, strict=True):
            if is_there and not member.exit.done():  # it may have ended while the others were asked
                self._open(member)
            else:
                self._stop(member)
        return len(self.ready)

    async def _listens(self, member: Member, patience_s: float) -> bool:
        with suppress(TimeoutError, WorkloadError):
            await self._listen(member, timeout_s=patience_s)
            return True
        return False

    def doubt(self, target: Target) -> None:
        """A ready replica refused a connection: offer it no request until it answers its probe again."""
        member = self._members.get(target.number)
        if member is not None and member.target is target and member.life is Life.READY:
            member.life = Life.STARTING
            self.targets.remove(target)
            self._spawn(self._prove(member), name=f"prove:{self.spec.name}-{target.number}")

    def retire(self, member: Member) -> None:
        """Give it no new request, let it finish the ones it has, then stop it."""
        assert member.life is Life.READY
        member.life, member.since_s = Life.DRAINING, self._clock.now_s()
        self._close(member.target)
        self._spawn(self._drain(member), name=f"retire:{self.spec.name}-{member.target.number}")

    def pause(self) -> None:
        """Freeze one replica that has nothing in flight, and ask the others to end. Does not wait.

        One is enough: a wake needs one, further ones are for the load to ask for, and each would keep its memory.
        """
        idle = (member for member in self.ready if not member.target.busy)
        staying = next(iter(self.paused), None) or next(idle, None)
        self._stops += 1
        for member in self.members:
            if member is staying:
                self._pause(member)
            elif member.life is not Life.DRAINING:
                self._stop(member)

    def stop_paused(self) -> None:
        """Ask those that are paused to end. Does not wait."""
        for member in self.paused:
            self._stop(member)

    def target(self, serial: int) -> Target | None:
        """Return a target by its serial, None once its replica is gone."""
        return next((member.target for member in self.members if member.target.serial == serial), None)

    def ended(self, target: Target) -> None:
        """A request of a target that is shut has ended: a draining member may be empty now."""
        member = self._members.get(target.number)
        if member is not None and member.target is target:
            member.empty.set()

    def stop(self, *, is_patient: bool = True) -> None:
        """Ask every replica to end; each is killed when its stop grace has passed. Does not wait.

        Patient: those that were retired may finish their requests first, for as long as their drain allows.
        """
        self._stops += 1
        for member in self.members:
            if not (is_patient and member.life is Life.DRAINING):
                self._stop(member)

    async def gone(self) -> None:
        """Return once no replica is left."""
        while self._members:
            await asyncio.wait({member.exit for member in self.members})

    def kill(self) -> None:
        """End what still runs, now."""
        for member in self.members:
            member.replica.kill()

    # -- the steps of a life

    async def _start(self, timeout_s: float) -> Member:
        number = 1
        while number in self._members or number in self._starting:
            number += 1
        self._starting.add(number)
        stops = self._stops
        try:
            async with asyncio.timeout(timeout_s):
                member = self._enter(await self.workload.start(number=number))
        finally:
            self._starting.discard(number)
        if stops != self._stops:
            self._stop(member)
            raise WorkloadError(STOPPED)
        return member

    async def _listen(self, member: Member, *, timeout_s: float, quickest_s: float = 0.0) -> None:
        """Return when it answers its probe; raise `WorkloadError` when it ended before, `TimeoutError` when late."""
        probe = self._spawn(self._answers_within(member, timeout_s, quickest_s), name=f"probe:{self.spec.name}")
        try:
            ends: set[asyncio.Future[Any]] = {probe, member.exit}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            probe.cancel()
        self._died(member)
        if not probe.result():
            raise TimeoutError

    async def _answers_within(self, member: Member, timeout_s: float, quickest_s: float) -> bool:
        try:
            await until_ready(member.replica, timeout_s=timeout_s, clock=self._clock, quickest_s=quickest_s)
        except TimeoutError:
            return False
        return True

    @staticmethod
    def _died(member: Member) -> None:
        if member.life is Life.STOPPING:
            raise WorkloadError(STOPPED)  # it may still answer its probe, and must get no request
        if member.exit.done():
            end = member.exit.result()
            raise WorkloadError(f"{end}, before it listened on :{member.target.port}", log_tail=end.log_tail)

    def _enter(self, replica: Replica) -> Member:
        member = Member(
            replica=replica,
            target=Target(number=replica.number, host=replica.host, port=replica.port),
            life=Life.PAUSED if replica.is_paused else Life.STARTING,
            since_s=self._clock.now_s(),
            empty=asyncio.Event(),
            exit=asyncio.get_running_loop().create_future(),
        )
        self._members[replica.number] = member
        self._spawn(self._watch(member), name=f"watch:{self.spec.name}-{replica.number}")
        return member

    def _open(self, member: Member) -> None:
        member.life, member.since_s = Life.READY, self._clock.now_s()
        self.targets.append(member.target)
        self._opened(member)

    def _close(self, target: Target) -> None:
        target.shut = True
        if target in self.targets:
            self.targets.remove(target)
        self._shut(target)

    async def _watch(self, member: Member) -> None:
        """Wait for its end, whatever its cause, and take it off the list."""
        end = await member.replica.exited()
        asked = member.life in (Life.STOPPING, Life.DRAINING)
        was_ready = member.life is Life.READY or member.target in self.targets
        del self._members[member.target.number]
        self._close(member.target)
        member.exit.set_result(end)
        if member.life is Life.PAUSED:
            text = f"replica {member.target.number} {end}, while it was paused"
            self._tell("exited", text, detail=end.log_tail)
        if not asked and was_ready:
            self._lost(member, str(end), end.log_tail)

    async def _prove(self, member: Member) -> None:
        """Open a doubted replica again when it answers; stop it when it does not."""
        since_s = member.since_s
        try:
            await asyncio.sleep(DOUBT_PAUSE_S)
            await self._listen(member, timeout_s=DOUBT_S)
        except TimeoutError:
            member.since_s = since_s
            self._stop(member)
            self._lost(member, f"refused connections for {DOUBT_S:.0f} s", ())
        except WorkloadError:
            member.since_s = since_s
            if member.exit.done() and member.life is not Life.STOPPING:
                end = member.exit.result()
                self._lost(member, str(end), end.log_tail)
        else:
            self._open(member)
            member.since_s = since_s

    async def _drain(self, member: Member) -> None:
        """Let a retired replica finish, at most for the drain timeout."""
        while not member.exit.done():
            verdict = decide_retire(
                in_flight=member.target.busy,
                since_s=member.since_s,
                drain_timeout_s=self.spec.sleep.drain_timeout_s,
                now_s=self._clock.now_s(),
            )
            if verdict.stop:
                self._stop(member)
                return
            member.empty.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(verdict.recheck_s):
                    await member.empty.wait()

    def _pause(self, member: Member) -> None:
        if member.life is not Life.PAUSED:
            member.life, member.since_s = Life.PAUSED, self._clock.now_s()
            # A connection kept open would be closed by the app the moment it goes on, under the first request.
            self._close(member.target)
            member.pausing = self._spawn(self._freeze(member), name=f"pause:{self.spec.name}-{member.target.number}")

    async def _freeze(self, member: Member) -> None:
        number = member.target.number
        try:
            await member.replica.pause()
        except WorkloadError as error:
            if member.life is Life.PAUSED:  # else it is wanted awake, or gone, and all is well
                self._tell("exited", f"replica {number} could not be paused and is stopped: {error}")
                member.pausing = None
                self._stop(member)
        else:
            if member.life is Life.PAUSED:
                self._spawn(self._give_back(member), name=f"give-back:{self.spec.name}-{number}")

    async def _give_back(self, member: Member) -> None:
        since_s = member.since_s
        kept = await member.replica.give_back()
        if member.life is Life.PAUSED and member.since_s == since_s:  # the same pause, not a later one
            member.kept = kept
            paused = Paused(since_s=member.since_s, kept_bytes=kept.after_bytes, before_bytes=kept.before_bytes)
            self._tell("paused", f"replica {member.target.number} is {paused}")

    def _stop(self, member: Member) -> None:
        if member.life is Life.STOPPING or member.exit.done():
            return
        member.life = Life.STOPPING
        self._close(member.target)
        is_pausing = member.pausing is not None and not member.pausing.done()
        if not is_pausing:
            member.replica.terminate()
        ending = self._end(member, is_pausing=is_pausing)
        self._spawn(ending, name=f"stop:{self.spec.name}-{member.target.number}")

    async def _end(self, member: Member, *, is_pausing: bool) -> None:
        if is_pausing:
            await _frozen(member, timeout_s=self.spec.sleep.stop_grace_s)
            member.replica.terminate()
        await asyncio.wait({member.exit}, timeout=self.spec.sleep.stop_grace_s)
        if not member.exit.done():
            member.replica.kill()

    def _spawn(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        assert self._tasks is not None, "the fleet has begun"
        return self._tasks.create_task(work, name=name)


async def _frozen(member: Member, *, timeout_s: float) -> None:
    """Return once its pause is over, or takes too long: what comes next must not overtake it."""
    if member.pausing is not None:
        await asyncio.wait({member.pausing}, timeout=timeout_s)

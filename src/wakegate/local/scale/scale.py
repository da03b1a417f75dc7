"""scale: read what the replicas use, ask how many there should be, and make it so."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from wakegate.core.activity import Activity
from wakegate.core.errors import WorkloadError
from wakegate.core.phase import Phase
from wakegate.core.say import say_duration
from wakegate.core.scale import Observed, ScaleVerdict, decide_scale
from wakegate.local.fleet import Fleet
from wakegate.local.member import Member
from wakegate.local.record import Keeper
from wakegate.local.scale.sample import Samples
from wakegate.ports import Meter


class ScaleLoop:
    """Keeps as many replicas of one service as its load asks for, while it is awake."""

    def __init__(
        self,
        keeper: Keeper,
        *,
        fleet: Fleet,
        meter: Meter,
        activity: Callable[[], Activity],
        start: Callable[[], Awaitable[WorkloadError | TimeoutError | None]],
        spawn: Callable[..., asyncio.Task[Any]],
    ) -> None:
        self.cpu_percent: float | None = None  # of one core, over all replicas, newest reading
        self._keeper = keeper
        self._clock = keeper.clock
        self._fleet = fleet
        self._meter = meter
        self._activity = activity
        self._start = start
        self._spawn = spawn
        self._last_out_s: float | None = None
        self._last_in_s: float | None = None
        self._forget()

    async def run(self) -> None:
        """Sample and scale each interval, until one ends and the service is not awake."""
        self._forget()
        while True:
            await asyncio.sleep(self._keeper.spec.scale.interval_s)
            if self._keeper.phase is not Phase.AWAKE:
                break
            if self._is_sampled():
                await self._sample()
            self._scale()  # without readings too: the bounds may have changed, or a replica of several may have ended
        self._forget()

    def _is_sampled(self) -> bool:
        """Sampling reads /proc: it is done only where something depends on it."""
        spec = self._keeper.spec
        return self._fleet.replicas_max > max(1, spec.scale.replicas_min) or spec.sleep.unless_cpu_above > 0

    async def _sample(self) -> None:
        members = self._fleet.ready
        cpu_percent: float | None = None
        for member in members:
            usage = await self._meter.usage(member.replica)
            if usage is None:
                continue
            cpu_percent = (cpu_percent or 0.0) + usage.cpu_percent
            if self._keeper.spec.scale.metric == "cpu":
                self._add(member, usage.cpu_percent)
            elif self._keeper.spec.scale.metric == "memory":
                self._add(member, 100 * usage.memory_bytes / self._keeper.spec.memory_bytes_max)
        self.cpu_percent = cpu_percent
        if self._keeper.spec.scale.metric == "concurrency":
            activity = self._activity()
            for member in members:
                self._add(member, (activity.in_flight + activity.held) / len(members))
        self._samples.keep_only({member.target.number for member in members})

    def _add(self, member: Member, value: float) -> None:
        self._samples.add(member.target.number, now_s=self._clock.now_s(), value=value)

    def _scale(self) -> None:
        if self._keeper.phase is not Phase.AWAKE:
            return  # it changed while the replicas were read
        now_s, replicas = self._clock.now_s(), len(self._fleet)
        observed = Observed(
            replicas=replicas,
            ready=len(self._fleet.ready),
            metric=self._samples.average(now_s),
            last_scale_out_s=self._last_out_s,
            last_scale_in_s=self._last_in_s,
        )
        verdict = decide_scale(self._keeper.spec.scale, observed, now_s=now_s)
        desired = min(verdict.desired, self._fleet.replicas_max)
        if desired > replicas:
            self._last_out_s = now_s
            self._tell("scaled-out", replicas, desired, verdict)
            for _ in range(desired - replicas):
                self._spawn(self._scale_out(), name="start")
        elif desired < replicas:
            self._last_in_s = now_s
            self._tell("scaled-in", replicas, desired, verdict)
            for member in self._fleet.ready[desired:]:
                self._fleet.retire(member)

    async def _scale_out(self) -> None:
        error = await self._start()
        if error is not None and self._keeper.phase is Phase.AWAKE:  # else it was stopped with the others
            late = f"not ready after {say_duration(self._keeper.spec.wake.timeout_s)}"
            detail = error.log_tail if isinstance(error, WorkloadError) else ()
            self._keeper.tell("exited", f"a further replica did not start: {str(error) or late}", detail=detail)

    def _tell(self, kind: str, before: int, desired: int, verdict: ScaleVerdict) -> None:
        self._keeper.tell(kind, f"{before} → {desired} replicas · {verdict.reason}")

    def _forget(self) -> None:
        self._samples = Samples(window_s=self._keeper.spec.scale.window_s)
        self._last_out_s = self._last_in_s = self.cpu_percent = None

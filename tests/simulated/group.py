"""Several services in one fake world that need each other, and a watch over what must hold between them at every step.

A watch notes a breach instead of raising: what raises in the middle of a service would be that service's bug.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC
from math import inf

from tests.simulated.world import World, fall, rise

from wakegate.core.notice import Notice
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.core.schedule import Window
from wakegate.core.spec import ServiceSpec
from wakegate.local.fleet import RESUME_S
from wakegate.local.needs import link
from wakegate.sim.clock import STARTED_AT, SimClock
from wakegate.sim.store import SimStore
from wakegate.sim.workload import Behaviour, Happened, Happening

SLACK_S = 1e-6  # virtual time is a float

Shape = Mapping[str, Sequence[str]]  # each service, users first, and what it may need

SHAPES: dict[str, Shape] = {
    "a chain": {"web": ["api"], "api": ["db"], "db": []},
    "a need of two": {"web": ["db"], "shop": ["db"], "db": []},
    "two needs": {"web": ["db", "cache"], "db": [], "cache": []},
    "a diamond": {"web": ["api", "auth"], "api": ["db"], "auth": ["db"], "db": []},
}


class Part(World):
    """One of several services: what happens to it is seen by the group's watch."""

    def __init__(self, group: "Group", *behaviours: Behaviour, spec: ServiceSpec) -> None:
        self._group = group
        super().__init__(*behaviours, spec=spec, store=group.store)
        self.workload.seen = self._seen
        self.phase = self.service.phase
        self.phase_s: dict[Phase, float] = {}  # when it was last in another phase than this one
        self.down_s = -inf  # when it was awake last
        self.down_by = "it has never been awake"
        self.exited_s = -inf  # when one of its replicas ended last
        self.is_adopted = False  # it is awake because a replica was found running, whatever that may have needed
        self.is_by_hand = False  # what happens in this step, an operator or a reload has asked for

    @property
    def name(self) -> str:
        """Its service's name."""
        return self.spec.name

    @property
    def is_awake(self) -> bool:
        """Whether its users may count on it."""
        return self.service.begun.is_set() and self.service.phase is Phase.AWAKE

    @property
    def is_there(self) -> bool:
        """Whether anything of it runs that is not frozen, or about to be; what ends at this very moment is not."""
        frozen = {member.target.number for member in self.service.fleet.paused}
        runs = any(not (one.is_paused or one.number in frozen) for one in self.workload.alive)
        return runs and self.exited_s < self.clock.now_s()

    @property
    def needs(self) -> list["Part"]:
        """What it is connected to at present."""
        return [self._group.parts[need.spec.name] for need in self.service.links.needs]

    def tell(self, notice: Notice) -> None:
        """See `Clients.tell`."""
        super().tell(notice)
        if notice.kind == "woke":
            self._group.watch.woke(self, cause=notice.subject)

    def reached(self) -> None:
        """See `World.reached`."""
        self._group.watch.reached(self)

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """In the block, what happens to it at once is what somebody wants."""
        self.is_by_hand = True
        try:
            yield
        finally:
            self.is_by_hand = False

    def _seen(self, happened: Happened) -> None:
        if happened.what is Happening.EXITED:
            self.exited_s = happened.at_s
        elif happened.what in (Happening.CALLED, Happening.RESUMED):
            self._group.watch.started(self, happened)


class Watch:
    """Sees every phase, start, wake and request of a group, and notes what must not be."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self.breaches: list[str] = []
        self.linked_s: dict[tuple[str, str], float] = {}  # since when a user needs what it did not before
        self._parts = parts
        self._clock = SimClock()

    def saving(self, record: ServiceRecord) -> None:
        """A record is written: its phase may be another."""
        part = self._parts[record.name]
        before, part.phase = part.phase, record.phase
        if before is record.phase:
            return
        part.phase_s[record.phase] = self._clock.now_s()
        if record.phase in (Phase.DRAINING, Phase.STOPPING) and before in (Phase.AWAKE, Phase.DRAINING):
            self._ends(part, before=before)
        elif before is Phase.AWAKE:
            part.down_s, part.down_by = self._clock.now_s(), "loss"
        if record.phase is Phase.AWAKE:
            part.is_adopted = before is Phase.ASLEEP
        elif record.phase is Phase.ASLEEP:
            asyncio.get_running_loop().call_soon(self._slept, part)  # once this step is over

    def started(self, user: Part, happened: Happened) -> None:
        """A replica of a user is started or resumed: what it needs is awake, and answers.

        Between the moment in which that was found and the end of a resume, a need may have been lost.
        """
        within_s = RESUME_S if user.workload.replicas and user.workload.replicas[-1].behaviour.resume_s else 0.0
        for need in user.needs:
            is_lost = need.down_by in ("loss", "by hand") and happened.at_s - need.down_s <= within_s + SLACK_S
            if not need.is_awake and not is_lost:
                self._breach(f"{user.name}: {happened.what} while {need.name} is {self._how(need)}")
            answers = any(replica.listens for replica in need.workload.replicas)
            was_there = need.exited_s >= happened.at_s - within_s - SLACK_S or not need.service.fleet.targets
            if need.is_awake and not answers and not was_there:
                self._breach(f"{user.name}: {happened.what} while no replica of {need.name} answers")

    def reached(self, user: Part) -> None:
        """A request has reached a user: what it needs is awake, unless it was lost after its user's wake began."""
        since_s = user.phase_s.get(Phase.WAKING, -inf)
        for need in user.needs:
            is_lost = need.down_by in ("loss", "by hand") and need.down_s >= since_s - SLACK_S
            is_new = self.linked_s.get((user.name, need.name), -inf) >= since_s - SLACK_S
            if not (need.is_awake or is_lost or is_new or user.is_adopted):
                self._breach(f"{user.name}: a request while {need.name} is {self._how(need)}")

    def woke(self, need: Part, *, cause: str) -> None:
        """A wake begins: a user that is named as its cause does need it now."""
        users = [self._parts[name] for name in cause.split(", ") if name in self._parts]
        if users and all(user.service.phase is Phase.ASLEEP for user in users):
            self._breach(f"{need.name}: woken for {cause}, and that sleeps")

    def _slept(self, part: Part) -> None:
        """A service sleeps: it holds nobody, for who would end that wait?"""
        if part.is_up and part.service.phase is Phase.ASLEEP and part.service.hold:
            self._breach(f"{part.name}: asleep with {len(part.service.hold)} held")

    def _ends(self, need: Part, *, before: Phase) -> None:
        """A need drains, or stops or pauses after it: nothing of its users is there."""
        if need.is_by_hand:
            need.down_by = "by hand"
        elif need.phase is Phase.STOPPING and not need.service.fleet.ready:
            need.down_by = "loss"
        else:
            need.down_by = "idleness"
            for user in self._parts.values():
                if need in user.needs and (user.service.phase is not Phase.ASLEEP or user.is_there):
                    self._breach(f"{need.name}: {before} -> {need.phase} while {user.name} is {self._how(user)}")
        need.down_s = self._clock.now_s()

    def _how(self, part: Part) -> str:
        since = f"{part.down_s:.3f}: {part.down_by}"
        begun = "" if part.service.begun.is_set() else ", not taken over yet"
        return f"{part.service.phase} (down since {since}{begun}; {len(part.workload.alive)} run)"

    def _breach(self, text: str) -> None:
        self.breaches.append(f"{self._clock.now_s():.3f} {text}")


class Group:
    """Services of one gateway, each a world of its own, with one store."""

    def __init__(
        self, shape: Shape, specs: Mapping[str, ServiceSpec], behaviours: Mapping[str, list[Behaviour]]
    ) -> None:
        self.store = SimStore()
        self.shape = shape
        self.clock = SimClock()
        self.parts: dict[str, Part] = {}
        self.watch = Watch(self.parts)
        for name, needs in shape.items():
            spec = replace(specs[name], name=name, wakes=tuple(needs))
            self.parts[name] = Part(self, *behaviours[name], spec=spec)
        self.store.saving = self.watch.saving
        self.crashes = 0
        self.relink()

    @property
    def all(self) -> tuple[Part, ...]:
        """Every service, users before their needs."""
        return tuple(self.parts.values())

    @property
    def is_up(self) -> bool:
        """Whether the gateway is there."""
        return all(part.is_up for part in self.all)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run all of them until the block ends; then they are cut off, as by kill -9."""
        async with AsyncExitStack() as stack:
            for part in self.all:
                await stack.enter_async_context(part.running())
            yield

    async def crash(self, *, down_s: float) -> None:
        """Kill the gateway, and start another after a while."""
        self.crashes += 1
        await fall(self.all)
        await asyncio.sleep(down_s)
        await rise(self.all)

    def relink(self) -> None:
        """Connect them by what their specs say now."""
        link([part.service for part in self.all])

    def reload(self, user: Part, *, wakes: Sequence[str]) -> None:
        """Let a user need others than before."""
        for name in set(wakes) - set(user.spec.wakes):
            self.watch.linked_s[user.name, name] = self.clock.now_s()
        user.spec = replace(user.spec, wakes=tuple(wakes))
        user.service.configure(user.spec)
        self.relink()

    def users(self, need: str) -> list[Part]:
        """Return those that may need it."""
        return [self.parts[name] for name, needs in self.shape.items() if need in needs]


def draw_spec(spec: ServiceSpec, rng: random.Random) -> ServiceSpec:
    """Draw how one service sleeps, wakes and scales."""
    sleep = replace(
        spec.sleep,
        idle_timeout_s=rng.choice((10, 60, 300)),
        grace_s=rng.choice((0.1, 1, 5)),
        mode="pause" if rng.random() < 0.4 else "stop",
        then_stop_after_s=rng.choice((60, 900)),
    )
    scale = replace(
        spec.scale,
        replicas_max=rng.choice((1, 1, 3)),
        metric="concurrency",
        target=4,
        scale_out_cooldown_s=5,
        scale_in_cooldown_s=20,
    )
    begin_min = rng.randrange(60)
    window = Window(
        days=(STARTED_AT.weekday(),), begin_min=begin_min, end_min=begin_min + rng.randrange(1, 30), zone=UTC
    )
    awake = (window,) if rng.random() < 0.15 else ()
    return replace(spec, awake=awake, sleep=sleep, scale=scale, wake=replace(spec.wake, timeout_s=rng.choice((6, 15))))

"""The handlers, each without one of the nine rules: the checkers must find out."""

from dataclasses import replace
from datetime import datetime

from tests.simulated.aws.traffic import Make
from tests.simulated.aws.world import IDLE_S, SETTINGS, World

from wakegate.aws.cleanup import Cleanup
from wakegate.aws.cloud import Task
from wakegate.aws.instance import Instance
from wakegate.aws.settings import Settings
from wakegate.aws.startup import Startup
from wakegate.aws.wake import Waker
from wakegate.core.phase import Event
from wakegate.core.record import ServiceRecord
from wakegate.sim.cloud_table import SimTable


class TouchesAtTheStartOnly(Startup):
    """Rule 1: no touch at the end of a request."""

    def touch_end(self) -> None:
        """Forget it."""


class TakesAnyRecordForATouch(Instance):
    """Rule 3: a look at the record stands for a touch, however old the newest touch in it is."""

    def learn(self, record: ServiceRecord, *, read_at: datetime, ttl_s: float) -> None:
        """Remember the look."""
        super().learn(record, read_at=read_at, ttl_s=ttl_s)
        self.touched_at = read_at


class BlindTable(SimTable):
    """Rule 2: a touch takes no version, so a drain that was decided before it succeeds."""

    def next_version(self, record: ServiceRecord) -> int:
        """Return the old one."""
        return record.version


class AsleepFirst(Waker):
    """Rule 5: `asleep` is written before the scale call."""

    def stop(self, record: ServiceRecord) -> ServiceRecord:
        """Write, then stop."""
        record = self.keeper.go(record, Event.STOP_ACKNOWLEDGED, owner="", owner_until=None)
        self.cloud.platform.scale(0)
        return record


class SleepsFirst(Cleanup):
    """Rule 5, in the cleanup."""

    waker_class = AsleepFirst


class TrustsEverything(Waker):
    """Rule 6: a wake takes what it sees for its own."""

    def trusted(self, record: ServiceRecord, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
        """Trust."""
        return tasks


class WakesTrusting(Startup):
    """Rule 6, in the startup."""

    waker_class = TrustsEverything


class ScalesFirst(Waker):
    """Rule 8: the rule is enabled after the scale call."""

    def scale_out(self) -> None:
        """Scale, then make sure of the sleep."""
        self.cloud.platform.scale(1)
        self.cloud.platform.set_rule(enabled=True)


class WakesBeforeTheRule(Startup):
    """Rule 8, in the startup."""

    waker_class = ScalesFirst


class KeepsItsLease(Startup):
    """Rule 9: an owner whose wait ends says nothing."""

    def hand_on(self) -> None:
        """Go."""


def made(**flaw: object) -> Make:
    """Return how to make a world with this flaw."""

    def make(seed: int, **world: object) -> World:
        return World(seed, **{**world, **flaw})  # type: ignore[arg-type]  # the arguments of World

    return make


def with_idle_timeout(idle_timeout_s: float) -> Settings:
    """Return settings with another idle timeout, without the coalescing interval."""
    spec = SETTINGS.spec
    return replace(SETTINGS, spec=replace(spec, sleep=replace(spec.sleep, idle_timeout_s=idle_timeout_s)))


def with_grace(grace_s: float) -> Settings:
    """Return settings with another grace."""
    spec = SETTINGS.spec
    return replace(SETTINGS, spec=replace(spec, sleep=replace(spec.sleep, grace_s=grace_s)))


TOUCH_ONCE = made(startup=TouchesAtTheStartOnly)
LOOKS_ONLY = made(instance=TakesAnyRecordForATouch)
BLIND = made(table=BlindTable)
EARLY = made(settings=with_idle_timeout(IDLE_S))
ASLEEP_FIRST = made(cleanup=SleepsFirst)
TRUSTING = made(startup=WakesTrusting)
HASTY = made(settings=replace(SETTINGS, settle_s=0.0))

"""The platform of the world: tasks that follow the desired count some time later, seen some time later still."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

from wakegate.sim.cloud import Hub

STALE_S = 2.0  # a read may be this old
FOLLOW_S = (0.3, 5.0)  # the scheduler acts on a desired count this much later
HISTORY = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SimTask:
    """One task: from `ready_s` on its app answers, at `dies_s` it crashes, from `leaving_s` on it is being stopped."""

    number: int
    created_s: float
    ready_s: float
    dies_s: float = inf
    leaving_s: float = inf
    used_s: float = -inf  # a request began or ended there

    @property
    def target(self) -> str:
        """Return its address."""
        return f"10.0.0.{self.number}:80"


@dataclass(frozen=True, slots=True, kw_only=True)
class Luck:
    """How tasks of this world behave."""

    ready_s: tuple[float, float] = (15.0, 50.0)
    never_ready: float = 0.0  # how likely
    crashes: float = 0.0
    crash_s: tuple[float, float] = (20.0, 400.0)


class SimFleet:
    """Tasks, the desired count, and whether the schedule is on. `failed` hears what must not happen."""

    def __init__(self, hub: Hub, *, luck: Luck, idle_timeout_s: float, failed: Callable[[str], None]) -> None:
        self.desired = 0
        self.rule_is_on = False
        self.is_full = False  # no app takes another connection just now
        self.tasks: dict[int, SimTask] = {}
        self.in_flight: dict[int, int] = {}  # requests in the app, by task
        self.crashes: list[tuple[float, float]] = []  # when such a task was created, and when it died
        self.scales: list[tuple[float, int, str]] = []  # when, to what, by whom
        self.changed: list[Callable[[], None]] = []  # called when a task has gone, or come to run
        self.off: list[Callable[[], None]] = []  # called when the schedule is turned off
        self.luck = luck
        self._hub = hub
        self._idle_timeout_s = idle_timeout_s
        self._failed = failed
        self._count = 0
        self._history: list[tuple[float, int, tuple[SimTask, ...]]] = [(-inf, 0, ())]

    # -- the effects of calls

    def scale(self, desired: int) -> None:
        """Set the desired count; it is acted upon some time later."""
        self.desired = desired
        self.scales.append((self._hub.now_s, desired, self._hub.who()))
        self._note()
        # What was decided on an older count may still be carried out.
        is_stale = self._hub.rng.random() < 0.5
        self._hub.at(self._hub.rng.uniform(*FOLLOW_S), lambda: self._follow(desired if is_stale else self.desired))

    def operator_scales(self, desired: int) -> None:
        """Somebody else does."""
        self.desired = desired
        self._note()
        self._follow(desired)

    def set_rule(self, *, enabled: bool) -> None:
        """Turn the schedule on or off."""
        self.rule_is_on = enabled
        if not enabled:
            for hear in self.off:
                hear()

    def seen(self) -> tuple[int, tuple[SimTask, ...]]:
        """Return the desired count and the tasks, as they were up to two seconds ago."""
        at_s = self._hub.now_s - self._hub.rng.uniform(0, STALE_S)
        return next((desired, tasks) for since_s, desired, tasks in reversed(self._history) if since_s <= at_s)

    def seen_crashes(self, since_s: float) -> list[tuple[float, float]]:
        """Return the crashes of tasks created since then, as they were known up to two seconds ago."""
        at_s = self._hub.now_s - self._hub.rng.uniform(0, STALE_S)
        return [crash for crash in self.crashes if crash[0] >= since_s and crash[1] <= at_s]

    def connects(self, target: str) -> bool:
        """Say whether an app answers there."""
        return self.at(target) is not None

    def at(self, target: str) -> SimTask | None:
        """Return the task at an address if its app answers."""
        for task in self.tasks.values():
            if task.target == target and task.ready_s <= self._hub.now_s < task.leaving_s and not self.is_full:
                return task
        return None

    # -- what requests do

    def enter(self, number: int) -> None:
        """A request reaches the app."""
        self.in_flight[number] = self.in_flight.get(number, 0) + 1
        self._use(number)

    def leave(self, number: int) -> bool:
        """A request has left the app; say whether the app was there to the end."""
        self.in_flight[number] -= 1
        self._use(number)
        task = self.tasks.get(number)
        return task is not None and task.leaving_s > self._hub.now_s

    def check_idle(self) -> None:
        """Invariant 3: called when the service begins to stop because it is idle."""
        for task in self.tasks.values():
            idle_s = self._hub.now_s - task.used_s
            if idle_s < self._idle_timeout_s:
                self._failed(f"I3: task {task.number} is to stop {idle_s:.1f} s after it served")

    # -- the life of tasks

    def _follow(self, desired: int) -> None:
        live = [task for task in self.tasks.values() if task.leaving_s > self._hub.now_s]
        for _ in range(desired - len(live)):
            self._start()
        for task in live[desired:]:
            busy = self.in_flight.get(task.number, 0)
            if busy:
                self._failed(f"I3: task {task.number} was stopped with {busy} in flight")
            self._doom(task.number)
        self._note()
        if desired != self.desired:
            self._hub.at(self._hub.rng.uniform(*FOLLOW_S), lambda: self._follow(self.desired))

    def _start(self) -> None:
        rng, luck, now_s = self._hub.rng, self.luck, self._hub.now_s
        takes_s = inf if rng.random() < luck.never_ready else rng.uniform(*luck.ready_s)
        lives_s = rng.uniform(*luck.crash_s) if rng.random() < luck.crashes else inf
        number, self._count = self._count, self._count + 1
        self.tasks[number] = SimTask(number=number, created_s=now_s, ready_s=now_s + takes_s, dies_s=now_s + lives_s)
        if takes_s < inf:
            self._hub.at(takes_s, self._tell)
        if lives_s < inf:
            self._hub.at(lives_s, lambda: self.crash(number))

    def crash(self, number: int) -> None:
        """Let a task die, which the scheduler replaces some time later."""
        task = self.tasks.get(number)
        if task is not None and task.leaving_s > self._hub.now_s:
            self.crashes.append((task.created_s, self._hub.now_s))
            self._doom(number)
            self._note()
            self._hub.at(self._hub.rng.uniform(*FOLLOW_S), lambda: self._follow(self.desired))

    def _doom(self, number: int) -> None:
        self.tasks[number] = replace(self.tasks[number], leaving_s=self._hub.now_s)
        self._hub.at(self._hub.rng.uniform(0.2, 10.0), lambda: self._end(number))

    def _end(self, number: int) -> None:
        del self.tasks[number]
        self._note()
        self._tell()

    def _use(self, number: int) -> None:
        if number in self.tasks:
            self.tasks[number] = replace(self.tasks[number], used_s=self._hub.now_s)

    def _note(self) -> None:
        self._history.append((self._hub.now_s, self.desired, tuple(self.tasks.values())))
        del self._history[:-HISTORY]

    def _tell(self) -> None:
        for hear in self.changed:
            hear()

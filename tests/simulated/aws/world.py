"""The two functions in their simulated account: environments, the front before them, the schedule behind them."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.simulated.aws.cloud import SimClock, SimNetwork, SimPlatform

from wakegate.aws.cleanup import Cleanup
from wakegate.aws.cloud import Cloud, UnknownOutcomeError
from wakegate.aws.instance import Instance
from wakegate.aws.settings import Settings, read
from wakegate.aws.startup import Startup
from wakegate.core.errors import ConflictError
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.sim.cloud import Hub, Invocation
from wakegate.sim.cloud_ecs import Luck, SimFleet
from wakegate.sim.cloud_table import SimTable

IDLE_S, TICK_S, SAFETY_S = 300.0, 60.0, 3600.0
STARTUP_LIFE_S, CLEANUP_LIFE_S = 180.0, 60.0
RULE, SAFETY_RULE = "container-cleanup-schedule", "container-cleanup-hourly"
SETTINGS = read({"SERVICE_NAME": "web", "RULE_NAME": RULE})
DOMAIN = "abc123.execute-api.eu-central-1.amazonaws.com"


class Context:
    """What Lambda says of an invocation."""

    def __init__(self, hub: Hub, name: str) -> None:
        self.aws_request_id = name
        self._hub = hub

    def get_remaining_time_in_millis(self) -> int:
        """Return how long it may still run."""
        return int(self._hub.left_s() * 1000)


@dataclass(frozen=True, slots=True)
class Kill:
    """Which call of which invocation is to be its last, and whether it has its effect."""

    invocation: int
    call: int
    is_after: bool


@dataclass(slots=True)
class Run:
    """One invocation of the startup function, for the checkers."""

    name: str
    environment: int
    began_s: float
    is_url: bool
    ended_s: float = 0.0
    answer: dict[str, Any] | None = None  # None: it was killed
    calls: list[str] = field(default_factory=list)


class World:
    """The account. Subclasses of the handlers may be given, to plant a flaw."""

    def __init__(
        self,
        seed: int,
        *,
        settings: Settings = SETTINGS,
        luck: Luck = Luck(),  # noqa: B008  a frozen value
        faults: float = 0.0,
        slow: float = 1.0,
        startup: type[Startup] = Startup,
        cleanup: type[Cleanup] = Cleanup,
        table: type[SimTable] = SimTable,
        network: type[SimNetwork] = SimNetwork,
        instance: type[Instance] = Instance,
        kill: Kill | None = None,
    ) -> None:
        self.hub = Hub(seed, lost=UnknownOutcomeError, faults=faults, slow=slow)
        self.rng = Random(seed + 1)
        self.settings = settings
        self.errors: list[str] = []
        self.log: list[str] = []
        self.fleet = SimFleet(self.hub, luck=luck, idle_timeout_s=IDLE_S, failed=self.failed)
        self.table = table(self.hub)
        self.table.watchers.append(self._noted)
        self.network = network(self.hub, self.fleet)
        platform = SimPlatform(self.hub, self.fleet)
        self.lines: list[str] = []  # of the functions' logs
        self.cloud = Cloud(
            clock=SimClock(self.hub),
            table=self.table,
            platform=platform,
            network=self.network,
            log=self.lines.append,
        )
        self.runs: list[Run] = []
        self.ticks: list[Invocation] = []
        self.begun: list[float] = []  # when wakes began
        self.awake_s: list[float] = []  # when it became awake
        self.lags: list[float] = []  # seconds from a task being ready to the record saying so
        self.invocations: list[Invocation] = []
        self.skew_s = 0.0  # machines' clocks differ by twice this at most
        self._startup, self._cleanup, self._instance = startup, cleanup, instance
        self._kill = kill
        self._free: list[tuple[int, Instance]] = []
        self._count = 0
        self._last_safety_s = 0.0

    def failed(self, what: str) -> None:
        """Note a broken invariant."""
        self.errors.append(f"{self.hub.now_s:9.2f} {what}")

    def phase(self) -> Phase:
        """Return the phase that the table has."""
        return Phase.ASLEEP if self.table.record is None else self.table.record.phase

    # -- the functions

    def request(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """Run the startup function in an environment that is free, or a new one; None: it was killed."""
        number, instance = self._environment()
        invocation = self._invocation("request", life_s=STARTUP_LIFE_S)
        is_url = "lambda-url" in event["requestContext"]["domainName"]
        run = Run(invocation.name, number, self.hub.now_s, is_url)
        self.runs.append(run)
        run.answer = self.hub.invoke(invocation, lambda: self._answer(event, run.name, instance))
        run.ended_s, run.calls = self.hub.now_s, invocation.calls
        if run.answer is not None:
            self._free.append((number, instance))
        return run.answer

    def tick(self, rule: str = RULE) -> Invocation:
        """Run the cleanup function."""
        event = {"detail-type": "Scheduled Event", "resources": [f"arn:aws:events:eu-central-1:1:rule/{rule}"]}
        invocation = self._invocation("tick", life_s=CLEANUP_LIFE_S)
        self.ticks.append(invocation)
        self.hub.invoke(invocation, lambda: self._tick(event, invocation.name))
        return invocation

    def start_schedule(self, *, jitter: bool = False) -> None:
        """Let EventBridge work: every minute where the rule is on, hourly in any case; now and then late or twice."""
        self.hub.at(TICK_S, lambda: self._schedule(jitter=jitter))

    def start_task_events(self) -> None:
        """Let EventBridge tell the cleanup of tasks that come and go."""

        def tell() -> None:
            self.hub.spawn(lambda: self.tick("container-cleanup-tasks"), after_s=self.rng.uniform(0.1, 3))

        self.fleet.changed.append(tell)

    def _answer(self, event: dict[str, Any], name: str, instance: Instance) -> dict[str, Any]:
        context = Context(self.hub, name)
        return self._startup(context, cloud=self.cloud, instance=instance, settings=self.settings).answer(event)

    def _tick(self, event: dict[str, Any], name: str) -> None:
        try:
            self._cleanup(Context(self.hub, name), cloud=self.cloud, settings=self.settings).tick(event)
        except (ConflictError, UnknownOutcomeError):
            return  # Lambda says that it failed; the next tick looks anew

    def _schedule(self, *, jitter: bool) -> None:
        now_s = self.hub.now_s
        if self.fleet.rule_is_on:
            late_s = self.rng.uniform(0, 5 if self.rng.random() < 0.9 else 50) if jitter else 0.0
            for _ in range(2 if jitter and self.rng.random() < 0.05 else 1):
                self.hub.spawn(self.tick, after_s=late_s)
        if now_s - self._last_safety_s >= SAFETY_S:
            self._last_safety_s = now_s
            self.hub.spawn(lambda: self.tick(SAFETY_RULE))
        self.hub.at(TICK_S, lambda: self._schedule(jitter=jitter))

    def _environment(self) -> tuple[int, Instance]:
        if self._free:
            return self._free.pop(self.rng.randrange(len(self._free)))
        self._count += 1
        rng = Random(self.rng.random())
        return self._count, self._instance(random=rng, random_bytes=rng.randbytes)

    def _invocation(self, what: str, *, life_s: float) -> Invocation:
        number, kill = len(self.invocations), self._kill
        is_doomed = kill is not None and kill.invocation == number
        invocation = Invocation(
            f"{what}-{number}",
            end_s=self.hub.now_s + life_s,
            kill_at=kill.call if kill is not None and is_doomed else None,
            kill_after=kill is not None and kill.is_after,
        )
        invocation.skew_s = self.rng.uniform(-self.skew_s, self.skew_s)
        self.invocations.append(invocation)
        return invocation

    def _noted(self, before: Phase, record: ServiceRecord) -> None:
        self.log.append(f"{self.hub.now_s:9.2f} {self.hub.who()}: {before} -> {record.phase}")
        if before is Phase.DRAINING and record.phase is Phase.STOPPING:
            self.fleet.check_idle()
            if record.keep_until is not None and record.keep_until > self.hub.now():
                self.failed(f"I3: it is to stop, and was to be kept awake until {record.keep_until}")
        if record.phase is Phase.WAKING:
            self.begun.append(self.hub.now_s)
        if record.phase is Phase.AWAKE:
            self.awake_s.append(self.hub.now_s)
        if record.phase is Phase.AWAKE and before is Phase.WAKING:
            fresh = [task.ready_s for task in self.fleet.tasks.values() if task.target in record.targets]
            self.lags += [self.hub.now_s - max(min(fresh), self.begun[-1])] if fresh else []

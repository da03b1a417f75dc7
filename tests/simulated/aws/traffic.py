"""Traffic of one seed: bursts, steady visitors, long silences, and an adversary that knocks at every transition."""

from collections.abc import Callable
from random import Random

from tests.simulated.aws.clients import Client, Jar
from tests.simulated.aws.world import IDLE_S, SAFETY_S, World

from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.sim.cloud_ecs import Luck

HORIZON_S = 6000.0
SETTLE_DOWN_S = 2 * SAFETY_S + 4 * IDLE_S
TAKES_S = (0.01, 0.01, 0.2, 2.0, 20.0)
URL_TAKES_S = (0.01, 2.0, 100.0)  # a Function URL waits longer


class Traffic:
    """Sends clients until the horizon; `clients` are all that were sent."""

    def __init__(self, world: World, *, horizon_s: float = HORIZON_S) -> None:
        self.world = world
        self.clients: list[Client] = []
        self.jars = [Jar(), Jar(), Jar()]
        self._rng = Random(world.rng.random())
        self._horizon_s = horizon_s
        world.table.watchers.append(self._knock)
        world.table.readers.append(self._knock_at_the_tick)

    def run(self) -> None:
        """Send them."""
        hub, rng = self.world.hub, self._rng
        while hub.now_s < self._horizon_s:
            if rng.random() < 0.1:
                self._scale_by_others()
            match rng.choice(("burst", "steady", "edge", "silence")):
                case "burst":
                    for _ in range(rng.randint(2, 20)):
                        self.send()
                        hub.wait(rng.expovariate(20))
                case "steady":
                    for _ in range(rng.randint(3, 20)):
                        self.send()
                        hub.wait(rng.expovariate(1 / 8))
                case "edge":  # aims at the moments of the sleep
                    hub.wait(IDLE_S + rng.uniform(-15, 90))
                    self.send()
                case _:
                    hub.wait(rng.uniform(200, 2500))

    def send(self, *, after_s: float = 0.0) -> None:
        """Send one client."""
        rng = self._rng
        jar = rng.choice(self.jars) if rng.random() < 0.2 else None
        if jar is not None and jar.is_busy:
            jar = None  # a browser has one request at a time here, so that its visits have an order
        is_url = rng.random() < 0.1
        client = Client(
            self.world,
            method=rng.choice(("GET", "GET", "GET", "POST")),
            takes_s=rng.choice(URL_TAKES_S if is_url else TAKES_S),
            is_page=rng.random() < 0.2,
            is_url=is_url,
            keep_s=600 if rng.random() < 0.02 else 0,
            jar=jar,
        )
        if jar is not None:
            jar.is_busy = True
        self.clients.append(client)
        self.world.hub.spawn(client.run, after_s=after_s)

    def _scale_by_others(self) -> None:
        """Auto Scaling adds a task while it is awake; an operator starts one while it sleeps."""
        fleet = self.world.fleet
        if self.world.phase() is Phase.AWAKE and 0 < fleet.desired < 3:
            fleet.operator_scales(fleet.desired + 1)
        elif self.world.phase() is Phase.ASLEEP and self._rng.random() < 0.3:
            fleet.operator_scales(1)

    def _knock(self, _before: Phase, record: ServiceRecord) -> None:
        if record.phase in (Phase.DRAINING, Phase.STOPPING, Phase.ASLEEP) and self._rng.random() < 0.3:
            self._send_some()

    def _knock_at_the_tick(self) -> None:
        """Knock between a tick's reading of the record and its write."""
        record = self.world.table.record
        is_tick = self.world.hub.who().startswith("tick") and self.world.hub.now_s < self._horizon_s
        if is_tick and record is not None and record.phase is Phase.AWAKE and self._rng.random() < 0.5:
            idle_s = (self.world.hub.now() - record.last_active_at).total_seconds()
            if idle_s > IDLE_S - 15:
                self.send(after_s=self._rng.uniform(0, 0.05))

    def _send_some(self) -> None:
        if self.world.hub.now_s < self._horizon_s:
            for _ in range(self._rng.randint(1, 3)):
                self.send(after_s=self._rng.choice((0.3, 1.5, 9.0)) * self._rng.random())


Make = Callable[..., World]


def live(
    seed: int, *, make: Make = World, faults: float | None = None, luck: Luck | None = None
) -> tuple[World, Traffic, bool]:
    """Let one seed's traffic come and end, then wait until all must be at zero; also say whether nothing failed."""
    rng = Random(f"{seed}")
    drawn = rng.choice((0.0, 0.01, 0.05))
    luck = luck or rng.choice((Luck(), Luck(never_ready=0.05, crashes=0.1)))
    world = make(
        seed,
        faults=drawn if faults is None else faults,
        slow=rng.choice((1.0, 1.0, 4.0)),
        luck=luck,
    )
    world.skew_s = rng.choice((0.0, 0.2))
    traffic = Traffic(world)
    world.start_schedule(jitter=True)
    if rng.random() < 0.7:
        world.start_task_events()
    world.hub.spawn(traffic.run)
    world.hub.run(HORIZON_S)
    is_faultless = world.hub.faults == 0 and luck.never_ready == luck.crashes == 0
    world.hub.faults = 0.0
    world.hub.run(HORIZON_S + SETTLE_DOWN_S)
    return world, traffic, is_faultless

"""Both functions survive a death at every call they make: the calls are counted first, then each is the last one."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.simulated.aws.clients import Client
from tests.simulated.aws.world import IDLE_S, SAFETY_S, SETTINGS, TICK_S, Kill, World

from wakegate.aws.settings import COALESCE_S, GRACE_S
from wakegate.core.phase import Phase
from wakegate.sim.cloud_ecs import Luck

LAST_S = 100.0  # the last request begins
ZERO_BY_S = LAST_S + IDLE_S + COALESCE_S + GRACE_S + 5 * TICK_S  # a stop's lease may have to run out
END_S = ZERO_BY_S + 2 * TICK_S
assert END_S < SAFETY_S, "all of this is to be over before the hourly tick could help"

READY = Luck(ready_s=(5.0, 5.0))
QUICK = replace(SETTINGS, spec=replace(SETTINGS.spec, wake=replace(SETTINGS.spec.wake, timeout_s=8.0)))


class Life:
    """A world and the clients in it, up to its end."""

    def __init__(self, kill: Kill | None, *, luck: Luck = READY, ends: str = "served") -> None:
        settings = QUICK if luck.never_ready else SETTINGS
        self.world = World(0, luck=luck, settings=settings, kill=kill)
        self.clients: list[Client] = []
        self.ends = ends

    def visit(self, at_s: float, *, is_page: bool = False, method: str = "GET", patience_s: float = 60.0) -> None:
        """Send a client."""
        client = Client(self.world, is_page=is_page, method=method, patience_s=patience_s)
        self.clients.append(client)
        self.world.hub.spawn(client.run, after_s=at_s)

    def live(self) -> "Life":
        """Let it come to its end."""
        self.world.start_schedule()
        self.world.hub.run(END_S)
        return self


def wake_and_sleep(kill: Kill | None) -> Life:
    """Two clients wait for it, one comes later."""
    life = Life(kill)
    life.visit(0.0)
    life.visit(1.0, method="POST")
    life.visit(LAST_S)
    return life.live()


def page(kill: Kill | None) -> Life:
    """A browser is alone with the waiting page."""
    life = Life(kill)
    life.visit(0.0, is_page=True)
    return life.live()


def lost_targets(kill: Kill | None) -> Life:
    """The only task crashes, and a client finds out."""
    life = Life(kill)
    life.visit(0.0)
    life.world.hub.at(LAST_S - 0.1, lambda: life.world.fleet.crash(0))
    life.visit(LAST_S)
    return life.live()


def failed_wake(kill: Kill | None) -> Life:
    """No task is ever ready."""
    life = Life(kill, luck=Luck(never_ready=1.0), ends="gone")
    life.visit(0.0, patience_s=15.0)
    return life.live()


def adopted(kill: Kill | None) -> Life:
    """An operator starts it, ECS tells of it, and nobody ever comes."""
    life = Life(kill)
    life.world.hub.at(30.0, lambda: life.world.fleet.operator_scales(1))
    for at_s in (33.0, 50.0):
        life.world.hub.spawn(lambda: life.world.tick("container-cleanup-tasks"), after_s=at_s)
    return life.live()


SCRIPTS: list[Callable[[Kill | None], Life]] = [wake_and_sleep, page, lost_targets, failed_wake, adopted]
CALLS = [
    (script, number, call, f"{script.__name__}, {invocation.name}, {call} {name}")
    for script in SCRIPTS
    for number, invocation in enumerate(script(None).world.invocations)
    for call, name in enumerate(invocation.calls)
]


@pytest.mark.parametrize("is_after", [False, True], ids=["before it has an effect", "after it had its effect"])
@pytest.mark.parametrize(("script", "invocation", "call"), [pytest.param(*where, id=name) for *where, name in CALLS])
def test_a_death_at_this_call_is_survived(
    script: Callable[[Kill | None], Life], invocation: int, call: int, is_after: bool
) -> None:
    """Every client is served that can be, nothing runs on, and nobody has to wait for the hourly tick."""
    life = script(Kill(invocation, call, is_after))
    assert len(life.world.invocations[invocation].calls) == call + 1, "it died there"
    for client in life.clients:
        assert client.endings == [life.ends]
        assert client.ended_s - client.began_s < 60
    world, fleet = life.world, life.world.fleet
    assert (world.phase(), fleet.desired, fleet.tasks) == (Phase.ASLEEP, 0, {})
    assert not fleet.rule_is_on
    assert all(at_s < ZERO_BY_S for at_s, _, _ in fleet.scales)
    assert world.errors == []


def test_the_calls_of_both_functions_are_all_there() -> None:
    """What is not called in a script is not killed."""
    called = {name.rpartition(" ")[2] for *_, name in CALLS}
    assert called >= {
        "table.load", "table.save", "table.touch", "table.put_session", "table.wakes", "table.add_wake",
        "platform.set_rule(True)", "platform.set_rule(False)", "platform.scale(1)", "platform.scale(0)",
        "platform.look", "platform.crashes", "network.connects", "network.forward",
    }  # fmt: skip

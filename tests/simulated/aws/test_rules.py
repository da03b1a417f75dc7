"""The nine rules that make the two functions safe, each with a test that fails without it."""

from collections.abc import Sequence

import pytest
from tests.simulated.aws.check import problems
from tests.simulated.aws.clients import Client, Jar
from tests.simulated.aws.flaws import (
    ASLEEP_FIRST,
    BLIND,
    HASTY,
    LOOKS_ONLY,
    TOUCH_ONCE,
    TRUSTING,
    KeepsItsLease,
    WakesBeforeTheRule,
    with_grace,
    with_idle_timeout,
)
from tests.simulated.aws.traffic import Make, live
from tests.simulated.aws.world import IDLE_S, Kill, World

from wakegate.aws.settings import COALESCE_S, GRACE_S, Settings
from wakegate.aws.startup import Startup
from wakegate.core.phase import Phase
from wakegate.sim.cloud_ecs import Luck

READY_S = Luck(ready_s=(20.0, 20.0))


def first_caught(make: Make, seeds: Sequence[int]) -> str:
    """Return the first broken invariant that the checkers find in these seeds, "" for none.

    Every second one is without faults: only there may a second scale call be held against a wake.
    """
    for seed in seeds:
        good = {"faults": 0.0, "luck": Luck()} if seed % 2 else {}
        world, traffic, is_faultless = live(seed, make=make, **good)  # type: ignore[arg-type]  # of two kinds
        found = problems(world, traffic, is_faultless=is_faultless)
        if found:
            return found[0]
    return ""


@pytest.mark.parametrize(
    ("make", "seeds", "invariant"),
    [
        pytest.param(TOUCH_ONCE, 60, "I3", id="1: a touch at both ends"),
        pytest.param(BLIND, 200, "I3", id="2: a touch takes a version"),
        pytest.param(LOOKS_ONLY, 60, "I3", id="3: only a touch that is recent stands for another"),
        pytest.param(ASLEEP_FIRST, 200, "I2", id="5: asleep after the scale call was acknowledged"),
        pytest.param(TRUSTING, 60, "I3", id="6: trust what was created after the wake began"),
        pytest.param(HASTY, 80, "I2", id="7: correct nothing that is younger than a read may be old"),
    ],
)
def test_the_checkers_notice_that_a_rule_is_missing(make: Make, seeds: int, invariant: str) -> None:
    """A rule whose absence nobody notices is not proven by any number of green seeds."""
    assert invariant in first_caught(make, range(seeds))


def used_until(last_s: float, *, settings: Settings) -> World:
    """Wake it, use it for the last time at `last_s`, within the coalescing interval of a touch, and no tick yet."""
    world = World(0, settings=settings, luck=READY_S)
    for at_s in (0.0, last_s - COALESCE_S + 0.5, last_s):
        world.hub.spawn(Client(world, patience_s=100).run, after_s=at_s)
    world.hub.run(last_s + 1)
    return world


@pytest.mark.parametrize(("idle_timeout_s", "is_safe"), [(IDLE_S + COALESCE_S, True), (IDLE_S, False)])
def test_rule_3_a_sleep_allows_for_what_was_not_written(idle_timeout_s: float, is_safe: bool) -> None:
    """The touch of the last request stood for one that came nearly ten seconds later."""
    world = used_until(100.0, settings=with_idle_timeout(idle_timeout_s))
    touched_s = 100.0 - COALESCE_S + 0.5
    world.hub.spawn(world.tick, after_s=touched_s + IDLE_S + 0.1 - world.hub.now_s)
    world.hub.run(1000)
    assert (world.errors == []) is is_safe, world.errors


@pytest.mark.parametrize(("grace_s", "wakes"), [(GRACE_S, 1), (0.0, 2)])
def test_rule_4_a_request_during_the_drain_makes_no_cold_start(grace_s: float, wakes: int) -> None:
    """Visitors come back when a service is about to sleep as at any other time."""
    world = used_until(100.0, settings=with_grace(grace_s))
    world.hub.spawn(world.tick, after_s=320.0)
    late = Client(world)
    world.hub.spawn(late.run, after_s=320.0 + 3.0)
    world.hub.run(1000)
    assert late.endings == ["served"]
    assert sum(1 for _, desired, _ in world.fleet.scales if desired) == wakes


@pytest.mark.parametrize(("startup", "is_safe"), [(Startup, True), (WakesBeforeTheRule, False)])
def test_rule_8_nothing_is_awake_without_something_to_put_it_to_sleep(startup: type[Startup], is_safe: bool) -> None:
    """An invocation that dies right after its scale call must not leave a task that runs for an hour."""
    dry = World(0, luck=READY_S, startup=startup)
    dry.hub.spawn(Client(dry, patience_s=0.0).run)
    dry.hub.run(1)
    call = dry.invocations[0].calls.index("platform.scale(1)")
    world = World(0, luck=READY_S, startup=startup, kill=Kill(0, call, is_after=True))
    world.start_schedule()
    world.hub.spawn(Client(world, patience_s=0.0).run)
    world.hub.run(900)
    assert (world.phase() is Phase.ASLEEP and world.fleet.desired == 0) is is_safe


@pytest.mark.parametrize(("startup", "is_prompt"), [(Startup, True), (KeepsItsLease, False)])
def test_rule_9_who_leaves_a_wake_hands_it_on(startup: type[Startup], is_prompt: bool) -> None:
    """Otherwise everybody waits for a lease to run out while the app is ready."""
    world = World(0, luck=Luck(ready_s=(27.2, 27.2)), startup=startup)
    world.hub.spawn(Client(world, patience_s=20.0).run)  # hangs up: it does not come back to go on watching
    waiting = Client(world)
    world.hub.spawn(waiting.run, after_s=10.0)
    world.hub.run(100)
    assert waiting.endings == ["served"]
    assert (world.lags[0] < 3.0) is is_prompt, world.lags


def test_500_first_requests_make_one_scale_call() -> None:
    """Invariant 2, and the number of issue 4; who watches must not throttle the account either."""
    world = World(0, luck=READY_S)
    world.start_schedule()
    clients = [Client(world, method="POST") for _ in range(500)]
    for client in clients:
        world.hub.spawn(client.run, after_s=world.rng.uniform(0, 0.5))
    world.hub.run(60)
    assert [client.endings for client in clients] == [["served"]] * 500
    assert [desired for _, desired, _ in world.fleet.scales] == [1]
    looks = [run.name for run in world.runs if "platform.look" in run.calls]
    assert len(looks) == 1
    assert world.table.written == [], "the write that has made it awake is their touch"


def test_a_session_and_its_data_live_through_a_sleep() -> None:
    """Invariant 8, by the letter: the same visitor before and after."""
    world, jar = World(0, luck=READY_S), Jar()
    world.start_schedule()
    for at_s in (0.0, 100.0, 101.0, 1000.0):
        world.hub.spawn(Client(world, jar=jar).run, after_s=at_s)
    world.hub.run(1200)
    assert jar.problems == []
    assert jar.visits == 4
    assert len([1 for _, desired, _ in world.fleet.scales if desired == 0]) == 1


def test_a_browser_alone_with_the_waiting_page_gets_the_app() -> None:
    """Nobody holds a request then: what the page asks moves the wake on, and nothing is left to the next tick."""
    world = World(0, luck=READY_S)
    client = Client(world, is_page=True)
    world.hub.spawn(client.run)
    world.hub.run(40)  # there is no schedule in this world
    assert client.endings == ["served"]
    assert client.statuses[0] == 503
    assert [desired for _, desired, _ in world.fleet.scales] == [1]

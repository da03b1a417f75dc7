"""What an operator is told of a service: one row of the table, and the answer to "why"."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from tests.simulated.world import PAUSED, SPEC, World, with_scale

from wakegate.core.phase import Phase
from wakegate.core.spec import ServiceSpec
from wakegate.core.status import ServiceStatus
from wakegate.local.report import explained, status
from wakegate.sim.clock import run
from wakegate.sim.workload import Behaviour

URL = "http://127.0.0.1:8080"


def seen(
    test: Callable[[World], Awaitable[object]], *behaviours: Behaviour, spec: ServiceSpec = SPEC
) -> tuple[ServiceStatus, str]:
    """Return the status after some life, and the explanation as one text."""

    async def main() -> tuple[ServiceStatus, str]:
        world = World(*behaviours, spec=spec)
        async with world.running():
            await test(world)
            wakes = world.store.wakes("web", limit=9)
            return status(world.service, url=URL, sessions=world.service.book.live_count()), "\n".join(
                explained(world.service, wakes=wakes)
            )

    return run(main())


async def nothing(world: World) -> None:
    """Nobody has ever come."""


async def one_visit(world: World) -> None:
    """Somebody came."""
    await world.visit(agent="curl/8")


def test_one_that_nobody_has_visited_wakes_on_the_first_request() -> None:
    """No number is made up: how long a wake takes is not known yet."""
    row, _ = seen(nothing)
    assert (row.phase, row.next, row.pids, row.usual_wake_s) == (
        Phase.ASLEEP,
        "wakes on the first request",
        (),
        None,
    )
    assert (row.replicas_ready, row.replicas_wanted, row.replicas_max, row.sessions) == (0, 0, 1, 0)


async def until_paused(world: World) -> None:
    """Somebody came, and nobody since."""
    await world.visit()
    await asyncio.sleep(PAUSED.sleep.idle_timeout_s + 60)


def test_a_paused_one_says_what_it_keeps_and_when_that_ends() -> None:
    """It is asleep and costs memory: the two halves of the choice, for whoever looks."""
    row, why = seen(until_paused, Behaviour(listen_s=1), spec=PAUSED)
    keeps = "paused, keeps 84 MB (was 96 MB), uses no CPU"
    assert (row.phase, row.replicas_paused, row.replicas_ready, row.replicas_wanted) == (Phase.ASLEEP, 1, 0, 0)
    assert row.next == f"{keeps} · wakes on the first request · stops in 14m 01s"
    assert f"\nIt is {keeps}; stops in 14m 01s.\n" in why


def test_an_awake_one_says_when_it_will_sleep_and_what_woke_it() -> None:
    """The two questions that people have."""
    row, why = seen(one_visit, Behaviour(listen_s=1))
    assert (row.phase, row.replicas_ready, row.pids) == (Phase.AWAKE, 1, (1_000,))
    assert row.next.startswith("sleeps in 5m")
    assert row.usual_wake_s is not None
    assert "curl/8" in why


def test_who_waits_and_what_is_in_flight_are_counted() -> None:
    """Why it does not sleep: somebody is there."""

    async def busy(world: World) -> None:
        world.beside(world.visit(took_s=50))
        world.beside(world.visit(took_s=50))
        await asyncio.sleep(10)

    row, _ = seen(busy, Behaviour(listen_s=1))
    assert (row.in_flight, row.held, row.next) == (2, 0, "2 in flight")


def test_a_waking_one_says_how_long_it_still_takes() -> None:
    """An estimate from its own wakes."""

    async def second_wake(world: World) -> None:
        await world.visit()
        world.service.put_to_sleep("asked to sleep")
        await asyncio.sleep(5)
        world.beside(world.visit())
        await asyncio.sleep(1)

    row, _ = seen(second_wake, Behaviour(listen_s=8))
    assert (row.phase, row.held) == (Phase.WAKING, 1)
    assert row.next.startswith("ready in ≈ 7")


def test_one_that_could_not_start_says_why_and_when_it_is_tried_again() -> None:
    """The reason unchanged, as the log has it."""
    row, why = seen(one_visit, Behaviour(start_error='"gunicorn" was not found'))
    assert (row.phase, row.failure) == (Phase.ASLEEP, '"gunicorn" was not found')
    assert row.next.startswith("next try in 1")
    assert '"gunicorn" was not found' in why


def test_a_keep_and_a_minimum_are_reasons_not_to_sleep() -> None:
    """And said with who asked."""

    async def kept(world: World) -> None:
        await world.visit()
        world.service.keep_awake(7200, reason="a demo")

    async def settle(world: World) -> None:
        await asyncio.sleep(5)

    assert seen(kept)[0].next.startswith("kept awake for 2h")
    assert seen(settle, spec=with_scale(replicas_min=1))[0].next == "always awake (scale.min = 1)"


def test_the_addresses_are_those_that_lead_to_it() -> None:
    """With its host, path and the gateway's port; a wildcard has no address of its own."""
    spec = replace(SPEC, hosts=("shop.localhost", "*.shop.test"), path="/api")
    row, _ = seen(nothing, spec=spec)
    assert row.urls == ("http://shop.localhost:8080/api", "http://127.0.0.1:8080/api")

"""Services that need others, in virtual time: what they need wakes before them, and sleeps after them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from math import inf

from tests.simulated.world import SPEC, World, fall, rise

from wakegate.core.phase import Phase
from wakegate.local.needs import link
from wakegate.sim.clock import run
from wakegate.sim.workload import Behaviour

SOON = Behaviour(listen_s=1)


def pair(*of_db: Behaviour, of_web: Sequence[Behaviour] = (SOON, SOON, SOON)) -> tuple[World, World]:
    """Return "web", which wakes "db", and "db", which gets no requests."""
    web = World(*of_web, spec=replace(SPEC, wakes=("db",)))
    db = World(*of_db, spec=replace(SPEC, name="db", is_routed=False))
    link([web.service, db.service])
    return web, db


def moments(world: World, what: str) -> list[float]:
    """Return when this happened to replicas."""
    return [one.at_s for one in world.workload.history if str(one.what) == what]


def test_a_need_is_ready_before_its_user_is_started() -> None:
    """An app that finds no database at its start exits, and the visitor sees an error."""

    async def main() -> None:
        web, db = pair(Behaviour(listen_s=3), SOON)
        async with web.running(), db.running():
            assert (await web.visit()).endings == ["served"]
            assert db.service.phase is Phase.AWAKE
            assert moments(web, "started")[0] >= moments(db, "started")[0] + 3

    run(main())


def test_a_need_stays_while_it_is_used_and_goes_last() -> None:
    """Nobody sends a request to a database: its own idle timeout has long passed."""

    async def main() -> None:
        web, db = pair(SOON, SOON, of_web=(Behaviour(listen_s=1, stop_s=4),))
        async with web.running(), db.running():
            for _ in range(4):
                await web.visit()
                await asyncio.sleep(200)
                assert db.service.phase is Phase.AWAKE
            await asyncio.sleep(200)
            assert (web.service.phase, db.service.phase) == (Phase.ASLEEP, Phase.ASLEEP)
            assert moments(db, "terminated")[0] >= moments(web, "exited")[0]

    run(main())


def test_a_need_that_cannot_start_is_named_to_who_waits() -> None:
    """ "web could not start" would send one to look in the wrong log."""

    async def main() -> None:
        web, db = pair(*[Behaviour(start_error="no such command")] * 9)
        async with web.running(), db.running():
            assert (await web.visit()).endings == ["WakeFailedError"]
            assert web.workload.history == []
            assert any("db, which it wakes first: " in text for text in web.texts("wake-failed"))

    run(main())


def test_a_need_that_dies_is_woken_again_for_its_user() -> None:
    """With the pauses that every wake has that keeps failing; a later one finds it mended."""

    async def main() -> None:
        web, db = pair(Behaviour(listen_s=1, dies_after_s=20), Behaviour(start_error="x"), SOON)
        async with web.running(), db.running():
            await web.visit()
            await asyncio.sleep(60)
            assert (web.service.phase, db.service.phase) == (Phase.AWAKE, Phase.AWAKE)

    run(main())


def test_a_need_of_two_sleeps_when_the_last_of_them_does() -> None:
    """The other one would be left without it."""

    async def main() -> None:
        web, db = pair(SOON, SOON)
        shop = World(SOON, spec=replace(SPEC, name="shop", wakes=("db",)))
        link([web.service, shop.service, db.service])
        async with web.running(), shop.running(), db.running():
            await web.visit()
            for _ in range(3):
                await shop.visit()
                await asyncio.sleep(200)
            assert (web.service.phase, db.service.phase) == (Phase.ASLEEP, Phase.AWAKE)
            assert db.service.links.awake_users == ("shop",)
            await asyncio.sleep(200)
            assert db.service.phase is Phase.ASLEEP

    run(main())


def test_who_is_linked_anew_needs_only_what_is_there() -> None:
    """A reload may take a service away; its users then do without."""

    async def main() -> None:
        web, _ = pair(SOON)
        link([web.service])
        async with web.running():
            assert web.service.links.needs == ()
            assert (await web.visit()).endings == ["served"]

    run(main())


def test_a_gateway_that_came_back_keeps_a_need_until_it_knows_what_is_left_of_its_users() -> None:
    """The record says asleep; the replica that still ends may have something to write."""

    async def main() -> None:
        web, db = pair(SOON, SOON, of_web=(Behaviour(listen_s=inf, stop_s=8),))
        db.spec = replace(db.spec, sleep=replace(SPEC.sleep, grace_s=0))
        async with web.running(), db.running():
            visit = web.beside(web.visit())
            await asyncio.sleep(5)
            web.service.put_to_sleep("asked to sleep")
            await visit
            await fall((web, db))
            await rise((web, db))
            await asyncio.sleep(20)
            assert moments(db, "terminated")[0] >= moments(web, "exited")[0]

    run(main())


def test_a_gateway_that_came_back_starts_nothing_before_it_knows_that_the_need_is_still_there() -> None:
    """The record says awake; the replica has hung since, and that takes seconds to find out."""

    async def main() -> None:
        web, db = pair(Behaviour(listen_s=3), SOON)
        web.spec = web.service.spec = replace(web.spec, scale=replace(SPEC.scale, replicas_min=1))
        async with web.running(), db.running():
            await web.visit()
            await fall((web, db))
            web.workload.alive[0].die()
            db.workload.alive[0].hang()
            await rise((web, db))
            await asyncio.sleep(20)
            assert moments(web, "start called")[1] >= moments(db, "started")[1] + 1

    run(main())


def test_a_user_that_is_put_to_sleep_while_it_waits_for_its_need_wants_it_no_more() -> None:
    """Both would go on for ever without a pause: the need drains, as nobody uses it, and the wait cancels that."""

    async def main() -> None:
        web, db = pair(Behaviour(listen_s=9))
        async with web.running(), db.running():
            visit = web.beside(web.visit())
            await asyncio.sleep(5)
            web.service.put_to_sleep("asked to sleep")
            assert (await visit).endings == ["WakeFailedError"]
            await asyncio.sleep(60)
            assert (web.service.phase, db.service.phase) == (Phase.ASLEEP, Phase.ASLEEP)
            assert len(db.texts("awake")) == 0
            assert web.workload.history == []

    run(main())

"""A worker's life, as a process of its own between a keeper, clients and an app."""

import asyncio
import signal
from pathlib import Path

import pytest
from tests.local.workers.process import App, process
from tests.local.workers.world import address_of, cold, eventually, spec, warm

from wakegate.core.phase import Phase
from wakegate.local.lane import Target
from wakegate.local.workers.wire import Ask, Drain, Emptied, End, Finished, Leaving, Release

pytestmark = pytest.mark.anyio


async def test_warm_requests_need_no_word_of_the_keeper(tmp_path: Path) -> None:
    """They are the many; and the keeper may be busy, or gone."""
    async with App() as app, process(tmp_path) as worker:
        await worker.configure(warm(app.target))
        for _ in range(100):
            assert (await worker.get()).status_code == 200
        assert worker.line.messages == []
        assert (worker.row.in_flight, worker.row.requests, app.arrived) == (0, 100, 100)


async def test_after_its_acknowledgement_nothing_goes_ahead(tmp_path: Path) -> None:
    """What comes then is asked for: this is what makes it safe to stop an app."""
    async with App() as app, process(tmp_path) as worker, asyncio.TaskGroup() as tasks:
        await worker.configure(warm(app.target))
        await worker.get()
        heard = await worker.look(cold(app.target, phase=Phase.DRAINING))
        assert (heard.epochs, heard.busy) == ({"web": worker.epoch}, {})
        answer = tasks.create_task(worker.get("/a"))
        asked = await worker.line.next(Ask)
        assert (asked.path, app.arrived, worker.row.requests) == ("/a", 1, 1)
        release = Release(number=asked.number, address=address_of(app.target), was_held=True)
        worker.line.channel.send(release)
        assert "wake;dur=" in (await answer).headers["Server-Timing"]


async def test_what_is_in_flight_at_a_target_that_is_shut_is_told(tmp_path: Path) -> None:
    """And told again when it has ended."""
    async with App() as app, process(tmp_path) as worker, asyncio.TaskGroup() as tasks:
        await worker.configure(warm(app.target))
        answer = tasks.create_task(worker.get("/wait"))
        await eventually(lambda: app.arrived, "it is at the app")
        assert (await worker.look(cold())).busy == {app.target.serial: 1}
        app.go.set()
        assert (await worker.line.next(Emptied)).serial == app.target.serial
        assert (await answer).status_code == 200


async def test_without_a_keeper_what_is_warm_goes_on_and_the_rest_waits_for_the_next(tmp_path: Path) -> None:
    """The kill of a keeper must not be seen from outside."""
    async with App() as app, process(tmp_path) as worker, asyncio.TaskGroup() as tasks:
        await worker.configure(warm(app.target), services=(spec(), spec("asleep", path="/asleep")))
        await worker.look(warm(app.target))
        worker.line.messages.clear()
        await worker.leave()
        for _ in range(20):
            assert (await worker.get()).status_code == 200
        await worker.meet_again()
        again = Target(number=1, host=app.target.host, port=app.target.port)
        await worker.configure(cold(again), services=(spec(), spec("asleep", path="/asleep")))
        await worker.leave()
        waiting = tasks.create_task(worker.get("/asleep"))
        await worker.meet_again()
        await worker.configure(cold(again), services=(spec(), spec("asleep", path="/asleep")))
        asked = await worker.line.next(Ask)
        assert asked.service == "asleep"
        worker.line.channel.send(Release(number=asked.number, address=address_of(again), was_held=True))
        assert (await waiting).status_code == 200
        await eventually(lambda: any(isinstance(one, Finished) for one in worker.line.messages), "its end is told")


async def test_requests_that_a_dead_keeper_counted_are_on_the_board(tmp_path: Path) -> None:
    """The next one must not put the service to sleep under them."""
    async with App() as app, process(tmp_path) as worker, asyncio.TaskGroup() as tasks:
        await worker.configure(cold())
        answer = tasks.create_task(worker.get("/wait"))
        asked = await worker.line.next(Ask)
        worker.line.channel.send(Release(number=asked.number, address=address_of(app.target), was_held=True))
        await eventually(lambda: app.arrived, "it is at the app")
        assert worker.row.in_flight == 0
        await worker.leave()
        await eventually(lambda: worker.row.in_flight == 1, "the worker counts it")
        app.go.set()
        assert (await answer).status_code == 200
        await eventually(lambda: worker.row.in_flight == 0, "it has ended")


@pytest.mark.parametrize("how", ["told", signal.SIGTERM, signal.SIGINT])
async def test_one_that_drains_finishes_what_it_has_and_ends(tmp_path: Path, how: str | signal.Signals) -> None:
    """A new connection is for another worker, by the same socket."""
    async with App() as app, process(tmp_path) as worker, asyncio.TaskGroup() as tasks:
        await worker.configure(warm(app.target))
        answer = tasks.create_task(worker.get("/wait"))
        await eventually(lambda: app.arrived, "it is at the app")
        if isinstance(how, signal.Signals):
            worker.child.send_signal(how)
            await worker.line.next(Leaving)
        else:
            worker.line.channel.send(Drain())
        app.go.set()
        assert (await answer).status_code == 200
        assert await worker.ended() == 0


async def test_one_that_is_told_to_end_cuts_what_it_has(tmp_path: Path) -> None:
    """Its gateway has waited for long enough."""
    async with App() as app, process(tmp_path) as worker:
        await worker.configure(warm(app.target))
        reader, writer = await asyncio.open_connection("127.0.0.1", int(worker.url.rpartition(":")[2]))
        writer.write(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await eventually(lambda: app.arrived, "it is at the app")
        worker.line.channel.send(End())
        assert await reader.read() == b""
        assert await worker.ended() == 0
        writer.close()


async def test_a_service_that_is_not_known_any_more_is_not_found(tmp_path: Path) -> None:
    """And one that is new is, without a restart."""
    async with App() as app, process(tmp_path) as worker:
        await worker.configure(warm(app.target), services=(spec(path="/old"),))
        assert ((await worker.get("/old")).status_code, (await worker.get("/new")).status_code) == (200, 404)
        await worker.configure(warm(app.target), services=(spec("other", path="/new"),))
        assert ((await worker.get("/old")).status_code, (await worker.get("/new")).status_code) == (404, 200)

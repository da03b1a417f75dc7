"""One stream of events for all, a daemon that goes away and comes back, and errors that say what to do."""

import asyncio
import time
from pathlib import Path

import pytest
from tests.local.backend.docker.world import Forwarder, docker, owned, ready, stopped, world
from tests.local.backend.world import eventually

from wakegate.core.errors import WorkloadError
from wakegate.local.backend.docker.client import EngineDownError

pytestmark = pytest.mark.anyio


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forwarder:
    """A daemon that can be cut off; it is away at first."""
    forwarder = Forwarder(tmp_path / "docker.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{forwarder.path}")
    return forwarder


async def test_a_daemon_that_is_not_there_is_said_with_its_address(state_dir: Path, away: Forwarder) -> None:
    """The wake fails with it; the user sees at once that it is not the app."""
    async with world(state_dir) as here:
        with pytest.raises(EngineDownError, match=rf"Docker does not answer at unix://{away.path}: is it running\?"):
            await here.engine.client()


async def test_an_address_that_is_none_is_said(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error in DOCKER_HOST."""
    monkeypatch.setenv("DOCKER_HOST", "docker.example.com")
    async with world(state_dir) as here:
        with pytest.raises(WorkloadError, match=r"the address of Docker \(docker\.example\.com\) is of no use"):
            await here.engine.client()


async def test_a_daemon_that_comes_later_is_used(image: str, state_dir: Path, away: Forwarder) -> None:
    """A gateway may be started before Docker at boot: the next wake simply works."""
    async with world(state_dir) as here:
        app = here.workload(image)
        assert list(await app.adopt()) == []
        await away.begin()
        replica = await ready(await app.start(number=1))
        await stopped(replica)
        await here.engine.close()
        await away.end()


async def test_a_container_that_lives_through_the_daemons_absence_is_kept(
    image: str, state_dir: Path, away: Forwarder
) -> None:
    """With live-restore, apps serve on while Docker is upgraded; their end afterwards is noticed all the same."""
    await away.begin()
    async with world(state_dir) as here:
        replica = await ready(await here.workload(image).start(number=1))
        await away.end()
        await eventually(lambda: here.warnings)
        assert "what ran in it is looked at again when it answers" in here.warnings[0]
        assert await replica.answers()
        await away.begin()
        await eventually(lambda: here.engine.is_up)
        docker("kill", replica.facts.id)
        assert (await replica.exited()).status == 137
        await here.engine.close()
        await away.end()


async def test_what_happened_while_the_daemon_was_away_is_seen_when_it_is_back(
    image: str, state_dir: Path, away: Forwarder
) -> None:
    """No event tells of it any more: everyone looks once."""
    await away.begin()
    async with world(state_dir) as here:
        replica = await ready(await here.workload(image).start(number=1))
        await away.end()
        await eventually(lambda: not here.engine.is_up)
        docker("pause", replica.facts.id)
        paused_s = time.time()
        await eventually(lambda: time.time() > paused_s + 2)  # else the stream, asked from this second on, tells it
        assert not replica.is_paused
        await away.begin()
        await eventually(lambda: replica.is_paused)
        await stopped(replica)
        await here.engine.close()
        await away.end()


async def test_a_container_that_went_with_the_daemon_has_ended(image: str, state_dir: Path, away: Forwarder) -> None:
    """Without live-restore they end with it: requests must not wait for an app that is gone, nor for Docker."""
    await away.begin()
    async with world(state_dir) as here:
        replica = await ready(await here.workload(image).start(number=1))
        await away.end()
        docker("kill", replica.facts.id)
        end = await replica.exited()
        assert "it ended with Docker: Docker " in str(end)
        await away.begin()
        await here.engine.client()
        await here.engine.close()
        await away.end()


async def test_a_replica_that_cannot_be_reached_is_given_up_and_removed_later(
    image: str, state_dir: Path, away: Forwarder
) -> None:
    """A gateway that goes down must not hang on a daemon that does; the next start tidies up."""
    await away.begin()
    async with world(state_dir) as here:
        app = here.workload(image)
        replica = await ready(await app.start(number=1))
        await away.end()
        await eventually(lambda: not here.engine.is_up)
        replica.terminate()
        replica.kill()
        assert "it was given up: Docker does not answer" in str(await replica.exited())
        await away.begin()
        second = await app.start(number=1)
        await eventually(lambda: replica.facts.name not in owned(state_dir))
        await stopped(second)
        await here.engine.close()
        await away.end()


async def test_news_reach_everyone_who_watches(image: str, state_dir: Path) -> None:
    """A container may be a service of the gateway and something that another service waits for."""

    class Counts:
        def __init__(self) -> None:
            self.looks = 0

        async def look(self) -> None:
            self.looks += 1

        def engine_lost(self, _why: str, /) -> None:
            raise AssertionError

    async with world(state_dir) as here:
        replica = await ready(await here.workload(image).start(number=1))
        watcher = Counts()
        here.engine.watch(replica.facts.id, watcher)
        docker("pause", replica.facts.id)
        await eventually(lambda: watcher.looks and replica.is_paused)
        here.engine.unwatch(replica.facts.id, watcher)
        looks = watcher.looks
        docker("unpause", replica.facts.id)
        await eventually(lambda: not replica.is_paused)
        assert watcher.looks == looks
        await stopped(replica)


async def test_a_hundred_and_twenty_streams_at_once_leave_room_for_calls(image: str, state_dir: Path) -> None:
    """Each replica's log holds a connection: the client's own limit of 100 would stop the 101st service for ever."""
    async with world(state_dir) as here:
        replica = await ready(await here.workload(image).start(number=1))
        docker_client = await here.engine.client()
        container = docker_client.containers.container(replica.facts.id)

        async def read() -> None:
            async for _ in container.log(stdout=True, stderr=True, follow=True):
                pass

        async with asyncio.TaskGroup() as readers:
            reading = [readers.create_task(read()) for _ in range(120)]
            await asyncio.sleep(0)
            assert (await here.inspect(replica.facts.id)).is_running
            await stopped(replica)
        assert len(reading) == 120

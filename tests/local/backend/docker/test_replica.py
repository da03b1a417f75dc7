"""One container that runs: how it pauses, goes on, ends, and what is known of its end."""

from pathlib import Path

import pytest
from tests.local.backend.docker.world import SLEEPS, docker, ready, stopped, world
from tests.local.backend.world import eventually

from wakegate.core.errors import WorkloadError

pytestmark = pytest.mark.anyio


async def test_paused_it_is_frozen_and_goes_on_where_it_was(image: str, state_dir: Path) -> None:
    """Pausing is the fast way to sleep; both calls may come twice."""
    async with world(state_dir) as here:
        replica = await ready(await here.workload(image).start(number=1))
        await replica.pause()
        await replica.pause()
        assert replica.is_paused
        assert (await here.inspect(replica.facts.id)).is_paused
        await replica.resume()
        await replica.resume()
        assert not (await here.inspect(replica.facts.id)).is_paused
        assert await replica.answers()
        await stopped(replica)


async def test_somebody_elses_unpause_is_as_good_as_ours(image: str, state_dir: Path) -> None:
    """`docker unpause` by hand, and then a request."""
    async with world(state_dir) as here:
        replica = await ready(await here.workload(image).start(number=1))
        await replica.pause()
        docker("unpause", replica.facts.id)
        await replica.resume()
        assert await replica.answers()
        await stopped(replica)


async def test_a_paused_one_that_is_to_end_handles_its_stop_signal(image: str, state_dir: Path) -> None:
    """Frozen, it could not; and it must be able to save what it has."""
    async with world(state_dir) as here:
        replica = await ready(await here.workload(image).start(number=1))
        await replica.pause()
        replica.terminate()
        replica.terminate()
        end = await replica.exited()
        assert (end.status, end.log_tail) == (0, ("got SIGTERM",))


async def test_a_paused_one_is_killed_all_the_same(image: str, state_dir: Path) -> None:
    """The stop grace may be over while it is frozen."""
    async with world(state_dir) as here:
        replica = await ready(await here.workload(image).start(number=1))
        await replica.pause()
        replica.kill()
        assert (await replica.exited()).status == 137


async def test_one_that_is_gone_cannot_be_paused_or_resumed(image: str, state_dir: Path) -> None:
    """The fleet then starts a fresh one; a pause that is believed would hold requests for ever."""
    async with world(state_dir) as here:
        replica = await ready(await here.workload(image).start(number=1))
        await replica.pause()
        docker("rm", "--force", replica.facts.id)
        with pytest.raises(WorkloadError):
            await replica.resume()
        assert not replica.is_paused
        with pytest.raises(WorkloadError):
            await replica.pause()
        assert not replica.is_paused


async def test_a_container_that_somebody_removes_is_gone(image: str, state_dir: Path) -> None:
    """`docker rm --force` by hand."""
    async with world(state_dir) as here:
        replica = await ready(await here.workload(image).start(number=1))
        docker("rm", "--force", replica.facts.id)
        end = await replica.exited()
        assert end.status == 137 or "its container was removed" in str(end)


async def test_the_images_own_stop_signal_is_sent(image: str, state_dir: Path) -> None:
    """nginx finishes its requests on SIGQUIT and drops them on SIGTERM."""
    folder = state_dir / "app"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {image}\nSTOPSIGNAL SIGUSR1\n")
    docker("build", "--quiet", "--tag", f"{image}-usr1", str(folder))
    command = ("sh", "-c", "trap 'echo got SIGUSR1; exit 7' USR1; busybox httpd -f -p {port} & wait")
    try:
        async with world(state_dir) as here:
            replica = await ready(await here.workload(f"{image}-usr1", command=command).start(number=1))
            replica.terminate()
            end = await replica.exited()
            assert (end.status, end.log_tail) == (7, ("got SIGUSR1",))
    finally:
        docker("rmi", "--force", f"{image}-usr1")


async def test_its_process_is_known_where_this_machine_runs_it(image: str, state_dir: Path) -> None:
    """The dashboard and the meter read its memory by it."""
    async with world(state_dir) as here:
        replica = await here.workload(image, command=SLEEPS).start(number=1)
        assert replica.pid == replica.facts.pid > 0
        kept = await replica.give_back()
        assert kept.before_bytes > 0
        await stopped(replica)


async def test_a_paused_one_is_adopted_as_paused(image: str, state_dir: Path) -> None:
    """A gateway that was killed while its service slept must not find it awake."""
    async with world(state_dir) as here:
        left = await ready(await here.workload(image).start(number=1))
        await left.pause()
    async with world(state_dir) as here:
        [replica] = await here.workload(image).adopt()
        assert replica.is_paused
        await replica.resume()
        await ready(replica)
        await stopped(replica)


async def test_what_it_writes_is_in_the_log_across_gateways(image: str, state_dir: Path) -> None:
    """Each line once: what it wrote while no gateway was there, too."""
    command = (
        "sh", "-c",
        "trap 'exit 0' TERM; n=0; while n=$((n+1)); do echo $n; busybox sleep 0.05 & wait $!; done"
    )  # fmt: skip
    async with world(state_dir) as here:
        app = here.workload(image, command=command)
        await app.start(number=1)
        await eventually(lambda: app.log_tail(lines=1) >= ("3",))
    async with world(state_dir) as here:
        app = here.workload(image, command=command)
        [replica] = await app.adopt()
        seen = int(app.log_tail(lines=1)[0])
        await eventually(lambda: int(app.log_tail(lines=1)[0]) > seen + 5)
        numbers = [int(line) for line in app.log_tail(lines=1000)]
        assert numbers == list(range(1, len(numbers) + 1))
        await stopped(replica)

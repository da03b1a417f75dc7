"""A service whose containers are ours: how they start, what they get, and that nothing of them is left."""

import asyncio
from pathlib import Path

import pytest
from tests.local.backend.docker.world import HTTP, docker, exists, owned, ready, stopped, world
from tests.local.backend.world import eventually

from wakegate.core.errors import WorkloadError
from wakegate.core.spec import WakeSpec

pytestmark = pytest.mark.anyio


async def test_a_container_answers_once_its_app_listens_and_is_removed_when_it_has_ended(
    image: str, state_dir: Path
) -> None:
    """The whole life of a replica: started, ready, asked to end, gone, and no trace of it in `docker ps --all`."""
    async with world(state_dir) as here:
        replica = await here.workload(image).start(number=1)
        await ready(replica)
        assert exists(replica.facts.name)
        assert (await stopped(replica)).startswith("exited with status 0 after")
        assert not await replica.answers()
    assert owned(state_dir) == []


async def test_no_connection_is_taken_for_an_app_that_does_not_listen(image: str, state_dir: Path) -> None:
    """Docker's forwarder accepts on the published port before the app does: a request would be lost on it."""
    gate = state_dir / "gate"
    waits = "until [ -e /gate/gate ]; do busybox sleep 0.01; done; exec busybox httpd -f -p 8000"
    async with world(state_dir) as here:
        app = here.workload(image, command=("sh", "-c", waits), volumes=(f"{state_dir}:/gate",))
        replica = await app.start(number=1)
        assert not await replica.answers()
        gate.touch()
        await ready(replica)
        replica.kill()
        await replica.exited()


async def test_it_gets_what_the_configuration_says(image: str, state_dir: Path) -> None:
    """Environment, port, labels, limits and user are why people write more than an image's name."""
    show = "echo $PORT $URL $NAME; busybox id -u"
    async with world(state_dir) as here:
        app = here.workload(
            image,
            command=(*("sh", "-c", f"{show}; exec busybox httpd -f -p {{port}}"),),
            port=8123,
            env=(("URL", "http://x:{port}"), ("NAME", "a b")),
            labels=(("team", "shop"), ("wakegate.service", "other")),
            memory_bytes=32 * 2**20,
            cpus=0.5,
            user="1234",
        )
        replica = await ready(await app.start(number=1))
        await eventually(lambda: app.log_tail(lines=2) == ("8123 http://x:8123 a b", "1234"))
        said = docker("inspect", "--format", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}", replica.facts.id)
        assert said == f"{32 * 2**20} 500000000"
        assert replica.facts.labels["team"] == "shop"
        assert replica.facts.labels["wakegate.service"] == "web"
        replica.kill()
        await replica.exited()


async def test_the_published_port_is_of_this_machine_only(image: str, state_dir: Path) -> None:
    """An app that sleeps behind the gateway must not be reached around it from another machine."""
    async with world(state_dir) as here:
        replica = await ready(await here.workload(image).start(number=1))
        assert docker("port", replica.facts.id).startswith("8000/tcp -> 127.0.0.1:")
        await stopped(replica)


async def test_several_replicas_run_at_once(image: str, state_dir: Path) -> None:
    """Scaling out needs an address for each."""
    async with world(state_dir) as here:
        app = here.workload(image)
        replicas = await asyncio.gather(*(app.start(number=number) for number in (1, 2)))
        for replica in replicas:
            await ready(replica)
        assert len({(replica.host, replica.port) for replica in replicas}) == 2
        for replica in replicas:
            await stopped(replica)
    assert owned(state_dir) == []


async def test_an_app_that_ends_at_once_says_why(image: str, state_dir: Path) -> None:
    """The last lines of the app are the only thing that helps whoever waits."""
    async with world(state_dir) as here:
        app = here.workload(image, command=("sh", "-c", "echo no database; exit 3"))
        try:
            replica = await app.start(number=1)
        except WorkloadError as error:
            said, lines = str(error), error.log_tail
        else:
            end = await replica.exited()
            said, lines = str(end), end.log_tail
        assert said.startswith("exited with status 3 after")
        assert lines == ("no database",)
    assert owned(state_dir) == []


async def test_a_command_that_is_not_in_the_image_is_said(image: str, state_dir: Path) -> None:
    """The daemon's own words name it; nothing of the attempt is left."""
    async with world(state_dir) as here:
        with pytest.raises(WorkloadError, match=r"the container cannot be started: .*no-such-user"):
            await here.workload(image, user="no-such-user").start(number=1)
    assert owned(state_dir) == []


async def test_a_network_that_does_not_exist_is_said_with_what_to_do(image: str, state_dir: Path) -> None:
    """The daemon says "404"; the user needs the command."""
    async with world(state_dir) as here:
        with pytest.raises(WorkloadError, match='no network "wakegate-nowhere"; run: docker network create'):
            await here.workload(image, network="wakegate-nowhere").start(number=1)
    assert owned(state_dir) == []


async def test_it_is_reached_in_the_network_that_the_user_names(image: str, state_dir: Path) -> None:
    """Next to its database, by its address there, and published nowhere."""
    network = docker("network", "create", f"{image}-net") and f"{image}-net"
    try:
        async with world(state_dir) as here:
            replica = await ready(await here.workload(image, network=network).start(number=1))
            assert replica.host == replica.facts.address_in(network)
            assert (replica.port, replica.facts.published) == (8000, ())
            await stopped(replica)
    finally:
        docker("network", "rm", network)


async def test_want_of_memory_is_named(image: str, state_dir: Path) -> None:
    """Status 137 tells nobody that the limit is too low."""
    eats = "busybox tail /dev/zero"
    async with world(state_dir) as here:
        app = here.workload(image, command=("sh", "-c", f"busybox sleep 0.3; {eats}"), memory_bytes=8 * 2**20)
        replica = await app.start(number=1)
        end = await replica.exited()
        assert end.oom
        assert str(end).startswith("ran out of memory and was killed after")


async def test_the_next_gateway_takes_over_what_a_killed_one_left(image: str, state_dir: Path) -> None:
    """A container outlives its gateway; it goes on serving, and what it wrote meanwhile is in the log."""
    async with world(state_dir) as here:
        left = await ready(await here.workload(image).start(number=2))
    assert exists(left.facts.name)
    async with world(state_dir) as here:
        [replica] = await here.workload(image).adopt()
        assert (replica.number, replica.facts.id, replica.host) == (2, left.facts.id, left.host)
        assert await replica.answers()
        await stopped(replica)
        await eventually(lambda: not exists(left.facts.name))


async def test_what_no_longer_fits_is_stopped_and_removed(image: str, state_dir: Path) -> None:
    """After a change of the configuration an old container would answer with the old app."""
    async with world(state_dir) as here:
        left = await here.workload(image).start(number=1)
    async with world(state_dir) as here:
        assert list(await here.workload(image, env=(("NEW", "1"),)).adopt()) == []
        await eventually(lambda: not exists(left.facts.name))


async def test_containers_of_another_gateway_are_never_touched(image: str, state_dir: Path, tmp_path: Path) -> None:
    """Two gateways with a service of the same name may share a daemon."""
    other = tmp_path / "other"
    other.mkdir()
    async with world(state_dir) as here, world(other) as there:
        replica = await here.workload(image).start(number=1)
        assert list(await there.workload(image).adopt()) == []
        theirs = await there.workload(image).start(number=1)
        await stopped(theirs)
        assert exists(replica.facts.name)
        await stopped(replica)


async def test_a_container_that_ends_while_nobody_asked_is_noticed_at_once(image: str, state_dir: Path) -> None:
    """`docker kill` by hand, a crash: the service must wake again, so it has to hear of it; nothing polls."""
    async with world(state_dir) as here:
        replica = await ready(await here.workload(image).start(number=1))
        docker("kill", replica.facts.id)
        assert (await replica.exited()).status == 137


async def test_the_container_for_the_next_wake_is_created_ahead(image: str, state_dir: Path) -> None:
    """A wake then only starts it; it is never one of another image or number, and goes with the gateway."""
    async with world(state_dir) as here:
        app = here.workload(image)
        await app.adopt()
        [spare] = owned(state_dir)
        replica = await app.start(number=1)
        assert replica.facts.name == spare
        await ready(replica)
        await stopped(replica)
        await eventually(lambda: len(owned(state_dir)) == 1 and owned(state_dir) != [spare])
    assert owned(state_dir) == []


async def test_a_spare_that_somebody_removed_is_not_missed(image: str, state_dir: Path) -> None:
    """`docker container prune` takes it: the wake makes another."""
    async with world(state_dir) as here:
        app = here.workload(image)
        await app.adopt()
        docker("rm", *owned(state_dir))
        replica = await ready(await app.start(number=1))
        await stopped(replica)


async def test_a_start_that_is_given_up_leaves_nothing(image: str, state_dir: Path) -> None:
    """The wake timeout may pass between any two calls."""
    async with world(state_dir) as here:
        app = here.workload(image)
        start = asyncio.ensure_future(app.start(number=1))
        await eventually(lambda: owned(state_dir))
        start.cancel()
        await asyncio.wait({start})
        if not start.cancelled():
            await stopped(start.result())
    assert owned(state_dir) == []


async def test_a_health_check_is_what_ready_means(image: str, state_dir: Path) -> None:
    """The check is run at once, not after Docker's interval of 30 seconds, and must pass."""
    folder = state_dir / "app"
    folder.mkdir()
    (folder / "Dockerfile").write_text(
        f"FROM {image}\nHEALTHCHECK --interval=1h CMD busybox test -e /gate/gate\nEXPOSE 8000\n"
    )
    name = f"{image}-checked"
    docker("build", "--quiet", "--tag", name, str(folder))
    try:
        async with world(state_dir) as here:
            app = here.workload(name, command=HTTP, port=0, volumes=(f"{state_dir}:/gate",), wake=WakeSpec())
            replica = await app.start(number=1)
            assert replica.port == 8000
            await eventually(lambda: replica.facts.check)
            assert not await replica.answers()
            (state_dir / "gate").touch()
            await ready(replica)
            replica.kill()
            await replica.exited()
    finally:
        docker("rmi", "--force", name)


async def test_anonymous_volumes_go_with_their_container(image: str, state_dir: Path) -> None:
    """Each wake would leave one behind: a disk fills up with them."""
    async with world(state_dir) as here:
        replica = await ready(await here.workload(image, volumes=("/data",)).start(number=1))
        volume = docker("inspect", "--format", "{{(index .Mounts 0).Name}}", replica.facts.id)
        assert volume in docker("volume", "ls", "--quiet")
        await stopped(replica)
    assert volume not in docker("volume", "ls", "--quiet")

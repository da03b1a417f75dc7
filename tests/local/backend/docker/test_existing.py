"""A container that somebody else made: started and stopped by its name, and otherwise left as it is."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.local.backend.docker.world import POLITE, World, docker, exists, ready, stopped, world

from wakegate.core.errors import WorkloadError
from wakegate.core.spec import ContainerSpec
from wakegate.local.backend.docker.existing import ExistingWorkload, NamedContainer

pytestmark = pytest.mark.anyio
COMMAND = tuple(part.replace("{port}", "8000") for part in POLITE)


@pytest.fixture
def name(image: str) -> Iterator[str]:
    """A container that exists and does not run."""
    name = f"wakegate-test-{uuid.uuid4().hex[:12]}"
    docker("create", "--name", name, "--expose", "8000", image, *COMMAND)
    yield name
    docker("rm", "--force", "--volumes", name)


def _workload(here: World, name: str, *, port: int = 0) -> ExistingWorkload:
    spec = ContainerSpec(name=name, port=port)
    found = NamedContainer(name, engine=here.engine)
    return ExistingWorkload(spec, found=found, engine=here.engine, roster=here.roster(spec), tell=here.told)


async def test_it_is_started_and_stopped_and_never_removed(name: str, state_dir: Path) -> None:
    """It has its owner's data, and a name that others go by."""
    async with world(state_dir) as here:
        app = _workload(here, name)
        replica = await ready(await app.start(number=1))
        assert replica.port == 8000
        end = await stopped(replica)
        assert end.startswith("exited with status 0")
    assert exists(name)
    assert docker("inspect", "--format", "{{.State.Running}}", name) == "false"


async def test_each_run_has_its_own_last_lines(name: str, state_dir: Path) -> None:
    """The container's log goes back to its first run: an old error must not explain a new one."""
    async with world(state_dir) as here:
        app = _workload(here, name)
        for _ in range(2):
            replica = await ready(await app.start(number=1))
            replica.terminate()
            assert (await replica.exited()).log_tail == ("got SIGTERM",)
        assert app.log_tail(lines=10) == ("got SIGTERM", "got SIGTERM")


async def test_a_wake_waits_for_the_run_that_still_ends(name: str, state_dir: Path) -> None:
    """There is one container: it cannot start before it has stopped."""
    async with world(state_dir) as here:
        app = _workload(here, name)
        assert app.replicas_max == 1
        first = await ready(await app.start(number=1))
        first.terminate()
        second = await ready(await app.start(number=2))
        assert second.facts.started_at != first.facts.started_at
        await stopped(second)


async def test_one_that_runs_already_is_taken_as_it_runs(name: str, state_dir: Path) -> None:
    """`docker start` by hand, before the gateway or before the wake."""
    docker("start", name)
    async with world(state_dir) as here:
        [replica] = await _workload(here, name).adopt()
        await ready(replica)
        docker("stop", name)
        assert (await replica.exited()).status == 0
        docker("start", name)
        again = await ready(await _workload(here, name).start(number=1))
        await stopped(again)


async def test_one_that_is_paused_goes_on(name: str, state_dir: Path) -> None:
    """Paused by hand: a start would be refused by Docker."""
    docker("start", name)
    docker("pause", name)
    async with world(state_dir) as here:
        replica = await ready(await _workload(here, name).start(number=1))
        await stopped(replica)


async def test_a_restart_policy_is_warned_of_once(name: str, state_dir: Path) -> None:
    """Docker would start it at every boot, without a request."""
    docker("update", "--restart=always", name)
    async with world(state_dir) as here:
        app = _workload(here, name)
        for _ in range(2):
            await stopped(await ready(await app.start(number=1)))
        [warning] = here.told.of("warning")
        assert f"run: docker update --restart=no {name}" in warning


async def test_a_name_that_is_none_is_said(image: str, state_dir: Path) -> None:
    """A typing error."""
    async with world(state_dir) as here:
        with pytest.raises(WorkloadError, match='there is no container "wakegate-nowhere"'):
            await _workload(here, "wakegate-nowhere").start(number=1)


async def test_one_that_cannot_start_says_why_and_stays(image: str, state_dir: Path) -> None:
    """Its owner wants to look at it."""
    name = f"wakegate-test-{uuid.uuid4().hex[:12]}"
    docker("create", "--name", name, "--user", "no-such-user", "--expose", "80", image, *COMMAND)
    try:
        async with world(state_dir) as here:
            with pytest.raises(WorkloadError, match=f'container "{name}" cannot be started: '):
                await _workload(here, name).start(number=1)
        assert exists(name)
    finally:
        docker("rm", "--force", name)


async def test_ports_that_cannot_be_guessed_are_asked_for(image: str, state_dir: Path) -> None:
    """Several are exposed: the gateway must not send requests to the wrong one."""
    name = f"wakegate-test-{uuid.uuid4().hex[:12]}"
    docker("run", "--detach", "--name", name, "--expose", "80", "--expose", "81", image, *COMMAND)
    try:
        async with world(state_dir) as here:
            with pytest.raises(WorkloadError, match=f'container "{name}" exposes 80, 81: say which'):
                await _workload(here, name).start(number=1)
            replica = await ready(await _workload(here, name, port=8000).start(number=1))
            await stopped(replica)
    finally:
        docker("rm", "--force", name)

"""What a gateway has of Docker: a workload for each way to name a container, and one meter for everything."""

import sys
from pathlib import Path

import pytest
from tests.local.backend.docker.conftest import image  # noqa: F401  the fixture: made once, where it is first used
from tests.local.backend.docker.world import POLITE, containers, owned, ready, service
from tests.local.backend.world import PYTHON, eventually, workload

from wakegate.core.errors import StateError
from wakegate.core.spec import ComposeStep, ContainerSpec
from wakegate.local.backend.docker.existing import ExistingWorkload
from wakegate.local.backend.docker.replica import ContainerReplica
from wakegate.local.backend.docker.workload import ContainerWorkload

pytestmark = pytest.mark.anyio


async def test_each_way_to_name_a_container_has_its_workload(state_dir: Path) -> None:
    """Ours are made and removed; others are not. Docker is not asked before one starts: it need not run."""
    steps = (ComposeStep(service="web"),)
    composed = ContainerSpec(compose="/c.yaml", compose_project="shop", compose_service="web", compose_steps=steps)
    async with containers(state_dir) as made:
        for run, kind in (
            (ContainerSpec(image="nginx"), ContainerWorkload),
            (ContainerSpec(build="/app"), ContainerWorkload),
            (ContainerSpec(name="db"), ExistingWorkload),
            (composed, ExistingWorkload),
        ):
            found = made.workload(service(run), run, tell=lambda _, __: None)
            assert type(found) is kind


async def test_without_the_extra_it_is_said_what_to_install(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base has no Docker client: most users run processes."""
    monkeypatch.setitem(sys.modules, "aiodocker", None)
    monkeypatch.delitem(sys.modules, "wakegate.local.backend.docker.engine", raising=False)
    run = ContainerSpec(image="nginx")
    async with containers(state_dir) as made:
        with pytest.raises(StateError, match=r"aiodocker is missing: pip install 'wakegate\[docker\]'"):
            made.workload(service(run), run, tell=lambda _, __: None)


async def test_processes_and_containers_are_measured_alike(image: str, state_dir: Path) -> None:  # noqa: F811  the fixture
    """Scaling asks one meter, whatever a service is, also after a reload that has changed it."""
    run = ContainerSpec(image=image, port=8000, command=POLITE)
    async with containers(state_dir) as made:
        replica = await made.workload(service(run), run, tell=lambda _, __: None).start(number=1)
        assert isinstance(replica, ContainerReplica)
        await ready(replica)
        process = await workload(state_dir, *PYTHON, "import time; time.sleep(60)").start(number=1)
        for one in (replica, process):
            assert await made.usage(one) is None
            usage = await made.usage(one)
            assert usage is not None
            assert usage.memory_bytes > 0
            one.kill()
            await one.exited()


async def test_a_state_directory_without_containers_asks_no_docker(state_dir: Path) -> None:
    """`wakegate up -- COMMAND` on a machine without Docker."""
    async with containers(state_dir) as made:
        assert await made.end_leftovers([]) == []


async def test_what_is_no_longer_a_container_is_ended(image: str, state_dir: Path) -> None:  # noqa: F811  the fixture
    """The service became a process, or is gone."""
    run = ContainerSpec(image=image, port=8000, command=POLITE)
    async with containers(state_dir) as made:
        replica = await made.workload(service(run), run, tell=lambda _, __: None).start(number=1)
        assert isinstance(replica, ContainerReplica)
        await ready(replica)
    async with containers(state_dir) as made:
        assert await made.end_leftovers([service(run)]) == []
        [line] = await made.end_leftovers([])
        assert line.startswith("web replica 1 (container wakegate-web-1-")
        await eventually(lambda: owned(state_dir) == [])

"""The image of a service: pulled from a registry of this machine, or built from a folder, and told as it goes."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.local.backend.docker.world import World, docker, world
from tests.local.backend.world import eventually
from tests.registry import registry as run_registry

from wakegate.core.errors import WorkloadError
from wakegate.core.spec import ContainerSpec
from wakegate.local.backend.docker.image import Image

pytestmark = pytest.mark.anyio
OWNER = uuid.uuid4().hex[:12]  # one a process: tests of several run beside each other


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Yield the address of a registry that runs as long as the test."""
    with run_registry(tmp_path) as address:
        yield address


def _image(here: World, *, image: str = "", build: str = "") -> Image:
    spec = ContainerSpec(image=image, build=build)
    return Image("web", spec, engine=here.engine, owner=OWNER, tell=here.told)


async def test_a_missing_image_is_pulled_once(image: str, registry: str, state_dir: Path) -> None:
    """Two replicas that start at once wait for one pull; the second wake asks no registry."""
    name = f"{registry}/{image}:1"
    docker("tag", image, name)
    docker("push", "--quiet", name)
    docker("rmi", name)
    try:
        async with world(state_dir) as here:
            made = _image(here, image=name)
            assert await made.here() is None
            first, second = await asyncio.gather(made.ready(timeout_s=60), made.ready(timeout_s=60))
            assert first["Id"] == second["Id"]
            assert here.told.of("pulling") == [f"pulling {name}"]
            [pulled] = here.told.of("pulled")
            assert pulled.startswith(f"pulled {name} in ")
            await made.ready(timeout_s=60)
            assert len(here.told.of("pulling")) == 1
    finally:
        docker("rmi", name)


async def test_an_image_that_is_nowhere_is_said(image: str, registry: str, state_dir: Path) -> None:
    """A typing error in its name; the next wake tries again."""
    async with world(state_dir) as here:
        made = _image(here, image=f"{registry}/nowhere:1")
        for _ in range(2):
            with pytest.raises(WorkloadError, match=r"nowhere:1 could not be pulled: .*; is the name right"):
                await made.ready(timeout_s=60)
        assert len(here.told.of("pulling")) == 2


async def test_a_folder_is_built_once_and_again_in_the_next_gateway(image: str, state_dir: Path) -> None:
    """What has changed meanwhile is in it, and the image that it replaced is gone."""
    folder = state_dir / "app"
    folder.mkdir()
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(f"FROM {image}\nCOPY text /text\n")
    name = ""
    try:
        ids = []
        for text in ("one", "two"):
            (folder / "text").write_text(text)
            async with world(state_dir) as here:
                made = _image(here, build=str(folder))
                name = made.name
                assert await made.here() is None
                ids.append((await made.ready(timeout_s=60))["Id"])
                assert (await made.ready(timeout_s=60))["Id"] == ids[-1]
                assert here.told.of("building") == [f"building {folder}"]
                assert len(here.told.of("built")) == 1
                assert here.told.of("progress")[0].startswith("step 1 of 2: FROM")
        assert docker("run", "--rm", name, "cat", "/text") == "two"
        assert ids[0] not in docker("images", "--all", "--no-trunc", "--quiet")
    finally:
        docker("rmi", "--force", name)


async def test_a_build_that_fails_shows_its_last_lines(image: str, state_dir: Path) -> None:
    """The step that failed and what it said: the same as in a terminal."""
    folder = state_dir / "app"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f'FROM {image}\nRUN ["/bin/sh", "-c", "echo no such package; exit 9"]\n')
    async with world(state_dir) as here:
        with pytest.raises(WorkloadError, match=r"building .*/app failed: .*returned a non-zero code: 9") as failed:
            await _image(here, build=str(folder)).ready(timeout_s=60)
        assert "no such package" in failed.value.log_tail


async def test_a_wake_that_gives_up_leaves_the_work_going_on(image: str, state_dir: Path) -> None:
    """A large image takes longer than a wake may: the next request finds it further, not at the beginning."""
    folder = state_dir / "app"
    folder.mkdir()
    gate = 'RUN ["/bin/sh", "-c", "busybox sleep 1"]\n'
    (folder / "Dockerfile").write_text(f"FROM {image}\n{gate}")
    name = ""
    try:
        async with world(state_dir) as here:
            made = _image(here, build=str(folder))
            name = made.name
            with pytest.raises(WorkloadError, match=r"still building .*/app after .*; it goes on"):
                await made.ready(timeout_s=0.01)
            await eventually(lambda: here.told.of("built"))
            await made.ready(timeout_s=60)
            assert len(here.told.of("building")) == 1
    finally:
        docker("rmi", "--force", name)

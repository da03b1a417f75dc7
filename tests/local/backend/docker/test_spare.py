"""The container for the next wake: at most one, only for who fits, and none once it is closed."""

from pathlib import Path

import pytest
from tests.local.backend.docker.world import World, docker, exists, world
from tests.local.backend.world import eventually

from wakegate.core.errors import WorkloadError
from wakegate.local.backend.docker.spare import Spare

pytestmark = pytest.mark.anyio


def _spare(here: World, image: str) -> Spare:
    async def make() -> tuple[str, str] | None:
        return docker("create", image, "true"), "sha256:1"

    return Spare("web", engine=here.engine, make=make)


async def test_it_is_taken_once(image: str, state_dir: Path) -> None:
    """By whoever starts the first replica; the others create their own."""
    async with world(state_dir) as here:
        spare = _spare(here, image)
        await spare.refill()
        await spare.refill()
        assert spare.take(number=2, image="sha256:1") is None
        container = spare.take(number=1, image="sha256:1")
        assert container is not None
        assert spare.take(number=1, image="sha256:1") is None
        docker("rm", container)


async def test_one_of_another_image_is_removed(image: str, state_dir: Path) -> None:
    """A pull or a build has made a newer one: the wake must get that."""
    async with world(state_dir) as here:
        made: list[str] = []

        async def make() -> tuple[str, str] | None:
            made.append(docker("create", image, "true"))
            return made[0], "sha256:old"

        spare = Spare("web", engine=here.engine, make=make)
        await spare.refill()
        assert spare.take(number=1, image="sha256:new") is None
        await eventually(lambda: not exists(made[0]))


async def test_a_newer_one_of_the_service_takes_its_place(image: str, state_dir: Path) -> None:
    """After a reload, the old workload's spare would start the old app; and the old one makes no more."""
    async with world(state_dir) as here:
        old = _spare(here, image)
        await old.refill()
        _spare(here, image)
        assert old.take(number=1, image="sha256:1") is None
        await old.refill()
        assert old.take(number=1, image="sha256:1") is None


async def test_a_daemon_that_refuses_is_asked_again_when_it_is_needed(state_dir: Path) -> None:
    """Nothing waits for the spare, so nothing is said."""

    async def make() -> tuple[str, str] | None:
        raise WorkloadError("no space left")

    async with world(state_dir) as here:
        spare = Spare("web", engine=here.engine, make=make)
        await spare.refill()
        assert spare.take(number=1, image="sha256:1") is None

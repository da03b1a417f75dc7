"""A service of a Compose project: what it needs starts before it, and stops after it unless somebody else needs it."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.local.backend.docker.world import POLITE, SLEEPS, World, docker, ready, remove_containers, stopped, world
from tests.local.backend.world import eventually

from wakegate.core.errors import WorkloadError
from wakegate.core.spec import ComposeStep, ContainerSpec
from wakegate.local.backend.docker.compose import ComposedContainer, Project
from wakegate.local.backend.docker.existing import ExistingWorkload

pytestmark = pytest.mark.anyio
SERVE = tuple(part.replace("{port}", "8000") for part in POLITE)


class Shop:
    """A project as `docker compose create` leaves it."""

    def __init__(self, image: str) -> None:
        self.name = f"wgtest{uuid.uuid4().hex[:10]}"
        self._image = image

    def create(self, service: str, *command: str, options: tuple[str, ...] = ()) -> None:
        """Create the container of a service."""
        labels = (
            "--label",
            f"com.docker.compose.project={self.name}",
            "--label",
            f"com.docker.compose.service={service}",
        )
        name = ("--name", f"{self.name}-{service}")
        docker(
            "create",
            *name,
            *labels,
            "--label",
            "com.docker.compose.container-number=1",
            *options,
            self._image,
            *command,
        )

    def runs(self, service: str) -> bool:
        """Say whether a service runs."""
        return docker("inspect", "--format", "{{.State.Running}}", f"{self.name}-{service}") == "true"

    def spec(self, *steps: ComposeStep) -> ContainerSpec:
        """Return the specification of a service, the last of these steps."""
        return ContainerSpec(
            compose="/srv/shop/compose.yaml",
            compose_project=self.name,
            compose_service=steps[-1].service,
            compose_steps=steps,
            port=8000,
        )


@pytest.fixture
def shop(image: str) -> Iterator[Shop]:
    """A project; its containers are removed at the end."""
    shop = Shop(image)
    yield shop
    remove_containers(f"name={shop.name}")


def _workload(here: World, spec: ContainerSpec, project: Project) -> ExistingWorkload:
    found = ComposedContainer(spec, project=project, engine=here.engine, tell=here.told)
    roster = here.roster(spec, service=spec.compose_service)
    return ExistingWorkload(spec, found=found, engine=here.engine, roster=roster, tell=here.told)


DB = ComposeStep(service="db", users=("web", "admin"))
WEB = ComposeStep(service="web")
ADMIN = ComposeStep(service="admin")


async def test_what_it_needs_is_started_before_and_stopped_after(shop: Shop, state_dir: Path) -> None:
    """The whole group sleeps, and wakes in order."""
    shop.create("db", *SLEEPS)
    shop.create("web", *SERVE)
    async with world(state_dir) as here:
        app = _workload(here, shop.spec(DB, WEB), Project())
        replica = await ready(await app.start(number=1))
        assert shop.runs("db")
        assert here.told.of("starting-needed") == ["starting db"]
        await stopped(replica)
        await eventually(lambda: not shop.runs("db"))


async def test_what_two_need_is_stopped_by_the_last(shop: Shop, state_dir: Path) -> None:
    """A database under another app must not go away."""
    shop.create("db", *SLEEPS)
    shop.create("web", *SERVE)
    shop.create("admin", *SERVE)
    async with world(state_dir) as here:
        project = Project()
        web = await ready(await _workload(here, shop.spec(DB, WEB), project).start(number=1))
        admin = await ready(await _workload(here, shop.spec(DB, ADMIN), project).start(number=1))
        await stopped(web)
    assert shop.runs("db")
    async with world(state_dir) as here:
        [admin] = await _workload(here, shop.spec(DB, ADMIN), Project()).adopt()
        await stopped(admin)
        await eventually(lambda: not shop.runs("db"))


async def test_a_service_that_others_need_runs_on_when_it_is_put_to_sleep(shop: Shop, state_dir: Path) -> None:
    """It is a service of the gateway itself, and idle; but web would lose it. It is not paused either."""
    shop.create("db", *SERVE)
    shop.create("web", *SERVE)
    async with world(state_dir) as here:
        project = Project()
        web = await ready(await _workload(here, shop.spec(DB, WEB), project).start(number=1))
        db = await ready(await _workload(here, shop.spec(DB), project).start(number=1))
        with pytest.raises(WorkloadError, match="it runs on for what depends on it"):
            await db.pause()
        assert "it runs on for what depends on it" in await stopped(db)
        assert shop.runs("db")
        await stopped(web)
        await eventually(lambda: not shop.runs("db"))


async def test_it_waits_until_what_it_needs_is_healthy(shop: Shop, state_dir: Path) -> None:
    """A database that runs is not one that answers."""
    gate = state_dir / "gate"
    check = ("--health-cmd", "busybox test -e /gate/gate", "--health-interval", "100ms", "--health-retries", "100")
    shop.create("db", *SLEEPS, options=(*check, "--volume", f"{state_dir}:/gate"))
    shop.create("web", *SERVE)
    async with world(state_dir) as here:
        app = _workload(here, shop.spec(ComposeStep(service="db", until="healthy", users=("web",)), WEB), Project())
        start = asyncio.ensure_future(app.start(number=1))
        await eventually(lambda: shop.runs("db"))
        assert not shop.runs("web")
        gate.touch()
        await stopped(await ready(await start))


async def test_what_must_complete_first_and_fails_fails_the_wake(shop: Shop, state_dir: Path) -> None:
    """A migration that did not run: the app would meet the wrong tables."""
    shop.create("migrate", "sh", "-c", "exit 3")
    shop.create("web", *SERVE)
    step = ComposeStep(service="migrate", until="completed", users=("web",))
    async with world(state_dir) as here:
        with pytest.raises(WorkloadError, match="migrate, which must complete first, exited with status 3"):
            await _workload(here, shop.spec(step, WEB), Project()).start(number=1)
        assert not shop.runs("web")


async def test_a_service_without_a_container_is_said_with_what_to_do(shop: Shop, state_dir: Path) -> None:
    """The project was never created; one that is not required is left out."""
    shop.create("web", *SERVE)
    spare = ComposeStep(service="cache", is_required=False, users=("web",))
    async with world(state_dir) as here:
        with pytest.raises(
            WorkloadError, match=r'service "db" of project .* run: docker compose -f /srv/shop/compose\.yaml create'
        ):
            await _workload(here, shop.spec(DB, WEB), Project()).start(number=1)
        await stopped(await ready(await _workload(here, shop.spec(spare, WEB), Project()).start(number=1)))

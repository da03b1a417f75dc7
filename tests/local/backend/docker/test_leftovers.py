"""What an earlier gateway left of services that are no longer containers: ended, removed, and told."""

from pathlib import Path

import pytest
from tests.local.backend.docker.world import Forwarder, exists, owned, ready, world

from wakegate.local.backend.docker.leftovers import end_leftovers
from wakegate.local.backend.docker.owner import owner_of

pytestmark = pytest.mark.anyio


async def test_only_services_that_are_gone_are_ended(image: str, state_dir: Path, tmp_path: Path) -> None:
    """Not those that will be adopted, and not those of another gateway; a paused one is no exception."""
    other = tmp_path / "other"
    other.mkdir()
    async with world(state_dir) as here, world(other) as there:
        kept = await ready(await here.workload(image, service="web").start(number=1))
        gone = await ready(await here.workload(image, service="old").start(number=2))
        await gone.pause()
        theirs = await ready(await there.workload(image, service="old").start(number=1))
    async with world(state_dir) as here:
        lines = await end_leftovers(here.engine, owner=owner_of(state_dir), known_services={"web"})
        assert lines == [f"old replica 2 (container {gone.facts.name}): no longer configured"]
        assert owned(state_dir) == [kept.facts.name]
        assert exists(theirs.facts.name)
        assert await end_leftovers(here.engine, owner=owner_of(state_dir), known_services=set()) != []
        assert owned(state_dir) == []


async def test_while_docker_is_away_nothing_is_found(
    state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway starts all the same: its other services need no Docker."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{Forwarder(tmp_path / 'docker.sock').path}")
    async with world(state_dir) as here:
        assert await end_leftovers(here.engine, owner=owner_of(state_dir), known_services=set()) == []

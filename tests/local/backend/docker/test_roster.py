"""The replicas of one service: where the log of a run begins, and who is told when it has ended."""

from pathlib import Path

import pytest
from tests.local.backend.docker.world import docker, ready, world

from wakegate.core.spec import ContainerSpec
from wakegate.local.backend.docker.facts import facts_of
from wakegate.local.backend.docker.roster import run_since
from wakegate.local.logs import log_path

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("ended_at", "since"),
    [("0001-01-01T00:00:00Z", 0.0), ("1970-01-01T00:00:10.500000001Z", 10.5), ("", 0.0), ("never", 0.0)],
)
def test_a_run_begins_where_the_last_one_ended(ended_at: str, since: float) -> None:
    """Not where it is said to have started: its first lines come some milliseconds before that."""
    facts = facts_of({"Id": "1", "Name": "/web", "State": {"FinishedAt": ended_at}, "Config": {}})
    assert run_since(facts) == since


async def test_one_that_has_ended_is_off_the_list_and_told(image: str, state_dir: Path) -> None:
    """A list that keeps the dead would never let its number be used again."""
    spec, left = ContainerSpec(image=image), list[str]()
    async with world(state_dir) as here:
        roster = here.roster(spec)
        roster.left = left.append
        container = docker("run", "--detach", image, "sh", "-c", "echo hello; exec busybox httpd -f -p 80")
        replica = await ready(roster.enter(await here.inspect(container), number=3, port=80, is_new=True))
        assert list(roster.replicas) == [3]
        replica.kill()
        assert (await replica.exited()).log_tail == ("hello",)
        assert (roster.replicas, left) == ({}, [container])
        docker("rm", container)
    separator = log_path("web", state_dir=state_dir).read_text().splitlines()[0]
    assert separator.startswith("--- replica 3 started at ")

"""What a container uses that this machine does not run: two readings make a percentage."""

import asyncio
from pathlib import Path

import pytest
from tests.local.backend.docker.world import stopped, world

from wakegate.local.backend.docker.meter import EngineMeter, cpu_seconds, memory_bytes

pytestmark = pytest.mark.anyio
BUSY = ("sh", "-c", "trap 'exit 0' TERM; while :; do :; done")


async def test_a_busy_container_is_seen_as_busy(image: str, state_dir: Path) -> None:
    """Scaling out goes by it. The first call has nothing to compare with; of a container that is gone there is none."""
    async with world(state_dir) as here:
        replica = await here.workload(image, command=BUSY).start(number=1)
        meter = EngineMeter(here.engine)
        assert await meter.usage(replica, container=replica.facts.id) is None
        usage = None
        async with asyncio.timeout(30):
            while usage is None or usage.cpu_percent < 5:
                usage = await meter.usage(replica, container=replica.facts.id)
        assert usage.memory_bytes > 0
        await stopped(replica)
        assert await meter.usage(replica, container=replica.facts.id) is None


def test_the_file_cache_does_not_count() -> None:
    """The kernel would give it back: an app that has read a large file does not need another replica."""
    assert memory_bytes({"memory_stats": {"usage": 100, "stats": {"inactive_file": 30}}}) == 70
    assert memory_bytes({"memory_stats": {"usage": 100, "stats": {"total_inactive_file": 40}}}) == 60
    assert memory_bytes({"memory_stats": {"usage": 100}}) == 100


def test_an_answer_without_figures_is_nothing() -> None:
    """A container that has just ended has none."""
    assert (memory_bytes({}), cpu_seconds({"cpu_stats": {}})) == (0, 0.0)
    assert cpu_seconds({"cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}}}) == 2.5

"""The health check of a container, run when it is needed."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.local.backend.docker.world import SLEEPS, stopped, world

from wakegate.local.backend.docker.check import check_passes

pytestmark = pytest.mark.anyio


async def test_its_exit_status_is_the_answer(image: str, state_dir: Path) -> None:
    """0 is healthy; a command that does not exist, or takes too long, is not."""
    async with world(state_dir) as here:
        replica = await here.workload(image, command=SLEEPS).start(number=1)

        async def passes(*command: str, timeout_s: float = 30) -> bool:
            return await check_passes(here.engine, replace(replica.facts, check=command, check_timeout_s=timeout_s))

        assert await passes("busybox", "true")
        assert not await passes("busybox", "false")
        assert not await passes("no-such-command")
        assert not await passes("busybox", "sleep", "5", timeout_s=0.2)
        await stopped(replica)
        assert not await passes("busybox", "true")

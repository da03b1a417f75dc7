"""Run the health check of a container now, as Docker does it at its interval: exit status 0 means healthy."""

import asyncio

from wakegate.core.errors import WorkloadError
from wakegate.local.backend.docker.engine import Engine
from wakegate.local.backend.docker.facts import Facts


async def check_passes(engine: Engine, facts: Facts) -> bool:
    """Say whether the check passes within its own time limit; never raises."""
    try:
        docker = await engine.client()
        async with asyncio.timeout(facts.check_timeout_s):
            with engine.asking():
                run = await docker.containers.container(facts.id).exec(facts.check)
                async with run.start(detach=False) as output:
                    while await output.read_out() is not None:
                        pass
                return bool((await run.inspect())["ExitCode"] == 0)
    except (WorkloadError, TimeoutError):
        return False

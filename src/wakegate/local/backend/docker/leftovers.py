"""Containers that an earlier gateway of this state directory left, and that nobody will take over: ended, removed."""

import asyncio
from collections.abc import Set as AbstractSet
from contextlib import suppress

from wakegate.core.errors import WorkloadError
from wakegate.local.backend.docker.client import EngineError
from wakegate.local.backend.docker.create import NUMBER, OWNER, SERVICE
from wakegate.local.backend.docker.engine import Engine
from wakegate.local.backend.docker.facts import Facts

GRACE_S = 5  # stop signal to SIGKILL; the settings of a service that is no longer configured are not known


async def end(engine: Engine, facts: Facts) -> None:
    """Stop a container with its own signal, within the grace, and remove it."""
    docker = await engine.client()
    if facts.is_running:
        container = docker.containers.container(facts.id)
        with suppress(EngineError), engine.asking():
            if facts.is_paused:
                await container.unpause()
            await container.stop(t=GRACE_S)
    await engine.remove(facts.id)


async def end_leftovers(engine: Engine, *, owner: str, known_services: AbstractSet[str]) -> list[str]:
    """End the containers of services that are no longer configured as containers; return a line for each that ran.

    Nothing where the daemon does not answer: they stay until the next start of a gateway.
    """
    try:
        found = [await engine.inspect(container) for container, _ in await engine.find(f"{OWNER}={owner}")]
    except WorkloadError:
        return []
    gone = [facts for facts in found if facts is not None and facts.labels.get(SERVICE) not in known_services]
    await asyncio.gather(*(_end(engine, facts) for facts in gone))
    return [_line(facts) for facts in gone if facts.is_running]


async def _end(engine: Engine, facts: Facts) -> None:
    with suppress(WorkloadError):
        await end(engine, facts)


def _line(facts: Facts) -> str:
    service, number = facts.labels.get(SERVICE), facts.labels.get(NUMBER)
    return f"{service} replica {number} (container {facts.name}): no longer configured"

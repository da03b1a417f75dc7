"""Read what a container uses whose processes this machine does not have, by asking the daemon once."""

import time
from collections.abc import Mapping
from typing import Any

from wakegate.core.errors import WorkloadError
from wakegate.local.backend.docker.engine import Engine
from wakegate.local.scale.sample import Reading, Readings
from wakegate.ports import Replica, Usage


class EngineMeter:
    """Measures containers by what the daemon says of them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._readings = Readings()

    async def usage(self, replica: Replica, *, container: str) -> Usage | None:
        """Return a reading, or None at the first call for a replica or when its container is gone."""
        try:
            docker = await self._engine.client()
            with self._engine.asking():
                [said] = await docker.containers.container(container).stats(stream=False)
        except WorkloadError:
            said = {}
        reading = None
        if (said.get("memory_stats") or {}).get("usage"):  # else it has ended
            reading = Reading(cpu_s=cpu_seconds(said), memory_bytes=memory_bytes(said), at_s=time.monotonic())
        return self._readings.usage(replica, reading)


def cpu_seconds(said: Mapping[str, Any]) -> float:
    """Return the processor time that it has used, in seconds of one core."""
    usage = (said.get("cpu_stats") or {}).get("cpu_usage") or {}
    return float(usage.get("total_usage") or 0) / 1e9


def memory_bytes(said: Mapping[str, Any]) -> int:
    """Return what it uses without the file cache that the kernel would give back, as `docker stats` counts."""
    memory = said.get("memory_stats") or {}
    details = memory.get("stats") or {}
    cache = details.get("inactive_file", details.get("total_inactive_file", 0))
    return max(0, int(memory.get("usage") or 0) - int(cache or 0))

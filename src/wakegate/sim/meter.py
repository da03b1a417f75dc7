"""A meter whose readings are a function of time."""

import asyncio
from collections.abc import Callable

from wakegate.ports import Replica, Usage


class SimMeter:
    """A `Meter`: `load` gives a replica's usage at a time of the loop, None for a replica that cannot be read."""

    def __init__(self, load: Callable[[Replica, float], Usage | None]) -> None:
        self.load = load
        self._seen: set[Replica] = set()

    async def usage(self, replica: Replica) -> Usage | None:
        """Return a reading, as from the second call for a replica."""
        if replica not in self._seen:
            self._seen.add(replica)
            return None
        return self.load(replica, asyncio.get_running_loop().time())


def steady(*, cpu_percent: float = 0.0, memory_bytes: int = 0) -> Callable[[Replica, float], Usage | None]:
    """Return a load that is always and everywhere the same."""
    return lambda _replica, _now_s: Usage(cpu_percent=cpu_percent, memory_bytes=memory_bytes)

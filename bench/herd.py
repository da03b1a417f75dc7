"""Many clients at once, each with a connection and a request of its own; prints how often which status came.

python -m bench.herd PORT COUNT [stay]; with `stay` the connections stay open until standard input ends.
"""

import asyncio
import json
import resource
import sys
from collections import Counter
from functools import partial
from typing import cast

import uvloop

from bench.browser import FETCH, request

CONNECTING_MAX = 500  # at once: more than the kernel's queue for a listener takes would be refused, not held


class Client(asyncio.Protocol):
    """Asks once; its `status` is the answer's, or why there was none."""

    def __init__(self, *, stays: bool) -> None:
        self._stays = stays
        self.status: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class
        self._transport.write(request(FETCH))

    def data_received(self, data: bytes) -> None:
        """Take the status; the answer of the stub comes in one piece."""
        if not self.status.done():
            self.status.set_result(data[9:12].decode())
        if not self._stays:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Count an answer that never came."""
        if not self.status.done():
            self.status.set_result("closed" if error is None else type(error).__name__)


async def ask(port: int, count: int, *, stays: bool = False) -> Counter[str]:
    """Return how often which status came; with `stays`, leave the connections open."""
    connecting = asyncio.Semaphore(CONNECTING_MAX)

    async def one() -> str:
        async with connecting:
            loop = asyncio.get_running_loop()
            _, client = await loop.create_connection(partial(Client, stays=stays), "127.0.0.1", port)
        return await client.status

    async with asyncio.TaskGroup() as clients:
        tasks = [clients.create_task(one()) for _ in range(count)]
    return Counter(task.result() for task in tasks)


async def show(port: int, count: int, *, stays: bool) -> None:
    """Ask, print the statuses, and stay if that is wanted."""
    print(json.dumps(await ask(port, count, stays=stays)), flush=True)
    if stays:
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Ask, and print the statuses."""
    port, count = int(sys.argv[1]), int(sys.argv[2])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(show(port, count, stays="stay" in sys.argv[3:]))


if __name__ == "__main__":
    main()

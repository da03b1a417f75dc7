"""An event for what there are thousands of: `asyncio.Event` takes 760 bytes for its waiters, also without any."""

import asyncio


class Flag:
    """Set or not; whoever waits goes on once it is set. Of one event loop."""

    __slots__ = ("_is_set", "_waiters")

    def __init__(self) -> None:
        self._is_set = False
        self._waiters: list[asyncio.Future[None]] | None = None

    def is_set(self) -> bool:
        """Say whether it is."""
        return self._is_set

    def set(self) -> None:
        """Let everybody go on who waits, or will."""
        self._is_set = True
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():  # one that was cancelled has not come round to say so yet
                waiter.set_result(None)

    def clear(self) -> None:
        """From now on, wait."""
        self._is_set = False

    async def wait(self) -> None:
        """Return once it is set, also where it is cleared again at once."""
        if self._is_set:
            return
        waiter = asyncio.get_running_loop().create_future()
        waiters = self._waiters
        if waiters is None:
            waiters = self._waiters = []
        waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            waiters.remove(waiter)
            raise

"""Turns: what many services do at the same moment is done one by one, and requests are served between them.

A hundred services that fall asleep together have 100 ms of work, and would do it all before the loop looks at a socket
again. One that is alone has its turn at once.
"""

import asyncio
from collections import deque


class Turns:
    """Lets one go on in each turn of the event loop, in order of arrival."""

    __slots__ = ("_is_taken", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_taken = False  # somebody had this turn of the loop, or will have the next

    async def mine(self) -> None:
        """Return when it is this one's turn, which lasts until it awaits something."""
        loop = asyncio.get_running_loop()
        if not self._is_taken:
            self._is_taken = True
            loop.call_soon(self._next)
            return
        waiter = loop.create_future()
        self._waiting.append(waiter)
        await waiter

    def _next(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():  # else it was cancelled while it waited
                waiter.set_result(None)
                asyncio.get_running_loop().call_soon(self._next)
                return
        self._is_taken = False

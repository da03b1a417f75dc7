"""Wait for a socket of our own, where neither a transport nor the loop's own calls do what is needed with it."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any


async def readable(sock: socket.socket) -> None:
    """Return when there is something to read, or the end."""
    loop = asyncio.get_running_loop()
    await _ready(sock, loop.add_reader, loop.remove_reader)


async def writable(sock: socket.socket) -> None:
    """Return when something can be written."""
    loop = asyncio.get_running_loop()
    await _ready(sock, loop.add_writer, loop.remove_writer)


async def _ready(sock: socket.socket, add: Callable[..., Any], remove: Callable[..., Any]) -> None:
    is_ready = asyncio.Event()
    add(sock, is_ready.set)
    try:
        await is_ready.wait()
    finally:
        remove(sock)

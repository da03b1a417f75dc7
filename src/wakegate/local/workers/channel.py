"""One end of the socket between keeper and worker, once they have met: values go in, values come out."""

import asyncio
from collections.abc import Callable
from typing import cast

from wakegate.local.workers.wire import Message, decode, encode


class Channel(asyncio.Protocol):
    """`heard` gets each message in order, `lost` is called once, when the other side is gone."""

    def __init__(self, *, heard: Callable[[Message], None], lost: Callable[[], None]) -> None:
        self._heard = heard
        self._lost = lost
        self._buffer = bytearray()

    def send(self, message: Message) -> None:
        """Send one; what the other side does not read any more is dropped with it."""
        if not self._transport.is_closing():
            self._transport.write(encode(message))

    def close(self) -> None:
        """End it."""
        self._transport.abort()

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's have the methods, not the base class

    def data_received(self, data: bytes) -> None:
        """Take the messages that are whole."""
        self._buffer += data
        for message in decode(self._buffer):
            self._heard(message)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        """See `asyncio.Protocol`."""
        self._lost()

"""upgrade: join a client and an app after 101; from then on bytes are passed both ways, whatever they mean."""

import asyncio
import time
from typing import Protocol


class Tunnel:
    """One direction: what comes in at this end goes out at the other."""

    __slots__ = ("_has_ended", "_out", "back", "last_s")

    def __init__(self, out: asyncio.Transport) -> None:
        self._out = out
        self._has_ended = False
        self.back: Tunnel | None = None  # the other direction
        self.last_s = time.monotonic()  # the newest bytes this way

    def write(self, data: bytes) -> None:
        """Pass bytes on."""
        self.last_s = time.monotonic()
        self._out.write(data)

    def end(self) -> bool:
        """Pass on that nothing more comes from here; say whether the connection is to stay open for the other way."""
        self._has_ended = True
        if self.back is None or self.back._has_ended or not self._out.can_write_eof():
            self._out.close()
            return False
        self._out.write_eof()
        return True

    def silent_s(self, now_s: float) -> float:
        """Return for how long no bytes went either way."""
        return now_s - max(self.last_s, self.back.last_s if self.back is not None else self.last_s)

    def close(self) -> None:
        """This end is gone: close the other."""
        self._out.close()

    def pause(self) -> None:
        """What this end is sent is more than it takes: let the other wait."""
        self._out.pause_reading()

    def resume(self) -> None:
        """This end has caught up."""
        if not self._out.is_closing():
            self._out.resume_reading()


class End(Protocol):
    """One end of a connection that can become a tunnel."""

    transport: asyncio.Transport
    tunnel: Tunnel | None


class ClientEnd(End, Protocol):
    """The client's end, which may have sent bytes ahead of the app's agreement."""

    def take_rest(self) -> bytes:
        """Return and forget them."""
        ...


def join(client: ClientEnd, upstream: End, *, rest: bytes) -> None:
    """Join both; `rest` is what the app sent right behind its 101."""
    client.tunnel, upstream.tunnel = Tunnel(upstream.transport), Tunnel(client.transport)
    client.tunnel.back, upstream.tunnel.back = upstream.tunnel, client.tunnel
    if rest:
        upstream.tunnel.write(rest)
    ahead = client.take_rest()
    if ahead:
        client.tunnel.write(ahead)

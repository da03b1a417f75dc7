"""The body of a request on its way: what waits, what was sent, and whether all of it could be sent again."""

from wakegate.local.http.framing import chunk, last_chunk
from wakegate.local.http.head import Body, Header

REPLAY_BYTES_MAX = 65_536  # of a body that was sent, kept in case that it has to be sent again


class RequestBody:
    """Bytes from the client for the app; framed as the request was."""

    __slots__ = ("_framing", "_is_kept", "_sent", "_trailers", "_waiting", "is_complete", "received")

    def __init__(self, framing: Body, *, is_replayable: bool) -> None:
        self.is_complete = False
        self.received = 0  # bytes
        self._framing = framing
        self._waiting: list[bytes] = []
        self._sent = b""
        self._is_kept = is_replayable
        self._trailers: list[Header] = []

    def add(self, data: bytes) -> None:
        """Keep a piece until there is somebody to send it to."""
        self.received += len(data)
        self._waiting.append(data)

    def end(self, trailers: list[Header]) -> None:
        """There is no more."""
        self.is_complete = True
        self._trailers = trailers

    def take(self) -> bytes:
        """Return everything that has not been sent, framed; the end too, once it is known."""
        data = b"".join(self._waiting)
        self._waiting.clear()
        if self._is_kept:
            self._sent += data
            if len(self._sent) > REPLAY_BYTES_MAX:
                self._is_kept, self._sent = False, b""
        if self._framing is not Body.CHUNKED:
            return data
        return chunk(data) + (last_chunk(self._trailers) if self.is_complete else b"")

    def rewind(self) -> None:
        """Send it again from its beginning."""
        assert self.can_replay
        self._waiting.insert(0, self._sent)
        self._sent = b""

    @property
    def can_replay(self) -> bool:
        """Say whether every byte that was sent is still at hand."""
        return self._is_kept

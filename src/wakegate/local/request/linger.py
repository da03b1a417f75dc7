"""linger: how long a connection stays open behind its last answer, so that the client can read it.

To close while the client still sends makes the kernel reset the connection, and a reset takes the answer away from a
client that sends all before it reads, as most libraries do.
"""

SILENCE_S = 2.0  # without a byte either way
TOTAL_S = 30.0  # however much still comes: what is read is dropped


class Linger:
    """The time that is left, as seen by the sweep."""

    __slots__ = ("_began_s", "_heard_s", "_unsent")

    def __init__(self, *, now_s: float) -> None:
        self._began_s = self._heard_s = now_s
        self._unsent = 0  # bytes of the answer that wait for the client, at the last look

    def heard(self, *, now_s: float) -> None:
        """The client still sends."""
        self._heard_s = now_s

    def is_over(self, *, now_s: float, unsent: int) -> bool:
        """Say whether to cut the connection; as long as the client takes its answer, the time has not begun."""
        if unsent != self._unsent:
            self._began_s = self._heard_s = now_s
            self._unsent = unsent
        return now_s - self._heard_s > SILENCE_S or now_s - self._began_s > TOTAL_S

"""What a service and the processes that let requests in for it tell each other, where that is not its own process.

They are told an `Outlook`, and acknowledge each; it reads what they count. `Nowhere` stands for there being none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from wakegate.core.phase import Phase
from wakegate.core.record import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A target, as another process is told of it."""

    serial: int
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What they may do: let requests in without asking, where those go, and what the waiting page shows."""

    is_warm: bool
    targets: tuple[Address, ...]
    phase: Phase
    waking_since_s: float  # 0 where no wake is under way
    durations: tuple[float, ...]  # of good wakes, the newest first
    failure: Failure | None


class Elsewhere(Protocol):
    """The other processes, as one service sees them."""

    def publish(self, outlook: Outlook) -> None:
        """Tell them all what they may do from now on; nothing happens where that is what they know."""
        ...

    def unheard(self) -> int:
        """Count those that have not acknowledged the newest outlook: they may still act on an older one."""
        ...

    def in_flight(self) -> int:
        """Count what they have let in without asking, and not finished."""
        ...

    def requests(self) -> int:
        """Count what they have let in without asking since the gateway started."""
        ...

    def touched_s(self) -> float:
        """Return when the newest of those began or ended."""
        ...

    def last(self) -> str:
        """Name the newest of those: "GET /a from curl/8"; "" before the first."""
        ...

    def woke(self) -> None:
        """The service is awake from now on: `durations` begin anew."""
        ...

    def durations(self) -> Sequence[float]:
        """Return how long the newest of those took, in any order."""
        ...


class Nowhere:
    """An `Elsewhere` without anybody: every request comes in by the service's own process."""

    def publish(self, outlook: Outlook) -> None:
        """See `Elsewhere.publish`."""

    def unheard(self) -> int:
        """See `Elsewhere.unheard`."""
        return 0

    in_flight = requests = unheard

    def touched_s(self) -> float:
        """See `Elsewhere.touched_s`."""
        return 0.0

    def last(self) -> str:
        """See `Elsewhere.last`."""
        return ""

    def woke(self) -> None:
        """See `Elsewhere.woke`."""

    def durations(self) -> Sequence[float]:
        """See `Elsewhere.durations`."""
        return ()


NOWHERE = Nowhere()

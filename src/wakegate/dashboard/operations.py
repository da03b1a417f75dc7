"""What an operator may ask of a running gateway."""

from collections.abc import Iterator
from typing import Protocol

from wakegate.core.ledger import WakeLine
from wakegate.core.session import Session
from wakegate.core.status import ServiceStatus


class Operations(Protocol):
    """Carried out by the gateway; an unknown name raises `ServiceUnknownError` with what was perhaps meant."""

    def statuses(self) -> Iterator[ServiceStatus]:
        """Say how every service is, each when it is asked for: there may be thousands, and requests between them."""
        ...

    async def wake(self, name: str, *, cause: str) -> None:
        """Return when it is awake; raise the `HeldError` of a wake that failed."""
        ...

    async def sleep(self, name: str, *, force: bool, stop: bool) -> None:
        """Put it to sleep now, stopped though its mode is to pause if `stop`.

        Raise `WakegateError` while requests are in flight, unless forced.
        """
        ...

    def keep(self, name: str, seconds: float, *, reason: str) -> None:
        """Keep it awake for this long from now; 0 ends a keep."""
        ...

    def explain(self, name: str) -> tuple[str, ...]:
        """Say why it is as it is."""
        ...

    def sessions(self, name: str, *, limit: int) -> tuple[Session, ...]:
        """Return its live sessions, the most recently seen first."""
        ...

    def ledger(self, name: str, *, limit: int) -> tuple[WakeLine, ...]:
        """Return its newest wakes, newest first."""
        ...

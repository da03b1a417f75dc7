"""A keeper and a worker without their processes: a service that notes what it is told, requests, a pair of channels."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from tests.local.request.peer import PATIENCE_S, eventually

from wakegate.core.errors import RequestError, WakeFailedError
from wakegate.core.phase import Phase
from wakegate.core.progress import Progress
from wakegate.core.spec import ProcessSpec, ServiceSpec
from wakegate.local.elsewhere import Address, Outlook
from wakegate.local.lane import Target, Waiter
from wakegate.local.workers.channel import Channel
from wakegate.local.workers.wire import Ask, Message

M = TypeVar("M")

__all__ = ["PATIENCE_S", "Home", "Line", "Request", "address_of", "ask", "cold", "eventually", "line", "spec", "warm"]


def spec(name: str = "web", **changes: Any) -> ServiceSpec:
    """Return a service of which nothing runs."""
    return ServiceSpec(name=name, run=ProcessSpec(command=()), **changes)


def address_of(target: Target) -> Address:
    """Return how another process is told of a target."""
    return Address(serial=target.serial, host=target.host, port=target.port)


def warm(*targets: Target) -> Outlook:
    """Return what is known of a service that is awake with these targets."""
    addresses = tuple(map(address_of, targets))
    return Outlook(
        is_warm=True, targets=addresses, phase=Phase.AWAKE, waking_since_s=0.0, durations=(1.0,), failure=None
    )


def cold(*targets: Target, phase: Phase = Phase.ASLEEP) -> Outlook:
    """Return what is known of a service that is to be asked for."""
    addresses = tuple(map(address_of, targets))
    return Outlook(is_warm=False, targets=addresses, phase=phase, waking_since_s=0.0, durations=(), failure=None)


def ask(number: int = 1, **changes: Any) -> Ask:
    """Return what a worker asks about a request."""
    facts: dict[str, Any] = {
        "service": "web", "method": "GET", "path": "/a", "agent": "curl/8", "session_id": None, "is_navigation": False,
        "arrived_s": 1.0, "suspect": None, "reason": "",
    }  # fmt: skip
    return Ask(number=number, **(facts | changes))


class Request:
    """A `Waiter` that notes what becomes of it."""

    is_navigation = False
    agent = "curl/8"

    def __init__(self, path: str = "/a", *, method: str = "GET") -> None:
        self.arrived_s = time.monotonic()
        self.counts = True
        self.session_id: str | None = None
        self.method = method
        self.path = path
        self.target: Target | None = None
        self.endings: list[str] = []
        self.signs: list[str] = []

    def release(self, target: Target, *, was_held: bool = True) -> None:
        """See `Waiter.release`."""
        self.target = target
        self.endings.append("held" if was_held else "asked")

    def refuse(self, error: RequestError) -> None:
        """See `Waiter.refuse`."""
        self.endings.append(f"{type(error).__name__}: {error}")

    def interim(self) -> None:
        """See `Waiter.interim`."""
        self.signs.append("interim")

    def comment(self) -> None:
        """See `Waiter.comment`."""
        self.signs.append("comment")


class Home:
    """A `Home` that lets in, holds or refuses as it is set, and notes what it is told."""

    def __init__(self) -> None:
        self.spec = spec()
        self.sessions = None
        self.here = Target(number=1, host="127.0.0.1", port=1)
        self.is_awake = True
        self.is_refusing = False
        self.held: list[Waiter] = []
        self.told: list[Any] = []

    def admit(self, waiter: Waiter) -> Target | None:
        """See `Lane.admit`."""
        if self.is_refusing:
            raise WakeFailedError("web", "it does not start", retry_after_s=3.0, log_tail=("oops",))
        if self.is_awake:
            return self.let_in()
        self.held.append(waiter)
        return None

    def let_in(self) -> Target:
        """Count one in."""
        self.here.in_flight += 1
        self.here.unanswered += 1
        return self.here

    def leave(self, waiter: Waiter) -> None:
        """See `Lane.leave`."""
        self.held.remove(waiter)

    def answered(self, target: Target, waiter: Waiter) -> None:
        """See `Lane.answered`."""
        target.unanswered -= 1

    def finished(self, target: Target, waiter: Waiter) -> None:
        """See `Lane.finished`."""
        target.in_flight -= 1

    def unreachable(self, target: Target, waiter: Waiter, reason: str) -> None:
        """See `Lane.unreachable`."""
        target.unanswered -= 1
        target.in_flight -= 1
        self.held.append(waiter)
        self.told.append(reason)

    def keep_awake(self, seconds: float, *, reason: str) -> None:
        """See `Lane.keep_awake`."""
        self.told.append((seconds, reason))

    def progress(self) -> Progress:
        """See `Lane.progress`."""
        raise AssertionError("workers know it by themselves")

    def retry(self) -> bool:
        """See `Lane.retry`."""
        self.told.append("retry")
        return True

    def find(self, serial: int) -> Target | None:
        """See `Home.find`."""
        return self.here if serial == self.here.serial else None

    def suspect(self, serial: int, reason: str) -> None:
        """See `Home.suspect`."""
        self.told.append(("suspect", serial, reason))

    def heard(self, serial: int | None = None) -> None:
        """See `Home.heard`."""
        self.told.append(("heard", serial))


class Line:
    """One end of a connection between keeper and worker, in the hands of a test."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.is_lost = False
        self.channel = Channel(heard=self.messages.append, lost=self._lose)

    def _lose(self) -> None:
        self.is_lost = True

    async def next(self, kind: type[M]) -> M:
        """Return the next message, which must be of this kind."""
        await eventually(lambda: self.messages, f"a {kind.__name__} comes")
        message = self.messages.pop(0)
        assert isinstance(message, kind), message
        return message


@asynccontextmanager
async def line(connect: Callable[[socket.socket], Any]) -> AsyncIterator[Line]:
    """Lend one end; the other is given to `connect`."""
    mine, theirs = socket.socketpair()
    end = Line()
    await asyncio.get_running_loop().create_unix_connection(lambda: end.channel, sock=mine)
    await connect(theirs)
    try:
        yield end
    finally:
        end.channel.close()
        await eventually(lambda: end.is_lost, "it is closed")

"""asked: a request of a worker as it stands in the keeper's line, implements `Waiter`."""

from collections.abc import Callable

from wakegate.core.errors import HeldError, RequestError
from wakegate.local.elsewhere import Address
from wakegate.local.lane import Home, Target
from wakegate.local.workers.wire import Ask, Comfort, Order, Release, refusal


class Asked:
    """Stands for a request whose client is at a worker: waits in its place, and is then in flight in its place."""

    def __init__(self, ask: Ask, *, home: Home, send: Callable[[Order], None], ended: Callable[[int], None]) -> None:
        """`ended` is called with its number when it is neither held nor in flight any more."""
        self.number = ask.number
        self.arrived_s = ask.arrived_s
        self.counts = True
        self.session_id = ask.session_id
        self.method = ask.method
        self.path = ask.path
        self.agent = ask.agent
        self.is_navigation = ask.is_navigation
        self._home = home
        self._send = send
        self._ended = ended
        self._target: Target | None = None
        self._is_answered = False

    def enter(self, *, suspect: int | None, reason: str) -> None:
        """Ask the service to let it in."""
        if suspect is not None:
            self._home.suspect(suspect, reason)
        try:
            target = self._home.admit(self)
        except RequestError as error:
            self.refuse(error)
            return
        if target is not None:
            self.release(target, was_held=False)

    # -- Waiter

    def release(self, target: Target, *, was_held: bool = True) -> None:
        """See `Waiter.release`."""
        self._target, self._is_answered = target, False
        address = Address(serial=target.serial, host=target.host, port=target.port)
        self._send(Release(number=self.number, address=address, was_held=was_held))

    def refuse(self, error: RequestError) -> None:
        """See `Waiter.refuse`."""
        assert isinstance(error, HeldError), "a service refuses for reasons of its own only"
        self._send(refusal(self.number, error))
        self._ended(self.number)

    def interim(self) -> None:
        """See `Waiter.interim`."""
        self._send(Comfort(number=self.number, is_interim=True))

    def comment(self) -> None:
        """See `Waiter.comment`."""
        self._send(Comfort(number=self.number, is_interim=False))

    # -- what its worker reports

    def leave(self) -> None:
        """Its client has hung up, or its worker is gone: nobody waits, and nothing is in flight."""
        if self._target is None:
            self._home.leave(self)
            self._ended(self.number)
        else:
            self.finished()

    def answered(self) -> None:
        """The head of its answer has come."""
        if self._target is not None and not self._is_answered:
            self._is_answered = True
            self._home.answered(self._target, self)

    def finished(self) -> None:
        """It has its last byte."""
        self.answered()
        target, self._target = self._target, None
        assert target is not None, "it was released"
        self._home.finished(target, self)
        self._ended(self.number)

    def unreachable(self, reason: str) -> None:
        """No connection could be made: it waits again, first in line."""
        target, self._target = self._target, None
        assert target is not None, "it was released"
        self._home.unreachable(target, self, reason)

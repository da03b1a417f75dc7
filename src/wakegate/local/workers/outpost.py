"""outpost: a service as the requests of a worker meet it, implements `Lane`.

What is warm goes ahead on its own; the phases, the line and the replicas are the keeper's, and are asked for.
"""

from collections.abc import Callable

from wakegate.core.errors import HeldError
from wakegate.core.ignore import IgnoreRule
from wakegate.core.progress import Progress, may_retry, progress
from wakegate.core.spec import ServiceSpec
from wakegate.local.elsewhere import Address, Outlook
from wakegate.local.lane import Target, Waiter
from wakegate.local.request.choose import choose
from wakegate.local.request.pool import shut
from wakegate.local.request.touch import name_of
from wakegate.local.sessions import SessionBook
from wakegate.local.workers.asks import Asks
from wakegate.local.workers.board import Row
from wakegate.local.workers.wire import Emptied, Keep, Report, Retry
from wakegate.ports import Clock


class Outpost:
    """The lane of one service in a worker."""

    def __init__(
        self,
        spec: ServiceSpec,
        *,
        row: Row,
        book: SessionBook,
        asks: Asks,
        send: Callable[[Report], None],
        clock: Clock,
    ) -> None:
        self._row = row
        self._book = book
        self._asks = asks
        self._send = send
        self._clock = clock
        self._now_s = clock.now_s
        self._is_warm = False
        self._outlook: Outlook | None = None
        self._targets: list[Target] = []
        self._leaving: dict[int, Target] = {}  # by serial: shut, with requests in flight
        self._newest: Waiter | None = None  # since the board was told
        self.configure(spec)

    def configure(self, spec: ServiceSpec) -> None:
        """Go on under this specification."""
        self.spec = spec
        self._ignore = IgnoreRule(spec.ignore)
        self._book.configure(spec.session, path=spec.path)
        self.sessions = self._book if spec.session.cookie else None

    # -- what the keeper tells

    def look(self, outlook: Outlook) -> dict[int, int]:
        """Act by this from now on; return what is in flight at targets that are shut, by serial."""
        before = {target.serial: target for target in self._targets}
        self._targets = [
            before.pop(one.serial) if one.serial in before else self._again(one) for one in outlook.targets
        ]
        for target in before.values():
            target.shut = True
            shut(target)
            if target.in_flight:
                self._leaving[target.serial] = target
        self._outlook = outlook
        self._is_warm = outlook.is_warm
        return {serial: target.in_flight for serial, target in self._leaving.items()}

    def rename(self, outlook: Outlook) -> None:
        """Another keeper counts targets anew: take its serials for those that are here."""
        self._leaving.clear()  # what is in flight there is on the board; the new keeper waits for nothing of it
        serials = {(one.host, one.port): one.serial for one in outlook.targets}
        for target in self._targets:
            target.serial = serials.get((target.host, target.port), -target.serial)

    def target(self, address: Address) -> Target:
        """See `Asker.target`."""
        known = next((target for target in self._targets if target.serial == address.serial), None)
        return known or self._again(address)

    def note(self) -> None:
        """Put the name of the newest request onto the board, for `explain`."""
        newest, self._newest = self._newest, None
        if newest is not None:
            self._row.note(name_of(newest))

    def flush(self) -> None:
        """Write what has changed of its sessions: the worker ends."""
        self._book.flush()

    @property
    def in_flight(self) -> int:
        """Count what is in flight here and known to this worker alone."""
        return self._row.in_flight

    @property
    def touched_s(self) -> float:
        """Return when the newest of that began or ended."""
        return self._row.touched_s

    def _again(self, address: Address) -> Target:
        """Return a target that is offered, perhaps for a second time."""
        target = self._leaving.pop(address.serial, None)
        if target is None:
            target = Target(number=address.serial, host=address.host, port=address.port)
            target.serial = address.serial
        target.shut = False
        return target

    # -- Lane

    def admit(self, waiter: Waiter) -> Target | None:
        """See `Lane.admit`."""
        target = self.try_warm(waiter)
        if target is None:
            self._asks.ask(self, waiter)
        return target

    def try_warm(self, waiter: Waiter) -> Target | None:
        """See `Asker.try_warm`."""
        if not self._is_warm or (self._ignore and self._is_ignored(waiter)):
            return None
        self._row.began(waiter.arrived_s)
        self._newest = waiter
        targets = self._targets
        target = targets[0] if len(targets) == 1 else choose(waiter, targets)
        target.in_flight += 1
        return target

    def _is_ignored(self, waiter: Waiter) -> bool:
        return self._ignore.matches(method=waiter.method, path=waiter.path, agent=waiter.agent)

    def leave(self, waiter: Waiter) -> None:
        """See `Lane.leave`."""
        self._asks.leave(waiter)

    def answered(self, target: Target, waiter: Waiter) -> None:  # noqa: ARG002  of interest to the keeper only
        """See `Lane.answered`."""
        if waiter in self._asks.asked:
            self._asks.answered(waiter)

    def finished(self, target: Target, waiter: Waiter) -> None:
        """See `Lane.finished`."""
        if waiter in self._asks.asked:
            self._asks.finished(waiter)
            return
        self._row.ended(waiter.arrived_s, now_s=self._now_s())
        self._end(target)

    def unreachable(self, target: Target, waiter: Waiter, reason: str) -> None:
        """See `Lane.unreachable`."""
        if waiter in self._asks.asked:
            self._asks.unreachable(waiter, reason)
            return
        self._row.taken_back()
        self._end(target)
        try:
            self._asks.ask(self, waiter, suspect=target.serial, reason=reason)
        except HeldError as error:  # nobody would end its wait
            waiter.refuse(error)

    def take_over(self, target: Target) -> None:
        """See `Asker.take_over`."""
        self._row.taken_over()
        target.in_flight += 1

    def _end(self, target: Target) -> None:
        target.in_flight -= 1
        if target.shut and not target.in_flight and self._leaving.pop(target.serial, None) is not None:
            self._send(Emptied(serial=target.serial))

    def keep_awake(self, seconds: float, *, reason: str) -> None:
        """See `Lane.keep_awake`."""
        self._send(Keep(service=self.spec.name, seconds=seconds, reason=reason))

    def progress(self) -> Progress:
        """See `Lane.progress`."""
        outlook = self._outlook
        assert outlook is not None, "a lane gets its requests after its outlook"
        since_s = outlook.waking_since_s
        return progress(
            self.spec.name,
            self.spec.wake,
            phase=outlook.phase,
            elapsed_s=self._now_s() - since_s if since_s else 0.0,
            durations=outlook.durations,
            failure=outlook.failure,
            now=self._clock.utc(),
        )

    def retry(self) -> bool:
        """See `Lane.retry`."""
        outlook = self._outlook
        assert outlook is not None, "a lane gets its requests after its outlook"
        may = may_retry(outlook.failure, phase=outlook.phase, now=self._clock.utc())
        if may:
            self._send(Retry(service=self.spec.name))
        return may

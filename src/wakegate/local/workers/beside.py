"""beside: the crew as one service sees it, implements `Elsewhere`."""

from collections.abc import Callable, Iterable, Sequence

from wakegate.core.phase import Phase
from wakegate.local.elsewhere import Outlook
from wakegate.local.workers.hand import Hand
from wakegate.local.workers.wire import Look

COLD = Outlook(is_warm=False, targets=(), phase=Phase.ASLEEP, waking_since_s=0.0, durations=(), failure=None)


class Beside:
    """What the workers know of one service, and what they do for it."""

    def __init__(self, service: str, *, row: int, hands: Callable[[], Iterable[Hand]]) -> None:
        self.row = row
        self.epoch = 0
        self.outlook = COLD
        self._service = service
        self._hands = hands
        self._gone_requests = 0  # of workers that are gone
        self._gone_touched_s = 0.0
        self._ended: dict[Hand, int] = {}  # what each had ended when the service woke
        self._gone_requests = -self.requests()  # before this gateway, or before the service was configured again

    # -- Elsewhere

    def publish(self, outlook: Outlook) -> None:
        """See `Elsewhere.publish`."""
        if outlook == self.outlook:
            return
        serials = {address.serial for address in outlook.targets}
        shut = [address.serial for address in self.outlook.targets if address.serial not in serials]
        self.outlook = outlook
        self.epoch += 1
        look = Look(service=self._service, epoch=self.epoch, outlook=outlook)
        for hand in self._hands():
            hand.look(look, shut=shut)

    def unheard(self) -> int:
        """See `Elsewhere.unheard`."""
        return sum(not hand.has_heard(self._service) for hand in self._hands())

    def in_flight(self) -> int:
        """See `Elsewhere.in_flight`."""
        return sum(hand.row(self.row).in_flight for hand in self._hands())

    def requests(self) -> int:
        """See `Elsewhere.requests`."""
        return self._gone_requests + sum(hand.row(self.row).requests for hand in self._hands())

    def touched_s(self) -> float:
        """See `Elsewhere.touched_s`."""
        return max((self._gone_touched_s, *(hand.row(self.row).touched_s for hand in self._hands())))

    def last(self) -> str:
        """See `Elsewhere.last`."""
        newest = max((hand.row(self.row) for hand in self._hands()), default=None, key=lambda row: row.touched_s)
        return "" if newest is None else newest.last

    def woke(self) -> None:
        """See `Elsewhere.woke`."""
        self._ended = {hand: hand.row(self.row).ended_count for hand in self._hands()}

    def durations(self) -> Sequence[float]:
        """See `Elsewhere.durations`."""
        durations: list[float] = []
        for hand in self._hands():
            durations += hand.row(self.row).durations(since=self._ended.get(hand, 0))
        return durations

    # -- the crew

    def bury(self, hand: Hand, *, now_s: float) -> None:
        """A worker is gone: what it had in flight has ended with it, what it has served is still counted."""
        row = hand.row(self.row)
        self._gone_requests += row.requests
        self._gone_touched_s = max(self._gone_touched_s, now_s if row.in_flight else row.touched_s)
        self._ended.pop(hand, None)
        row.wipe()

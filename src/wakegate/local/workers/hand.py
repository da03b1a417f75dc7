"""One worker as the keeper sees it: its process, what it was told and has heard, and what it has in hand."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from wakegate.core.errors import StoppingError
from wakegate.local.lane import Home, Target
from wakegate.local.workers.asked import Asked
from wakegate.local.workers.board import Row, Slot
from wakegate.local.workers.channel import Channel
from wakegate.local.workers.wire import (
    Answered,
    Ask,
    Configure,
    Emptied,
    Finished,
    Heard,
    Here,
    Keep,
    Leave,
    Leaving,
    Look,
    Message,
    Order,
    Retry,
    Told,
    Unreachable,
    refusal,
)

END_S = 5.0  # from the last that is heard of a worker to the end of its process


class Hand:
    """A worker. `home` finds the service of a name, `tell` is the timeline; `leaves` hears that it goes."""

    def __init__(
        self,
        number: int,
        *,
        slot: Slot,
        home: Callable[[str], Home | None],
        tell: Callable[..., None],
        leaves: Callable[["Hand"], None],
        now_s: Callable[[], float],
    ) -> None:
        self.number = number
        self.pid = 0
        self.rows_known: Mapping[str, int] = {}
        self.here = asyncio.Event()  # it has said what it counts, or is gone
        self.begun = asyncio.Event()  # it has been told everything, or is gone
        self.gone = asyncio.Event()  # its process has ended, and with it every socket that it had
        self.silent_since_s: float | None = None  # it was told something then, and has not acknowledged it
        self.may_act = False  # it lets requests in by what an earlier keeper told it
        self._slot = slot
        self._home = home
        self._tell = tell
        self._leaves = leaves
        self._now_s = now_s
        self._rows: dict[int, Row] = {}
        self._channel: Channel | None = None
        self._told: dict[str, int] = {}  # the epoch of each service that it has not acknowledged
        self._asked: dict[int, Asked] = {}
        self._shut: dict[int, tuple[str, Target, int]] = {}  # by serial: service, target, the epoch that shut it
        self._busy: dict[int, int] = {}  # by serial of those: what it has in flight there

    def row(self, number: int) -> Row:
        """Return its row on the board."""
        row = self._rows.get(number)
        if row is None:
            row = self._rows[number] = self._slot.row(number)
        return row

    @property
    def is_here(self) -> bool:
        """Say whether it may be told anything."""
        return self.here.is_set() and self._channel is not None and not self.gone.is_set()

    # -- what it is told

    async def connect(self, connection: socket.socket) -> None:
        """Speak with it over a connection by which it has said hello."""
        channel = Channel(heard=self._heard, lost=self._lost)
        await asyncio.get_running_loop().create_unix_connection(lambda: channel, sock=connection)
        self._channel = channel

    def send(self, order: Order) -> None:
        """Tell it something; it may be gone already."""
        if self._channel is not None:
            self._channel.send(order)

    def configure(self, configure: Configure) -> None:
        """Tell it everything."""
        self.begun.set()
        self._told |= {post.spec.name: post.epoch for post in configure.posts}
        self._say(configure)

    def look(self, look: Look, *, shut: Iterable[int]) -> None:
        """Tell it news of a service, of which these targets are not offered any more."""
        if not self.begun.is_set() or self.gone.is_set():
            return  # it is told everything at its beginning
        home = self._home(look.service)
        for serial in shut:
            target = None if home is None else home.find(serial)
            if target is not None:  # else its replica is gone, and nobody waits for it
                self._shut[serial] = look.service, target, look.epoch
                self._hold(serial, 1)  # until it says how many there are
        for address in look.outlook.targets:
            self._let_go(address.serial)
        self._told[look.service] = look.epoch
        self._say(look)

    def has_heard(self, service: str) -> bool:
        """Say whether it acts by the newest that it was told, as far as it can act at all."""
        return not self.may_act and service not in self._told

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it, where it is still there."""
        if not self.gone.is_set() and self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def bury(self) -> None:
        """Its process is gone: nobody waits there any more, and nothing is in flight."""
        self.gone.set()
        self.here.set()
        self.begun.set()
        if self._channel is not None:
            self._channel.close()
        self.may_act = False
        self._told.clear()
        for asked in tuple(self._asked.values()):
            asked.leave()
        for serial in tuple(self._shut):
            self._let_go(serial)

    def _lost(self) -> None:
        """It speaks no more: it is about to end, and if it does not, nothing else would ever end it."""
        self.here.set()
        asyncio.get_running_loop().call_later(END_S, self.signal, signal.SIGKILL)

    def _say(self, order: Order) -> None:
        if self.silent_since_s is None:
            self.silent_since_s = self._now_s()
        self.send(order)

    # -- what it says

    def _heard(self, message: Message) -> None:
        if self.gone.is_set():
            return
        match message:
            case Ask():
                self._ask(message)
            case Answered() | Finished() | Leave() | Unreachable():
                self._asked_has(message)
            case Heard():
                self._acknowledged(message)
            case Emptied(serial=serial):
                self._let_go(serial)
            case Here(rows=rows):
                self.rows_known = rows
                self.here.set()
            case Leaving():
                self._leaves(self)
            case Keep() | Retry() | Told():
                self._report(message)
            case _:
                raise AssertionError(f"no worker says {message!r}")

    def _ask(self, ask: Ask) -> None:
        home = self._home(ask.service)
        if home is None:
            self.send(refusal(ask.number, StoppingError(ask.service, "it was removed", retry_after_s=1.0)))
            return
        asked = Asked(ask, home=home, send=self.send, ended=self._asked.__delitem__)
        self._asked[ask.number] = asked
        asked.enter(suspect=ask.suspect, reason=ask.reason)

    def _asked_has(self, report: Answered | Finished | Leave | Unreachable) -> None:
        """Something has happened to a request; it may have been refused while the report was on its way."""
        asked = self._asked.get(report.number)
        if asked is None:
            return
        match report:
            case Answered():
                asked.answered()
            case Finished():
                asked.finished()
            case Leave():
                asked.leave()
            case Unreachable(reason=reason):
                asked.unreachable(reason)

    def _acknowledged(self, heard: Heard) -> None:
        self.may_act = False
        for service, epoch in heard.epochs.items():
            if self._told.get(service, epoch + 1) <= epoch:
                del self._told[service]
        self.silent_since_s = self._now_s() if self._told else None
        for serial, (service, _, epoch) in tuple(self._shut.items()):
            if serial in heard.busy:
                self._hold(serial, heard.busy[serial])
            elif heard.epochs.get(service, -1) >= epoch:
                self._let_go(serial)
        for service in heard.epochs:
            home = self._home(service)
            if home is not None:
                home.heard()

    def _report(self, message: Keep | Retry | Told) -> None:
        home = self._home(message.service)
        if isinstance(message, Told):
            self._tell(message.kind, message.text, service=message.service, detail=message.detail)
        elif home is not None and isinstance(message, Keep):
            home.keep_awake(message.seconds, reason=message.reason)
        elif home is not None:
            home.retry()

    # -- targets that are shut

    def _hold(self, serial: int, count: int) -> None:
        _, target, _ = self._shut[serial]
        target.elsewhere += count - self._busy.get(serial, 0)
        self._busy[serial] = count

    def _let_go(self, serial: int) -> None:
        if serial in self._shut:
            self._hold(serial, 0)
            service, _, _ = self._shut.pop(serial)
            del self._busy[serial]
            home = self._home(service)
            if home is not None:
                home.heard(serial)

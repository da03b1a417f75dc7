"""The crew: all workers of a gateway. It starts them, takes them over, replaces them, and tells each what it must know.

A worker ends only because it was told to, or because it broke: then it is replaced, at once the first time. Nobody
who waits to be accepted is refused meanwhile, as the keeper has a copy of each socket.

Over 300 lines because who is started, taken over, replaced and ended is one table of numbers, processes and sockets:
each step must know what the others have begun.
"""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Self

from wakegate.core.backoff import backoff_s
from wakegate.core.errors import StateError
from wakegate.core.phase import Phase
from wakegate.core.say import say_count, say_duration
from wakegate.core.spec import GatewaySpec, ProcessSpec, ServiceSpec
from wakegate.local.backend.watch import watch
from wakegate.local.lane import Home
from wakegate.local.workers import doors
from wakegate.local.workers.adopt import Left, left_behind
from wakegate.local.workers.beside import Beside
from wakegate.local.workers.board import SLOTS_MAX, Board
from wakegate.local.workers.hand import END_S, Hand
from wakegate.local.workers.hello import VERSION, door_of, hear_hello
from wakegate.local.workers.start import how_ended, log_tail, start
from wakegate.local.workers.wire import Configure, Drain, End, Post
from wakegate.ports import Clock

STUCK_S = 30.0  # a worker that does not acknowledge for so long is killed: no service could sleep any more
LOOK_INTERVAL_S = 1.0
HEALTHY_S = 10.0  # those that end sooner after their start are replaced later and later
BACKOFF_MIN_S, BACKOFF_MAX_S = 1.0, 30.0
TOLD_TO_END = "was told to end by a signal; it finishes what it has"
NOTHING = ProcessSpec(command=())  # what runs is not for workers to know: an environment may hold secrets


class Crew:
    """`given` are sockets that somebody else has bound; `home` finds the service of a name.

    `tell` takes a kind, a text, and what else a notice has.
    """

    def __init__(
        self,
        spec: GatewaySpec,
        *,
        count: int,
        given: Sequence[socket.socket] = (),
        home: Callable[[str], Home | None],
        tell: Callable[..., None],
        clock: Clock,
    ) -> None:
        self._spec = spec
        self._count = count
        self._home = home
        self._tell = tell
        self._clock = clock
        self._state_dir = Path(spec.state_dir)
        self._door = door_of(spec, given=given)
        self._is_one = bool(given or spec.unix_path)  # all accept from the same sockets: no more can be bound beside
        self._hands: dict[int, Hand] = {}  # by number: all that may have something in flight
        self._doors: dict[int, list[socket.socket]] = {}  # by number: what a worker accepts from, or the next one
        self._spare: list[list[socket.socket]] = []  # of workers that leave
        self._besides: dict[str, Beside] = {}
        self._rows: dict[str, int] = {}  # a row is never given to another service
        self._services: tuple[ServiceSpec, ...] = ()
        self._soon: dict[int, int] = {}  # by number: how often in a row its worker has ended soon after its start
        self._tasks: asyncio.TaskGroup | None = None
        self._replacing: list[asyncio.Task[None]] = []

    # -- what services and requests need

    def beside(self, service: str) -> Beside:
        """Return the crew as this service sees it."""
        row = self._rows.setdefault(service, 1 + max(self._rows.values(), default=-1))
        beside = self._besides[service] = Beside(service, row=row, hands=self._hands.values)
        return beside

    def configure(self, spec: GatewaySpec, services: Sequence[ServiceSpec]) -> None:
        """Let requests come in for these services from now on."""
        self._spec, self._services = spec, tuple(one for one in services if one.is_routed)
        for hand in self._hands.values():
            if hand.is_here:
                hand.configure(self._configuration())

    def _configuration(self) -> Configure:
        posts = []
        for spec in self._services:
            beside = self._besides[spec.name]
            bare = replace(spec, run=NOTHING)
            posts.append(Post(spec=bare, row=beside.row, epoch=beside.epoch, outlook=beside.outlook))
        share = ceil(self._spec.connections_max / self._count)
        return Configure(gateway=replace(self._spec, connections_max=share), posts=tuple(posts))

    # -- its beginning

    async def adopt(self) -> Sequence[socket.socket]:
        """Take over the workers of a keeper that was killed; return the sockets of one of them, if there is any."""
        left = await left_behind(self._state_dir)
        boards = [one.met.board_fd for one in left if one.met is not None and one.met.hello.version == VERSION]
        self._board = Board(os.dup(boards[0])) if boards else Board.make()
        for one in left:
            await self._adopt(one)
        if self._doors:
            self._tell("adopted", f"{say_count(len(self._doors), 'running worker')} taken over")
        return next(iter((*self._doors.values(), *self._spare)), ())

    async def _adopt(self, left: Left) -> None:
        """Take one over; one that is of no use finishes what it has, and leaves its sockets if they are at our door."""
        hand = self._hand(left.number)
        hand.may_act = True
        self._enter(hand, pid=left.pid, child=None)
        met = left.met
        if met is None:
            left.close()
            hand.signal(signal.SIGKILL)
            return
        is_useful = met.hello.door == self._door and met.hello.version == VERSION and self._board.is_at(met.board_fd)
        is_useful = is_useful and len(self._doors) < self._count
        if met.hello.door == self._door:
            sockets, met.listening = met.listening, []
            if is_useful:
                self._doors[left.number] = sockets
            else:
                self._spare.append(sockets)
        met.close()
        if is_useful:
            await hand.connect(left.connection)
            await hand.here.wait()
            self._rows |= hand.rows_known
        else:
            left.connection.close()
            hand.signal(signal.SIGTERM)

    async def open(self, first: Sequence[socket.socket], tasks: asyncio.TaskGroup) -> None:
        """Let workers accept at these sockets, which are bound, or were adopted, and at more that are bound beside."""
        self._tasks = tasks
        is_taken = bool(self._doors or self._spare)
        spare = self._spare if is_taken else [list(first)]
        if not is_taken and not self._is_one:
            doors.share(first)
        while len(self._doors) < self._count:
            self._doors[self._free_number()] = spare.pop() if spare else self._more(first)
        for sockets in spare:
            doors.close(sockets)
        for number, sockets in self._doors.items():
            doors.listen(sockets)
            if number not in self._hands:
                self._start(number)
        self._looking = tasks.create_task(self._look_after(), name="crew")
        for hand in [hand for number, hand in self._hands.items() if number in self._doors]:
            await hand.begun.wait()

    def _more(self, first: Sequence[socket.socket]) -> list[socket.socket]:
        """Return what one more worker accepts from."""
        return [one.dup() for one in first] if self._is_one else doors.bind(doors.addresses_of(first))

    # -- its end

    def shut(self) -> None:
        """Let no worker accept any more; each finishes what it has."""
        for task in self._replacing:
            task.cancel()
        for sockets in self._doors.values():
            doors.close(sockets)
        self._doors.clear()
        for hand in self._hands.values():
            if hand.is_here:
                hand.send(Drain())
            else:
                hand.signal(signal.SIGTERM)

    async def close(self) -> None:
        """Return when every worker has ended; what one still has is cut."""
        self._looking.cancel()
        for hand in self._hands.values():
            hand.send(End())
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await self._all_gone()
        for hand in self._hands.values():
            hand.signal(signal.SIGKILL)
        await self._all_gone()

    def __enter__(self) -> Self:
        """End what an error may leave behind, when the block ends."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill who is still there: nobody, where all has gone well."""
        for hand in self._hands.values():
            hand.signal(signal.SIGKILL)

    async def _all_gone(self) -> None:
        for hand in tuple(self._hands.values()):
            await hand.gone.wait()

    # -- one worker's life

    def _hand(self, number: int) -> Hand:
        slot = self._board.slot(number)
        now_s = self._clock.now_s
        return Hand(number, slot=slot, home=self._home, tell=self._tell, leaves=self._leaves, now_s=now_s)

    def _start(self, number: int) -> None:
        assert self._tasks is not None, "the crew is open"
        ours, theirs = socket.socketpair()
        with theirs:
            child = start(
                slot=number,
                door=self._door,
                state_dir=self._state_dir,
                board_fd=self._board.fd,
                channel=theirs,
                listening=self._doors[number],
            )
        hand = self._hand(number)
        self._enter(hand, pid=child.pid, child=child)
        self._tasks.create_task(self._welcome(hand, ours), name=f"welcome:{number}")

    async def _welcome(self, hand: Hand, connection: socket.socket) -> None:
        """Meet a worker that was started; one that cannot begin ends, and is replaced as any other."""
        try:
            met = await hear_hello(connection)
        except (EOFError, TimeoutError):
            connection.close()
            hand.signal(signal.SIGKILL)
            return
        met.close()
        await hand.connect(connection)
        await hand.here.wait()
        hand.configure(self._configuration())
        if hand.number not in self._doors:
            hand.send(Drain())  # all are to, meanwhile

    def _enter(self, hand: Hand, *, pid: int, child: subprocess.Popen[bytes] | None) -> None:
        hand.pid = pid
        self._hands[hand.number] = hand
        gone = partial(self._ended, hand, child, self._clock.now_s())
        try:
            watch(pid, child=child, gone=gone)
        except ProcessLookupError:  # one that was left, and has ended while it was met
            gone()

    def _ended(self, hand: Hand, child: subprocess.Popen[bytes] | None, since_s: float) -> None:
        """Its process is gone, and every socket that it had: only now is forgotten what it had in flight."""
        status = None if child is None else child.wait()
        del self._hands[hand.number]
        hand.bury()
        for service, beside in self._besides.items():
            beside.bury(hand, now_s=self._clock.now_s())
            home = self._home(service)
            if home is not None and beside.outlook.phase is not Phase.ASLEEP:
                home.heard()
        if hand.number in self._doors and self._tasks is not None:
            replacing = self._replace(hand, how=how_ended(status), lived_s=self._clock.now_s() - since_s)
            self._replacing.append(self._tasks.create_task(replacing, name=f"replace:{hand.number}"))

    def _leaves(self, hand: Hand) -> None:
        """Let another take its place while it finishes what it has, or else once it has ended."""
        number = self._free_number()
        if hand.number in self._doors and number < SLOTS_MAX:
            self._doors[number] = self._doors.pop(hand.number)
            self._tell("worker", f"worker {hand.number} (pid {hand.pid}) {TOLD_TO_END}, and another takes its place")
            self._start(number)

    def _free_number(self) -> int:
        return next(number for number in count(1) if number not in self._hands and number not in self._doors)

    async def _replace(self, hand: Hand, *, how: str, lived_s: float) -> None:
        number = hand.number
        self._replacing = [task for task in self._replacing if not task.done()]
        self._soon[number] = self._soon.get(number, 0) + 1 if lived_s < HEALTHY_S else 0
        what, detail = f"worker {number} (pid {hand.pid}) {how}", log_tail(self._state_dir, number)
        if self._soon[number] <= 1:
            self._tell("worker", f"{what}; another takes its place", detail=detail)
        else:
            await self._back_off(number, what, detail=detail)
        self._start(number)

    async def _back_off(self, number: int, what: str, *, detail: tuple[str, ...]) -> None:
        """Wait, at a closed door: connections go to the others meanwhile, instead of waiting for nobody."""
        count = self._soon[number]
        wait_s = backoff_s(count - 1, min_s=BACKOFF_MIN_S, max_s=BACKOFF_MAX_S)
        text = f"{what}, {count} times in a row soon after its start; the next is started in {say_duration(wait_s)}"
        self._tell("worker", text, detail=detail)
        if self._is_one:  # the others accept there as well
            await asyncio.sleep(wait_s)
            return
        addresses = doors.addresses_of(self._doors[number])
        doors.close(self._doors[number])
        self._doors[number] = []
        while not self._doors[number]:
            await asyncio.sleep(wait_s)
            try:
                self._doors[number] = doors.bind(addresses)
            except StateError as error:  # the door of every worker was closed, and somebody else came
                self._tell("worker", f"{error}; tried again in {say_duration(wait_s)}")
        doors.listen(self._doors[number])

    async def _look_after(self) -> None:
        """Kill a worker that does not acknowledge: it may be stopped, or stuck in a loop."""
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            for hand in tuple(self._hands.values()):
                since_s = hand.silent_since_s
                if since_s is not None and self._clock.now_s() - since_s > STUCK_S:
                    self._tell("worker", f"worker {hand.number} (pid {hand.pid}) answers nothing, and is killed")
                    hand.silent_since_s = None
                    hand.signal(signal.SIGKILL)

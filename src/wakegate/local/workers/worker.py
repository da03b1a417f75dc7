"""A worker's life: it meets its keeper, lets requests in, and goes on without a keeper until the next one comes."""

import asyncio
import os
import signal
import socket
from collections import deque
from collections.abc import Coroutine
from functools import partial
from pathlib import Path

from wakegate.core.spec import GatewaySpec
from wakegate.local.certificate import Certificate, renew
from wakegate.local.clock import SystemClock
from wakegate.local.listener import allow_connections
from wakegate.local.reception import Reception
from wakegate.local.routes import Routes
from wakegate.local.store.sqlite import SqliteStore
from wakegate.local.workers.asks import Asks
from wakegate.local.workers.board import Board
from wakegate.local.workers.channel import Channel
from wakegate.local.workers.hello import VERSION, Hello, own_socket, peer_of, say_hello, wait_for_keepers
from wakegate.local.workers.outpost import Outpost
from wakegate.local.workers.papers import Papers, folder_of
from wakegate.local.workers.shared_book import SharedBook
from wakegate.local.workers.wire import (
    Comfort,
    Configure,
    Drain,
    End,
    Heard,
    Here,
    Keep,
    Leaving,
    Look,
    Message,
    Post,
    Refuse,
    Release,
    Report,
    Retry,
    Told,
)

LOOK_INTERVAL_S = 0.25
NOTE_INTERVAL_S = 1.0  # how old the newest request that `explain` names may be
ORPHAN_S = 60.0  # without a keeper and without a request for so long, it ends: nobody would ever stop it
UNSENT_MAX = 1000  # what waits for the next keeper


class Worker:
    """One process that lets requests in."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers
        self._clock = SystemClock()
        self._reception = Reception(GatewaySpec(), routes=Routes[Outpost](()), tell=self._tell)
        self._board = Board(papers.board)
        self._slot = self._board.slot(papers.slot)
        self._listening = [socket.socket(fileno=fd) for fd in papers.listening]
        self._lanes: dict[str, Outpost] = {}
        self._rows: dict[str, int] = {}
        self._asks = Asks(self._send)
        self._channel: Channel | None = None
        self._is_introduced = False  # the keeper that it speaks with has told it everything
        self._unsent: deque[Report] = deque(maxlen=UNSENT_MAX)
        self._alone_since_s = self._clock.now_s()
        self._is_open = False
        self._end_by_s: float | None = None  # once it drains
        self._end = asyncio.Event()

    async def run(self) -> None:
        """Serve until it is told to end, or nobody needs it any more."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leave)
        state_dir = Path(self._papers.state_dir)
        with SqliteStore(state_dir / "state.sqlite") as self._store:
            async with asyncio.TaskGroup() as self._tasks:
                self._reception.begin(self._tasks)
                waiting = wait_for_keepers(folder_of(state_dir), self._papers.slot)
                await self._meet(socket.socket(fileno=self._papers.channel))
                self._loops = [
                    self._loop(self._hear_keepers(waiting), "keepers"),
                    self._loop(self._look_after(), "look-after"),
                ]
                await self._end.wait()
                waiting.close()
                own_socket(folder_of(state_dir), self._papers.slot).unlink(missing_ok=True)
                for loop_task in self._loops:
                    loop_task.cancel()
                self._reception.close()
                for lane in self._lanes.values():
                    lane.flush()
                if self._channel is not None:
                    self._channel.close()

    # -- its keeper

    async def _hear_keepers(self, waiting: socket.socket) -> None:
        """Meet whoever keeps the state directory now."""
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(waiting)
            if peer_of(connection)[1] == os.getuid():
                await self._meet(connection)
            else:
                connection.close()

    async def _meet(self, connection: socket.socket) -> None:
        if self._channel is not None:
            self._lost(self._channel)  # the next keeper may be there before the end of the last one is seen
        papers, is_leaving = self._papers, self._end_by_s is not None
        hello = Hello(version=VERSION, pid=os.getpid(), slot=papers.slot, door="" if is_leaving else papers.door)
        connection.setblocking(False)
        say_hello(connection, hello, board_fd=papers.board, listening=self._listening)
        channel = Channel(heard=self._heard, lost=lambda: self._lost(channel))
        await asyncio.get_running_loop().create_unix_connection(lambda: channel, sock=connection)
        self._channel, self._is_introduced = channel, False
        channel.send(Here(rows=self._rows))

    def _lost(self, channel: Channel) -> None:
        """The keeper was killed: what is warm goes on, and everything else waits for the next one."""
        if self._channel is channel:
            self._channel = None
            self._is_introduced = False
            self._alone_since_s = self._clock.now_s()
            self._asks.lose()

    def _send(self, report: Report) -> None:
        if self._channel is not None and self._is_introduced:
            self._channel.send(report)
        elif isinstance(report, Told | Keep | Retry | Leaving):
            self._unsent.append(report)  # of everything else there is nobody left who would need it

    def _tell(self, kind: str, text: str, *, service: str = "", detail: tuple[str, ...] = ()) -> None:
        self._send(Told(kind=kind, text=text, service=service, detail=detail))

    def _heard(self, message: Message) -> None:
        match message:
            case Release() | Refuse() | Comfort():
                self._asks.hear(message)
            case Look(service=service, epoch=epoch):
                lane = self._lanes.get(service)
                busy = {} if lane is None else lane.look(message.outlook)
                self._send(Heard(epochs={service: epoch}, busy=busy))
            case Configure():
                self._configure(message)
            case Drain():
                self._drain()
            case End():
                self._end.set()
            case _:
                raise AssertionError(f"no keeper says {message!r}")

    # -- what it serves

    def _configure(self, configure: Configure) -> None:
        is_first, self._is_introduced = not self._is_introduced, True
        self._reception.spec = configure.gateway
        allow_connections(configure.gateway.connections_max)
        busy: dict[int, int] = {}
        listed = {}
        for post in configure.posts:
            lane = listed[post.spec.name] = self._lane(post)
            if is_first:
                lane.rename(post.outlook)
            busy |= lane.look(post.outlook)
        gone = {name: lane for name, lane in self._lanes.items() if name not in listed and lane.in_flight}
        self._lanes = listed | gone
        self._reception.routes = Routes[Outpost]((post.spec, listed[post.spec.name]) for post in configure.posts)
        self._send(Heard(epochs={post.spec.name: post.epoch for post in configure.posts}, busy=busy))
        if is_first:
            while self._unsent:
                self._send(self._unsent.popleft())
            self._asks.resume()
        if not self._is_open and self._end_by_s is None:
            self._is_open = True
            self._tasks.create_task(self._open(configure.gateway), name="open")

    def _lane(self, post: Post) -> Outpost:
        name = post.spec.name
        if self._rows.get(name) == post.row and name in self._lanes:
            lane = self._lanes[name]
            lane.configure(post.spec)
            return lane
        self._rows[name] = post.row
        book = SharedBook(
            post.spec.session,
            board=self._board,
            service=name,
            path=post.spec.path,
            store=self._store,
            clock=self._clock,
            warn=partial(self._tell, "warning", service=name),
        )
        book.changed = partial(self._write_soon, book)
        row = self._slot.row(post.row)
        return Outpost(post.spec, row=row, book=book, asks=self._asks, send=self._send, clock=self._clock)

    def _write_soon(self, book: SharedBook) -> None:
        self._loop(book.write_soon(), "sessions")

    async def _open(self, spec: GatewaySpec) -> None:
        certificate = Certificate(spec.tls_certificate, spec.tls_key) if spec.tls_key else None
        if certificate is not None:
            self._loops.append(
                self._loop(renew(certificate, tell=lambda *_: None), "certificate")
            )  # the keeper tells, once for all
        await self._reception.open([one.dup() for one in self._listening], certificate)

    # -- its end

    def _leave(self) -> None:
        """End because of a signal: the keeper may start another one at once."""
        self._send(Leaving())
        self._drain()

    def _drain(self) -> None:
        """Accept nobody any more, and end when what is being served has ended, or has had its time."""
        if self._end_by_s is None:
            self._end_by_s = self._clock.now_s() + self._reception.spec.drain_timeout_s
            for one in self._listening:
                one.close()
            self._listening.clear()
            self._reception.shut()
            self._asks.end()

    async def _look_after(self) -> None:
        noted_s = 0.0
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            now_s = self._clock.now_s()
            if self._end_by_s is not None:
                self._reception.drain()
                if now_s > self._end_by_s or not self._reception.connections:
                    self._end.set()
            if self._channel is None and self._is_unused(now_s):
                self._drain()
            if now_s - noted_s >= NOTE_INTERVAL_S:
                noted_s = now_s
                for lane in self._lanes.values():
                    lane.note()

    def _is_unused(self, now_s: float) -> bool:
        if now_s - self._alone_since_s < ORPHAN_S or self._asks.asked:
            return False
        return all(not lane.in_flight and now_s - lane.touched_s > ORPHAN_S for lane in self._lanes.values())

    def _loop(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        return self._tasks.create_task(work, name=name)

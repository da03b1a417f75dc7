"""A real worker process in the hands of a test, which is its keeper; and an app that it forwards to."""

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import httpx
from tests.local.request.peer import PATIENCE_S
from tests.local.workers.world import Line, eventually, spec

from wakegate.core.spec import GatewaySpec, ServiceSpec
from wakegate.local.elsewhere import Outlook
from wakegate.local.lane import Target
from wakegate.local.store.sqlite import SqliteStore
from wakegate.local.workers.board import Board
from wakegate.local.workers.hello import Met, find, hear_hello
from wakegate.local.workers.papers import folder_of
from wakegate.local.workers.start import start
from wakegate.local.workers.wire import Configure, Heard, Here, Look, Post

DOOR = "http 127.0.0.1:0"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class App:
    """Answers every request; `/wait` only once `go` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.arrived = 0
        self.open = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.target = Target(number=1, host="127.0.0.1", port=self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self.go.set()
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.arrived += 1
                if head.startswith(b"GET /wait"):
                    await self.go.wait()
                writer.write(OK)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.transport.abort()
        finally:
            self.open -= 1


class Process:
    """One worker, its socket, its board and the line to it."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.board = Board.make()
        self.row = self.board.slot(1).row(0)
        self.listening = socket.socket()
        self.listening.bind(("127.0.0.1", 0))
        self.listening.listen()
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.line = Line()
        self.epoch = 0
        self.client = httpx.AsyncClient(timeout=PATIENCE_S)

    async def begin(self) -> None:
        """Start it, and hear its hello."""
        ours, theirs = socket.socketpair()
        with theirs:
            self.child = start(
                slot=1,
                door=DOOR,
                state_dir=self.state_dir,
                board_fd=self.board.fd,
                channel=theirs,
                listening=[self.listening],
            )
        try:
            met = await hear_hello(ours)
        except EOFError:
            ours.close()
            raise
        await self.meet(met)

    async def meet(self, met: Met) -> None:
        """Be its keeper from now on."""
        met.close()
        self.line = Line()
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: self.line.channel, sock=met.connection)
        await self.line.next(Here)

    async def meet_again(self) -> None:
        """Be the next keeper, who finds it in the state directory."""
        ((_, connection),) = find(folder_of(self.state_dir))
        await self.meet(await hear_hello(connection))

    async def leave(self) -> None:
        """End as a keeper that is killed."""
        self.line.channel.close()
        await eventually(lambda: self.line.is_lost, "the line is closed")

    async def configure(self, outlook: Outlook, *, services: tuple[ServiceSpec, ...] = (spec(),)) -> None:
        """Tell it everything, and wait until it has heard."""
        self.epoch += 1
        posts = tuple(Post(spec=one, row=row, epoch=self.epoch, outlook=outlook) for row, one in enumerate(services))
        gateway = GatewaySpec(state_dir=str(self.state_dir), drain_timeout_s=PATIENCE_S)
        self.line.channel.send(Configure(gateway=gateway, posts=posts))
        await self.line.next(Heard)

    async def look(self, outlook: Outlook) -> Heard:
        """Tell it news, and return what it says to that."""
        self.epoch += 1
        self.line.channel.send(Look(service="web", epoch=self.epoch, outlook=outlook))
        return await self.line.next(Heard)

    async def get(self, path: str = "/") -> httpx.Response:
        """Ask it."""
        return await self.client.get(self.url + path)

    async def ended(self) -> int:
        """Return how it ended."""
        await eventually(lambda: self.child.poll() is not None, "it has ended")
        return self.child.wait()


@asynccontextmanager
async def process(state_dir: Path) -> AsyncIterator[Process]:
    """Lend a worker; whatever the test does, it is gone after it."""
    folder_of(state_dir).mkdir(parents=True)
    with SqliteStore(state_dir / "state.sqlite"):
        pass
    one = Process(state_dir)
    try:
        await one.begin()
        yield one
    finally:
        await one.client.aclose()
        one.line.channel.close()
        one.listening.close()
        end(one.child)


def end(child: subprocess.Popen[bytes]) -> None:
    """Kill it, where it is still there."""
    if child.poll() is None:
        child.kill()
    child.wait()


def is_there(pid: int) -> bool:
    """Say whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

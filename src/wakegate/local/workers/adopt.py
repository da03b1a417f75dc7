"""adopt: find the workers that a keeper left behind when it was killed; they go on with what is warm until then."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wakegate.core.say import say_count
from wakegate.local.backend.watch import watch
from wakegate.local.workers.hello import Hello, Met, find, hear_hello, peer_of
from wakegate.local.workers.papers import folder_of


@dataclass(slots=True)
class Left:
    """A worker that was left; one that is stuck has met nobody."""

    number: int
    pid: int
    connection: socket.socket
    met: Met | None

    @property
    def hello(self) -> Hello | None:
        """Return who it is, None for one that is stuck."""
        return None if self.met is None else self.met.hello

    def close(self) -> None:
        """Let go of it."""
        self.connection.close()
        if self.met is not None:
            self.met.close()


async def left_behind(state_dir: Path) -> list[Left]:
    """Return those that are there, each with what it has handed over."""
    folder = folder_of(state_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    left = []
    for number, connection in find(folder):
        pid = peer_of(connection)[0]
        try:
            met = await hear_hello(connection)
        except EOFError:  # it has ended meanwhile
            connection.close()
            continue
        except TimeoutError:
            met = None
        left.append(Left(number, pid, connection, met))
    return left


async def dismiss(state_dir: Path, *, drain_timeout_s: float, tell: Callable[..., None]) -> None:
    """End those that are there, where no worker is wanted any more; they finish what they have first."""
    if not folder_of(state_dir).exists():
        return
    left = await left_behind(state_dir)
    if not left:
        return
    tell("stopped-orphan", f"{say_count(len(left), 'worker')} of an earlier gateway told to end, as workers = 1")
    ends = [_end_of(one.pid) for one in left]
    for one in left:
        one.close()
    for number, patience_s in ((signal.SIGTERM, drain_timeout_s), (signal.SIGKILL, None)):
        for one, end in zip(left, ends, strict=True):
            if not end.is_set():
                with suppress(ProcessLookupError):
                    os.kill(one.pid, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                for end in ends:
                    await end.wait()


def _end_of(pid: int) -> asyncio.Event:
    end = asyncio.Event()
    try:
        watch(pid, child=None, gone=end.set)
    except ProcessLookupError:
        end.set()
    return end

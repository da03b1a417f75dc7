"""Where the timeline is written: by a thread of its own, so that nobody who reads slowly, or not at all, stops us.

A terminal that is paused and a pipe that is full block whoever writes to them; in the gateway's own thread that would
hold up every request.
"""

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Thread

TEXTS_MAX = 10_000  # that wait for a reader; what comes then is counted and left out
CLOSE_TIMEOUT_S = 1.0  # how long the last lines may take at the end
GONE = "wakegate: nobody reads the timeline any more; the gateway goes on without it (see: wakegate status)\n"


class Outlet:
    """Writes to a descriptor. `dropped` says in the reader's own format how many texts were left out."""

    def __init__(self, fd: int, *, encoding: str = "utf-8", dropped: Callable[[int], str]) -> None:
        self._fd = fd
        self._encoding = encoding
        self._dropped = dropped
        self._dropped_count = 0
        self._is_gone = False
        self._texts: Queue[str | None] = Queue(TEXTS_MAX)
        self._thread = Thread(target=self._run, name="timeline", daemon=True)
        self._thread.start()

    def is_behind(self) -> bool:
        """Say whether texts wait: then it is of no use to write what the next text replaces."""
        return not self._texts.empty()

    def write(self, text: str) -> None:
        """Take a text; never blocks, never raises."""
        if self._is_gone:
            return
        try:
            if self._dropped_count:
                self._texts.put_nowait(self._dropped(self._dropped_count))
                self._dropped_count = 0
            self._texts.put_nowait(text)
        except Full:
            self._dropped_count += 1

    def close(self) -> None:
        """Write what waits, as far as somebody reads it."""
        with suppress(Full):
            self._texts.put_nowait(None)
            self._thread.join(CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        while (text := self._texts.get()) is not None:
            try:
                self._write_all(text.encode(self._encoding, errors="replace"))
            except OSError as error:
                # A full disk may have room again for the next line; a closed pipe or terminal has no next one.
                if error.errno in (errno.EPIPE, errno.EIO, errno.EBADF):
                    self._give_up()
                    return

    def _write_all(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:  # somebody who shares the terminal has made it non-blocking
                os.set_blocking(self._fd, True)

    def _give_up(self) -> None:
        self._is_gone = True
        with suppress(Empty):
            while True:
                self._texts.get_nowait()
        with suppress(OSError):
            if sys.stderr is not None:
                os.write(sys.stderr.fileno(), GONE.encode())

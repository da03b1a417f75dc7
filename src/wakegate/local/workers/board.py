"""The board: memory that keeper and workers share, for what each of them may read at any moment without asking.

A worker has a slot, with a row for each service: what it has let in without asking, and when. Only the worker writes
it, so nothing is locked; when it was killed, the row still says what it had in flight. In front of the slots are the
marks: one changes whenever the data of a session that belongs to it was stored, by whichever worker.

    marks (one page each for 8,192) | slot 0: row 0, row 1, … | slot 1: …

The memory has no name (memfd): it goes with the last process that has it, and is handed on by `hello`.
"""

import mmap
import os
from collections.abc import Sequence
from itertools import count
from zlib import crc32

from wakegate.core.errors import StateError

CELL = 8  # bytes: an integer or a float
MARKS = 8_192
MARKS_BYTES = MARKS * CELL  # 64 KiB: where a slot begins must be the beginning of a page, and those may be this large
ROWS_MAX = 16_384  # services
ROW_CELLS = 128
IN_FLIGHT, REQUESTS, TOUCHED, ENDED, RECENT = range(5)  # the cells of a row; the durations begin at RECENT
RECENT_MAX = 96
TEXT = RECENT + RECENT_MAX  # what is left: the newest request, its length in the first cell
TEXT_BYTES_MAX = (ROW_CELLS - TEXT - 1) * CELL
SLOT_BYTES = ROWS_MAX * ROW_CELLS * CELL  # 16 MiB, of which only rows that were written take memory
SLOTS_MAX = 128  # workers, and those that still end

_news = count(int.from_bytes(os.urandom(7)))  # seven of eight bytes: another process begins somewhere else


class Board:
    """The memory itself, by its descriptor."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._marks_map = mmap.mmap(fd, MARKS_BYTES)
        self._marks = memoryview(self._marks_map).cast("Q")

    @classmethod
    def make(cls) -> "Board":
        """Make an empty one; pages that nobody has written take no memory."""
        fd = os.memfd_create("wakegate-workers")
        os.ftruncate(fd, MARKS_BYTES + SLOTS_MAX * SLOT_BYTES)
        return cls(fd)

    def is_at(self, fd: int) -> bool:
        """Say whether a descriptor is of this very memory."""
        return os.path.sameopenfile(self.fd, fd)

    def slot(self, number: int) -> "Slot":
        """Return the slot of this number."""
        return Slot(mmap.mmap(self.fd, SLOT_BYTES, offset=MARKS_BYTES + number * SLOT_BYTES))

    def mark(self, session_id: str) -> int:
        """Return what changes when the data of this session does; sometimes with that of another one, too."""
        return self._marks[crc32(session_id.encode()) % MARKS]

    def change(self, session_id: str) -> int:
        """The data of this session has been stored: return the new mark, which nobody has seen before."""
        mark = next(_news)
        self._marks[crc32(session_id.encode()) % MARKS] = mark
        return mark


class Slot:
    """What one worker counts."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._bytes = memoryview(memory)
        self._memory = memory
        self._numbers = self._bytes.cast("q")
        self._times = self._bytes.cast("d")

    def row(self, number: int) -> "Row":
        """Return the row of this number; raise `StateError` where there are not so many."""
        if number >= ROWS_MAX:
            raise StateError(f"with workers there can be {ROWS_MAX} services at most; set workers = 1 for more")
        first = number * ROW_CELLS
        return Row(
            self._numbers[first : first + ROW_CELLS],
            self._times[first : first + ROW_CELLS],
            self._bytes[(first + TEXT) * CELL : (first + ROW_CELLS) * CELL],
        )


class Row:
    """What one worker counts of one service; the worker writes, everybody may read."""

    __slots__ = ("_in_flight", "_numbers", "_requests", "_text", "_times")

    def __init__(self, numbers: memoryview, times: "memoryview[float]", text: memoryview) -> None:
        self._numbers = numbers
        self._times = times
        self._text = text
        self._in_flight: int = numbers[IN_FLIGHT]  # the writer's own: to add in shared memory would read it first
        self._requests: int = numbers[REQUESTS]

    # -- the worker writes

    def began(self, arrived_s: float) -> None:
        """A request was let in."""
        numbers = self._numbers
        self._in_flight += 1
        self._requests += 1
        numbers[IN_FLIGHT] = self._in_flight
        numbers[REQUESTS] = self._requests
        self._times[TOUCHED] = arrived_s

    def ended(self, arrived_s: float, *, now_s: float) -> None:
        """It has its last byte."""
        numbers, times = self._numbers, self._times
        self._in_flight -= 1
        assert self._in_flight >= 0, "began and ended are not paired"
        ended = numbers[ENDED]
        times[RECENT + ended % RECENT_MAX] = now_s - arrived_s
        numbers[ENDED] = ended + 1
        times[TOUCHED] = now_s
        numbers[IN_FLIGHT] = self._in_flight

    def taken_back(self) -> None:
        """It did not reach the app, and is counted by the keeper from now on."""
        self._in_flight -= 1
        self._requests -= 1
        self._numbers[REQUESTS] = self._requests
        self._numbers[IN_FLIGHT] = self._in_flight

    def taken_over(self) -> None:
        """One that the keeper counted is counted here: the keeper is gone."""
        self._in_flight += 1
        self._numbers[IN_FLIGHT] = self._in_flight

    def note(self, text: str) -> None:
        """Name the newest request."""
        data = text.encode()[:TEXT_BYTES_MAX]
        self._text[CELL : CELL + len(data)] = data
        self._text[0] = len(data)

    # -- the keeper reads

    @property
    def in_flight(self) -> int:
        """Count what was let in and has not ended."""
        return int(self._numbers[IN_FLIGHT])

    @property
    def requests(self) -> int:
        """Count what was let in, ever."""
        return int(self._numbers[REQUESTS])

    @property
    def touched_s(self) -> float:
        """Return when the newest began or ended."""
        return float(self._times[TOUCHED])

    @property
    def ended_count(self) -> int:
        """Count what has ended, ever."""
        return int(self._numbers[ENDED])

    def durations(self, *, since: int) -> Sequence[float]:
        """Return how long the newest took that ended after the first `since`."""
        newest = min(self.ended_count - since, RECENT_MAX)
        ended = self.ended_count
        return [float(self._times[RECENT + index % RECENT_MAX]) for index in range(ended - newest, ended)]

    @property
    def last(self) -> str:
        """Return the name of the newest request."""
        return bytes(self._text[CELL : CELL + self._text[0]]).decode(errors="replace")

    def wipe(self) -> None:
        """Its worker is gone, and so is what it had in flight."""
        self._numbers[:] = memoryview(bytes(ROW_CELLS * CELL)).cast("q")
        self._in_flight = self._requests = 0

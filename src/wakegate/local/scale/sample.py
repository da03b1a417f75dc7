"""sample: read what a replica uses, and keep the readings of a window."""

import asyncio
import time
from collections import deque
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import psutil

from wakegate.ports import Replica, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a replica has used since it began, and when that was read: the meter's time, not the Clock's."""

    cpu_s: float
    memory_bytes: int
    at_s: float


class Readings:
    """The newest reading of each replica; two of them make a percentage."""

    def __init__(self) -> None:
        self._last: WeakKeyDictionary[Replica, Reading] = WeakKeyDictionary()

    def usage(self, replica: Replica, reading: Reading | None) -> Usage | None:
        """Return what was used between the last reading and this one, or None where either is missing."""
        if reading is None:
            self._last.pop(replica, None)
            return None
        last, self._last[replica] = self._last.get(replica), reading
        if last is None or reading.at_s <= last.at_s:
            return None
        # Negative when a descendant was handed to init: its time is then nobody's.
        used_s = max(0.0, reading.cpu_s - last.cpu_s)
        return Usage(cpu_percent=100 * used_s / (reading.at_s - last.at_s), memory_bytes=reading.memory_bytes)


class ProcessMeter:
    """A `Meter` for processes on this machine: a replica and all its descendants."""

    def __init__(self) -> None:
        self._readings = Readings()

    async def usage(self, replica: Replica) -> Usage | None:
        """Return a reading, or None at the first call for a replica or when it is gone."""
        # Reading /proc takes some 15 µs a process of the machine: not on the loop.
        return self._readings.usage(replica, await asyncio.to_thread(_read_tree, replica.pid))


def _read_tree(pid: int) -> Reading | None:
    """Return what a process and its descendants have used until now, None when it is gone.

    Pages that forked workers share are counted for each (PSS would not, but takes milliseconds a process to read).
    """
    try:
        leader = psutil.Process(pid)
        family = [leader, *leader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return None
    cpu_s, memory_bytes, seen = 0.0, 0, 0
    for process in family:
        try:
            with process.oneshot():
                times, memory = process.cpu_times(), process.memory_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # it ended between the list and here; its parent's children times have it at the next reading
        # The children's times are of those that ended and were waited for: no worker's work is lost when it goes.
        cpu_s += times.user + times.system + times.children_user + times.children_system
        memory_bytes += memory.rss
        seen += 1
    # Not the Clock's time: the moment of the reading, which a busy loop learns of later.
    return Reading(cpu_s=cpu_s, memory_bytes=memory_bytes, at_s=time.monotonic()) if seen else None


class Samples:
    """The readings of a service's replicas within a window, by replica number."""

    def __init__(self, *, window_s: float) -> None:
        self._window_s = window_s
        self._values: dict[int, deque[tuple[float, float]]] = {}

    def add(self, number: int, *, now_s: float, value: float) -> None:
        """Keep one reading of one replica; those older than the window go."""
        values = self._values.setdefault(number, deque())
        values.append((now_s, value))
        self._drop_old(values, now_s)

    def keep_only(self, numbers: AbstractSet[int]) -> None:
        """Say which replicas there are: others are forgotten, and new ones lack data until their first reading."""
        self._values = {number: self._values.get(number, deque()) for number in numbers}

    def average(self, now_s: float) -> float | None:
        """Return the mean over the replicas of their means, or None (insufficient data) while one has no reading."""
        means: list[float] = []
        for values in self._values.values():
            self._drop_old(values, now_s)
            if not values:
                return None
            means.append(sum(value for _, value in values) / len(values))
        return sum(means) / len(means) if means else None

    def _drop_old(self, values: deque[tuple[float, float]], now_s: float) -> None:
        while values and values[0][0] <= now_s - self._window_s:
            values.popleft()

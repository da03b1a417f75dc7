"""Notice the end of a process, child or not: by pidfd, or by a thread where the system has none (macOS)."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Protocol

import psutil


class Watch(Protocol):
    """Watches one process; calls `gone` once, on the loop, when it has ended."""

    def holds(self) -> bool:
        """Say whether the process still holds its id: while it does, signals reach nobody else."""
        ...


def watch(pid: int, *, child: subprocess.Popen[bytes] | None, gone: Callable[[], None]) -> Watch:
    """Watch a process, `child` if it is ours; raise `ProcessLookupError` when there is none."""
    return PidfdWatch(pid, gone=gone) if hasattr(os, "pidfd_open") else ThreadWatch(pid, child=child, gone=gone)


class PidfdWatch:
    """A descriptor that stays this process's own even when its id is given to another, and is readable at its end."""

    def __init__(self, pid: int, *, gone: Callable[[], None]) -> None:
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._fd = os.pidfd_open(pid)
        self._loop.add_reader(self._fd, self._ended)

    def holds(self) -> bool:
        """Ask the kernel; a zombie that nobody has waited for still holds its id."""
        if self._fd < 0:
            return False
        try:
            signal.pidfd_send_signal(self._fd, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # it runs as another user (a setuid program), but it does run
            return True
        return True

    def _ended(self) -> None:
        self._loop.remove_reader(self._fd)
        try:
            self._gone()
        finally:
            os.close(self._fd)
            self._fd = -1


class ThreadWatch:
    """A thread that waits; the identity is the id and the time of birth."""

    def __init__(self, pid: int, *, child: subprocess.Popen[bytes] | None, gone: Callable[[], None]) -> None:
        try:
            self._process = psutil.Process(pid)
        except psutil.NoSuchProcess as error:
            raise ProcessLookupError(pid) from error
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        # Of a child, Popen must do the waiting: whoever waits gets the status, and nobody gets it twice.
        wait = self._process.wait if child is None else child.wait
        Thread(target=self._run, args=(wait,), name=f"watch:{pid}", daemon=True).start()

    def holds(self) -> bool:
        """Compare with the time of birth."""
        return self._process.is_running()

    def _run(self, wait: Callable[[], object]) -> None:
        wait()
        with suppress(RuntimeError):  # the loop was closed: nobody is left to tell
            self._loop.call_soon_threadsafe(self._gone)

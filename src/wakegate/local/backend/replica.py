"""One running process group: probed, signalled and watched until the last of its members is gone."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress

import psutil

from wakegate.core.errors import WorkloadError
from wakegate.core.spec import WakeSpec
from wakegate.local.backend.reclaim import give_back
from wakegate.local.backend.registry import Entry
from wakegate.local.backend.watch import Watch, watch
from wakegate.local.probe import http_answers, tcp_answers
from wakegate.ports import Exit, Kept

HOST = "127.0.0.1"
FREEZE_S = 1.0  # on a busy machine a process hears of a signal late; it cannot run past it
FREEZE_POLL_S = 0.001
LEFTOVER_GRACE_S = 2.0  # what a leader that ended by itself leaves behind has this long to end


class ProcessReplica:
    """A `Replica`. The group's leader is the process we started, or one that an earlier gateway started (no `child`).

    It is gone when its whole group is gone: a shell's child may still hold the port when the shell has ended.
    """

    def __init__(
        self,
        entry: Entry,
        *,
        probe: WakeSpec,
        child: subprocess.Popen[bytes] | None,
        age_s: Callable[[], float],
        ended: Callable[["ProcessReplica"], tuple[str, ...]],
    ) -> None:
        """Watch it from now on. `ended` is called once, when it is gone, and returns its last lines."""
        self.entry = entry
        self._probe = probe
        self._child = child
        self._age_s = age_s
        self._ended = ended
        self._asked = False  # to end, by us
        self._is_paused = child is None and is_stopped(entry.pid)
        self._exit: Exit | None = None
        self._gone = asyncio.Event()
        self._watch: Watch | None = None
        self._watch_process(entry.pid, gone=self._leader_gone)

    @property
    def number(self) -> int:
        """Its number among the replicas of the service."""
        return self.entry.number

    @property
    def host(self) -> str:
        """Where it listens: this machine only."""
        return HOST

    @property
    def port(self) -> int:
        """The port that it was told to listen on."""
        return self.entry.port

    @property
    def pid(self) -> int:
        """The leader of its process group, and the id of the group."""
        return self.entry.pid

    @property
    def is_paused(self) -> bool:
        """Whether its group is stopped; somebody else's SIGSTOP is seen only at adoption."""
        return self._is_paused

    async def answers(self) -> bool:
        """Make one probe attempt."""
        timeout_s = self._probe.probe_timeout_s
        if self._probe.probe == "tcp":
            return await tcp_answers(self.host, self.port, timeout_s=timeout_s)
        return await http_answers(self.host, self.port, self._probe.probe, timeout_s=timeout_s)

    async def exited(self) -> Exit:
        """Return once the whole group is gone."""
        await self._gone.wait()
        assert self._exit is not None
        return self._exit

    def terminate(self) -> None:
        """Ask it to end, once: many servers take a second SIGTERM for impatience and drop what they still do."""
        if not self._asked:
            self._asked = True
            self._signal(signal.SIGTERM)
            self._go_on()

    def kill(self) -> None:
        """End it."""
        self._asked = True
        self._signal(signal.SIGKILL)

    async def pause(self) -> None:
        """Stop the whole group, and return when its leader stands still, or is too busy in the kernel to.

        A child that has left the group for one of its own goes on.
        """
        if not self._is_paused:
            self._must_signal(signal.SIGSTOP)
            self._is_paused = True
            with suppress(TimeoutError):
                async with asyncio.timeout(FREEZE_S):
                    while self._is_paused and not is_stopped(self.pid):  # noqa: ASYNC110  the kernel sets no event
                        await asyncio.sleep(FREEZE_POLL_S)

    async def resume(self) -> None:
        """Let the whole group go on, at once."""
        self._is_paused = False
        self._must_signal(signal.SIGCONT)

    async def give_back(self) -> Kept:
        """Give memory back to the system, where it has swap or a control group of its own, and lets us."""
        return await asyncio.to_thread(self._give_back)

    def _give_back(self) -> Kept:
        pids = [process.pid for process in group_members(self.pid)]
        return give_back(pids, is_wanted=lambda: self._is_paused)

    def _go_on(self) -> None:
        """Let a paused group handle the signal that it was just sent."""
        if self._is_paused:
            self._is_paused = False
            self._signal(signal.SIGCONT)

    def _must_signal(self, number: signal.Signals) -> None:
        if self._exit is not None or not self._signal(number):
            raise WorkloadError(f"replica {self.number} is gone, or may not be signalled")

    def _signal(self, number: signal.Signals) -> bool:
        """Send it to the group; say whether anybody got it."""
        # While a watched member holds its id, the kernel gives the group's id to nobody else.
        if self._watch is not None and self._watch.holds():
            with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
                os.killpg(self.pid, number)
                return True
        return False

    def _watch_process(self, pid: int, *, gone: Callable[[], None]) -> None:
        try:
            self._watch = watch(pid, child=self._child if pid == self.pid else None, gone=gone)
        except ProcessLookupError:
            self._watch = None
            asyncio.get_running_loop().call_soon(gone)

    def _leader_gone(self) -> None:
        if self._child is not None:
            self._child.poll()
        self._member_gone()
        if self._exit is None and not self._asked:
            self.terminate()
            asyncio.get_running_loop().call_later(LEFTOVER_GRACE_S, self.kill)

    def _member_gone(self) -> None:
        """One more of the group has ended: watch the next until there is none."""
        rest = [process.pid for process in group_members(self.pid) if process.pid != self.pid]
        if rest:
            self._watch_process(rest[0], gone=self._member_gone)
        else:
            self._finish()

    def _finish(self) -> None:
        assert self._exit is None, "a replica ends once"
        self._watch = None
        _reap(self.pid)
        code = self._child.returncode if self._child is not None else None
        self._exit = Exit(
            status=code if code is not None and code >= 0 else None,
            signal=-code if code is not None and code < 0 else None,
            after_s=self._age_s(),
            log_tail=self._ended(self),
        )
        self._gone.set()


def group_members(group: int) -> list[psutil.Process]:
    """Return the processes of a group that run; zombies do not count."""
    members: list[psutil.Process] = []
    try:
        os.killpg(group, 0)  # spares the walk through /proc where nobody is left, nearly always
    except ProcessLookupError:
        return members
    except PermissionError:
        pass
    for pid in psutil.pids():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(pid) == group and (process := psutil.Process(pid)).status() != psutil.STATUS_ZOMBIE:
                members.append(process)
    return members


def is_stopped(pid: int) -> bool:
    """Say whether a process is stopped by a signal (state T)."""
    with suppress(psutil.Error):
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    return False


def _reap(group: int) -> None:
    """Wait for the dead that were handed to us: in a container the gateway may be init, and nobody else does it."""
    with suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass

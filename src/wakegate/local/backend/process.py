"""A service that is a process on this machine: started with its port, adopted after a crash of the gateway."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from wakegate.core.errors import WorkloadError
from wakegate.core.spec import ProcessSpec, WakeSpec
from wakegate.local.backend.orphans import ORPHAN_GRACE_S, stop_orphans
from wakegate.local.backend.port import release, reserve, take_port
from wakegate.local.backend.registry import MARKER, Entry, Registry, birth, fingerprint
from wakegate.local.backend.replica import HOST, ProcessReplica
from wakegate.local.logs import ServiceLog
from wakegate.ports import Clock

__all__ = ["ProcessWorkload", "stop_orphans"]

EXIT_LINES = 20  # of the log, in an `Exit`
ROTATION_CHECK_S = 1.0
PORT_POLL_S = 0.01


class ProcessWorkload:
    """A `Workload`: the replicas of one service as processes. `stop_orphans` comes before the first `adopt`."""

    def __init__(self, service: str, spec: ProcessSpec, *, probe: WakeSpec, registry: Registry, clock: Clock) -> None:
        self._service = service
        self._spec = spec
        self._probe = probe
        self._clock = clock
        self._registry = registry
        self._log = ServiceLog(
            service, state_dir=registry.state_dir, bytes_max=spec.log_bytes_max, files_max=spec.log_files_max
        )
        self._replicas: dict[int, ProcessReplica] = {}
        self._rotation_due = False  # a check of the log's size is scheduled or under way

    @property
    def replicas_max(self) -> int | None:
        """1 with a fixed port."""
        return 1 if self._spec.port else None

    @property
    def can_pause(self) -> bool:
        """Every process can be stopped by a signal."""
        return True

    async def start(self, *, number: int) -> ProcessReplica:
        """Start one replica; with a fixed port, when the last one has freed it."""
        if self._spec.port:
            await self._port_left()
        assert number not in self._replicas, "the numbers of living replicas are unique"
        port = self._spec.port or take_port(HOST)
        try:
            return self._start(number, port)
        except BaseException:
            release(port)
            raise

    def _start(self, number: int, port: int) -> ProcessReplica:
        since = self._log.size()
        child = self._spawn(number, port)
        try:
            return self._enter(self._record(child.pid, number=number, port=port, log_since=since), child=child)
        except OSError as error:  # disk full, no descriptor left: what cannot be kept track of must not run
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise WorkloadError(f"replica {number} cannot be kept track of: {error}") from error

    async def adopt(self) -> Sequence[ProcessReplica]:
        """Take over what an earlier gateway left and what still fits; stop what does not, within its grace."""
        misfits: list[ProcessReplica] = []
        for entry in self._registry.entries(self._service):
            if not entry.lives():
                self._registry.remove(entry)
            elif entry.number not in self._replicas:
                replica = self._enter(entry, child=None)
                reserve(entry.port)
                if entry.fingerprint != fingerprint(self._spec):
                    misfits.append(replica)
        for replica in misfits:
            replica.terminate()
        for replica in misfits:
            await _end(replica)
        return [replica for replica in self._replicas.values() if replica not in misfits]

    def log_tail(self, *, lines: int) -> tuple[str, ...]:
        """The newest lines that the service wrote."""
        return self._log.tail(lines=lines)

    async def _port_left(self) -> None:
        """Return when the fixed port is free; raise `WorkloadError` when somebody else has it."""
        while self._replicas:
            await next(iter(self._replicas.values())).exited()
        port = self._spec.port
        while self._is_held(port):  # noqa: ASYNC110  by a replica of the workload that a reload has replaced
            await asyncio.sleep(PORT_POLL_S)
        if not _is_free(port):
            raise WorkloadError(f"port {port} is in use by another program: stop it, or set another port")

    def _is_held(self, port: int) -> bool:
        return any(entry.port == port and entry.lives() for entry in self._registry.entries(self._service))

    def _spawn(self, number: int, port: int) -> subprocess.Popen[bytes]:
        """Start the process. Popen, not the loop's subprocess: with vfork it is back in 0.3 ms."""
        command = [argument.replace("{port}", str(port)) for argument in self._spec.command]
        log = -1
        try:
            log = self._log.open()
            return subprocess.Popen(  # noqa: S603  running the user's command is what this is for
                command,
                cwd=self._spec.directory,
                env=self._env(number, port),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A session of its own, not only a group: when a gateway is killed, the kernel sends SIGHUP to each
                # group of its session that is orphaned by that and has a stopped member: a paused app would be gone.
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise WorkloadError(_cause(error, command[0], directory=self._spec.directory)) from error
        finally:
            if log >= 0:
                os.close(log)

    def _env(self, number: int, port: int) -> dict[str, str]:
        own = {name: value.replace("{port}", str(port)) for name, value in self._spec.env}
        marker = self._registry.marker(self._service, number=number)
        # A PORT of the gateway's own environment is not the replica's; output in blocks would come too late to help.
        return {"PYTHONUNBUFFERED": "1"} | dict(os.environ) | {"PORT": str(port)} | own | {MARKER: marker}

    def _record(self, pid: int, *, number: int, port: int, log_since: int) -> Entry:
        entry = Entry(
            service=self._service,
            number=number,
            pid=pid,
            birth=birth(pid),
            port=port,
            fingerprint=fingerprint(self._spec),
            started_at=self._clock.utc(),
            log_since=log_since,
        )
        self._registry.write(entry)
        self._log.separate(f"{number} started at {entry.started_at:%Y-%m-%dT%H:%M:%SZ} (pid {pid}, port {port})")
        return entry

    def _enter(self, entry: Entry, *, child: subprocess.Popen[bytes] | None) -> ProcessReplica:
        age_s = 0.0 if child is not None else max(0.0, (self._clock.utc() - entry.started_at).total_seconds())
        began_s = self._clock.now_s() - age_s
        replica = ProcessReplica(
            entry,
            probe=self._probe,
            child=child,
            age_s=lambda: self._clock.now_s() - began_s,
            ended=self._leave,
        )
        self._replicas[entry.number] = replica
        self._check_log_later()
        return replica

    def _leave(self, replica: ProcessReplica) -> tuple[str, ...]:
        del self._replicas[replica.number]
        release(replica.port)
        self._registry.remove(replica.entry)
        return self._log.tail(lines=EXIT_LINES, since=replica.entry.log_since)

    def _check_log_later(self) -> None:
        if not self._rotation_due:
            self._rotation_due = True
            asyncio.get_running_loop().call_later(ROTATION_CHECK_S, self._check_log)

    def _check_log(self) -> None:
        if self._log.is_due():
            rotation = asyncio.get_running_loop().run_in_executor(None, self._log.rotate)
            rotation.add_done_callback(lambda _: self._checked_log())
        else:
            self._checked_log()

    def _checked_log(self) -> None:
        self._rotation_due = False
        if self._replicas:
            self._check_log_later()


async def _end(replica: ProcessReplica) -> None:
    try:
        async with asyncio.timeout(ORPHAN_GRACE_S):
            await replica.exited()
    except TimeoutError:
        replica.kill()
        await replica.exited()


def _is_free(port: int) -> bool:
    """Say whether a fixed port can be listened on: a probe would take whoever has it for the replica."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except PermissionError:
            return True  # below 1024: the replica may have the right that we lack
        except OSError:
            return False
        return True


def _cause(error: Exception, program: str, *, directory: str) -> str:
    """Say in one sentence why a process could not be started."""
    where = getattr(error, "filename", None)
    if where == directory and isinstance(error, FileNotFoundError):
        return f'the directory "{directory}" does not exist'
    if where == directory and isinstance(error, NotADirectoryError):
        return f'"{directory}" is not a directory'
    if isinstance(error, FileNotFoundError) and (Path(directory) / program).is_file():
        return f'"{program}" names an interpreter in its first line that does not exist'
    if isinstance(error, FileNotFoundError):
        return f'"{program}" was not found: is it installed and on the PATH?'
    if isinstance(error, PermissionError) and where == program:
        return f'"{program}" is not executable'
    return f'"{program}" cannot be started: {getattr(error, "strerror", None) or error}'

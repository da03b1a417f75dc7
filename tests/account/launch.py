"""How the process of an environment is started: anew, as Lambda does; or forked from one that has imported boto3."""

import asyncio
import json
import os
import socket
import sys
from pathlib import Path
from typing import Protocol


class Process(Protocol):
    """What an environment needs of its process."""

    @property
    def pid(self) -> int:
        """The process, and its group."""
        ...

    @property
    def returncode(self) -> int | None:
        """None while it lives."""
        ...

    @property
    def stdout(self) -> asyncio.StreamReader | None:
        """What it says."""
        ...

    async def wait(self) -> int:
        """Wait for its end."""
        ...


class Launcher(Protocol):
    """Starts the runtime with a handler."""

    async def launch(self, handler: str, *, environ: dict[str, str], folder: Path) -> Process:
        """Return the process, which leads a group of its own."""
        ...

    async def stop(self) -> None:
        """End what is kept for the next one."""
        ...


class Anew:
    """A new interpreter for each environment: what a cold start costs is measured with it."""

    async def launch(self, handler: str, *, environ: dict[str, str], folder: Path) -> Process:
        """Start an interpreter without what the tests have installed."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-S", "-m", "awslambdaric", handler),
            env=environ,
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=1024 * 1024,
        )

    async def stop(self) -> None:
        """Nothing is kept."""


class Forked:
    """A process that is nobody's child here: it has ended when its log has."""

    def __init__(self, pid: int, stdout: asyncio.StreamReader, log: asyncio.BaseTransport) -> None:
        self.pid = pid
        self.stdout = stdout
        self._log = log

    @property
    def returncode(self) -> int | None:
        """None while its log is open."""
        return 1 if self.stdout.at_eof() else None

    async def wait(self) -> int:
        """Wait for the end of the log, which whoever reads it has seen."""
        self._log.close()
        return 1


class Zygote:
    """The process that is forked, for one handler: what it imports is imported once."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self._messages, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._messages.setblocking(False)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, handler: str, *, folder: Path, site: Path) -> None:
        """Start it."""
        fd = self._theirs.fileno()
        with self._theirs:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-S", str(Path(__file__).parent / "zygote.py"), str(fd), handler, str(folder)),
                env={"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": "1"},
                pass_fds=[fd],
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )

    async def fork(self, environ: dict[str, str], *, log: int) -> int:
        """Send it what to become; return the new process."""
        async with self.turn:
            socket.send_fds(self._messages, [json.dumps(environ).encode()], [log])
            return int(await asyncio.get_running_loop().sock_recv(self._messages, 64))

    async def stop(self) -> None:
        """Let it end."""
        self._messages.close()
        if self._process is not None:
            await self._process.wait()


class Forks:
    """A fork of one process for each environment: hundreds start in seconds, but their init time is not Lambda's."""

    def __init__(self, site: Path) -> None:
        self._site = site
        self._zygotes: dict[tuple[str, Path], Zygote] = {}

    async def launch(self, handler: str, *, environ: dict[str, str], folder: Path) -> Process:
        """Fork from the zygote of this handler."""
        zygote = self._zygotes.get((handler, folder))
        if zygote is None:
            zygote = self._zygotes[handler, folder] = Zygote()
            async with zygote.turn:
                await zygote.start(handler, folder=folder, site=self._site)
        read_fd, write_fd = os.pipe()
        try:
            pid = await zygote.fork(environ, log=write_fd)
        finally:
            os.close(write_fd)
        reader = asyncio.StreamReader(limit=1024 * 1024)
        log, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_fd, "rb", buffering=0)
        )
        return Forked(pid, reader, log)

    async def stop(self) -> None:
        """Let the zygotes end."""
        for zygote in self._zygotes.values():
            await zygote.stop()

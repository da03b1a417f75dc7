"""Real apps in a line or two, a real clock, and a way to wait for what has no event."""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wakegate.core.spec import ProcessSpec, WakeSpec
from wakegate.local.backend.process import ProcessWorkload
from wakegate.local.backend.registry import Registry
from wakegate.local.backend.replica import ProcessReplica
from wakegate.local.probe import until_ready

PYTHON = (sys.executable, "-S", "-u", "-c")  # without site: up in 15 ms

LISTEN = "import os, socket, sys; s = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))\n"
# A signal that comes just before accept blocks is only handled when it returns: so it does, again and again.
APP = (
    LISTEN + "s.settimeout(0.1)\nos.write(1, b'listening\\n')\n"
    "while True:\n    try: s.accept()[0].close()\n    except TimeoutError: pass"
)
SAYS_SIGTERM = (
    # By os.write, as "listening" is: a print within a print raises, and one between its text and its line end joins it.
    "import signal\ndef end(*_): os.write(1, b'got SIGTERM\\n'); os._exit(0)\nsignal.signal(signal.SIGTERM, end)\n"
)
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + APP


class WallClock:
    """The loop's own time."""

    def now_s(self) -> float:
        """Monotonic."""
        return asyncio.get_running_loop().time()

    def utc(self) -> datetime:
        """For stamps."""
        return datetime.now(UTC)


def workload(state_dir: Path, *command: str, wake: WakeSpec | None = None, **settings: Any) -> ProcessWorkload:
    """Make the workload of the service "web"; `settings` are those of `ProcessSpec`."""
    return ProcessWorkload(
        "web",
        ProcessSpec(command=command, **settings),
        probe=wake or WakeSpec(),
        registry=Registry(state_dir),
        clock=WallClock(),
    )


async def ready(replica: ProcessReplica) -> ProcessReplica:
    """Wait for its probe."""
    await until_ready(replica, timeout_s=20, clock=WallClock())
    return replica


async def eventually(condition: Callable[[], object], *, within_s: float = 20) -> None:
    """Poll until it is true."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  the condition is of another process: it sets no event of ours
            await asyncio.sleep(0.005)


def runs(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False

"""sample: what a replica uses is the sum over its family, and an average needs a reading of each replica."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from wakegate.local.scale.sample import ProcessMeter, Samples
from wakegate.ports import Exit, Kept

anyio = pytest.mark.anyio

BUSY = "while True: pass"
FORKS_BUSY = "import os, time\nif os.fork() == 0:\n while True: pass\ntime.sleep(600)"
FORKS_BRIEFLY = (
    "import os, time\nprint('up', flush=True); input()\nif os.fork() == 0:\n"
    " end = time.process_time() + 0.2\n while time.process_time() < end: pass\n os._exit(0)\n"
    "os.wait(); print('done', flush=True); time.sleep(600)"
)
LARGE = "import os, time\nx = b'x' * (64 << 20)\nprint('up', flush=True); time.sleep(600)"


class MeteredReplica:
    """As much of a replica as the meter reads."""

    number, host, port = 1, "127.0.0.1", 1
    is_paused = False

    def __init__(self, pid: int) -> None:
        self.pid = pid

    async def answers(self) -> bool:
        """Never asked for."""
        raise AssertionError

    async def exited(self) -> Exit:
        """Never asked for."""
        raise AssertionError

    def terminate(self) -> None:
        """Never asked for."""

    def kill(self) -> None:
        """Never asked for."""

    async def pause(self) -> None:
        """Never asked for."""

    async def resume(self) -> None:
        """Never asked for."""

    async def give_back(self) -> Kept:
        """Never asked for."""
        raise AssertionError


@asynccontextmanager
async def running(code: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run some Python, in a group that is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-c", code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, 9)
        await process.communicate()


async def read_line(process: asyncio.subprocess.Process) -> bytes:
    """Wait for its next line."""
    assert process.stdout is not None
    return await process.stdout.readline()


async def cpu_percent_above(replica: MeteredReplica, percent: float) -> None:
    """Read until the replica uses more; the test's own timeout ends it."""
    meter = ProcessMeter()
    async with asyncio.timeout(20):
        usage = None
        while usage is None or usage.cpu_percent <= percent:
            await asyncio.sleep(0.05)
            usage = await meter.usage(replica)


@anyio
@pytest.mark.parametrize("code", [BUSY, FORKS_BUSY])
async def test_a_busy_process_or_child_is_seen(code: str) -> None:
    """A gunicorn master sleeps while its workers work."""
    async with running(code) as process:
        await cpu_percent_above(MeteredReplica(process.pid), 5)


@anyio
async def test_the_work_of_a_child_that_has_ended_counts() -> None:
    """A short-lived worker may do all its work between two readings."""
    async with running(FORKS_BRIEFLY) as process:
        replica, meter = MeteredReplica(process.pid), ProcessMeter()
        await read_line(process)
        assert await meter.usage(replica) is None
        assert process.stdin is not None
        process.stdin.write(b"\n")
        assert await read_line(process) == b"done\n"
        usage = await meter.usage(replica)
        assert usage is not None
        assert usage.cpu_percent > 0


@anyio
async def test_memory_is_what_is_resident() -> None:
    """Not what was asked for."""
    async with running(LARGE) as process:
        replica, meter = MeteredReplica(process.pid), ProcessMeter()
        await read_line(process)
        await meter.usage(replica)
        usage = await meter.usage(replica)
        assert usage is not None
        assert 64 << 20 < usage.memory_bytes < 200 << 20


@anyio
async def test_a_process_that_is_gone_has_no_usage() -> None:
    """And one that comes under its id begins without a reading."""
    meter = ProcessMeter()
    async with running("import time; time.sleep(600)") as process:
        replica = MeteredReplica(process.pid)
        assert await meter.usage(replica) is None
        assert await meter.usage(replica) is not None
    assert await meter.usage(replica) is None


def test_the_average_is_over_the_window_and_the_replicas() -> None:
    """Each replica counts once, however many readings it has."""
    samples = Samples(window_s=60)
    samples.add(1, now_s=0, value=100)
    samples.add(1, now_s=30, value=50)
    samples.add(1, now_s=60, value=10)
    samples.add(2, now_s=60, value=90)
    assert samples.average(60) == pytest.approx(((50 + 10) / 2 + 90) / 2), "the reading of 60 s ago is out"
    assert samples.average(89) == pytest.approx(60)
    assert samples.average(90) == pytest.approx(50)


def test_no_reading_of_one_replica_is_insufficient_data() -> None:
    """A replica that has just come would be averaged away, and its siblings scaled in."""
    samples = Samples(window_s=60)
    assert samples.average(0) is None
    samples.add(1, now_s=0, value=10)
    assert samples.average(0) == 10
    samples.keep_only({1, 2})
    assert samples.average(0) is None
    samples.add(2, now_s=5, value=30)
    assert samples.average(5) == 20
    assert samples.average(61) is None, "the only reading of replica 1 is too old"


def test_a_replica_that_has_gone_is_forgotten() -> None:
    """Its last load is nobody's load."""
    samples = Samples(window_s=60)
    samples.add(1, now_s=0, value=100)
    samples.add(2, now_s=0, value=0)
    samples.keep_only({2})
    assert samples.average(0) == 0
    samples.keep_only(set())
    assert samples.average(0) is None

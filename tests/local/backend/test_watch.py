"""Both ways to notice an end: by descriptor, and by the thread of systems that have none."""

import asyncio
import os
import subprocess
from collections.abc import Callable

import pytest

from wakegate.local.backend.watch import PidfdWatch, ThreadWatch, Watch, watch

pytestmark = pytest.mark.anyio

Child = subprocess.Popen[bytes]
Make = Callable[[Child, Callable[[], None]], Watch]


def _pidfd(child: Child, gone: Callable[[], None]) -> Watch:
    return PidfdWatch(child.pid, gone=gone)


def _thread(child: Child, gone: Callable[[], None]) -> Watch:
    return ThreadWatch(child.pid, child=child, gone=gone)


def _start(*command: str, pipe: int | None = None) -> Child:
    return subprocess.Popen(command, stdin=pipe, stdout=pipe)


@pytest.mark.parametrize("make", [_pidfd, _thread])
async def test_the_end_is_told_once(make: Make) -> None:
    """On the loop's thread, with the status still there to read."""
    child = _start("cat", pipe=subprocess.PIPE)
    ended: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
    watching = make(child, lambda: ended.set_result(child.poll()))
    assert watching.holds()
    assert not ended.done()
    child.communicate(b"")
    async with asyncio.timeout(10):
        assert await ended == 0
    assert not watching.holds()


@pytest.mark.parametrize("make", [_pidfd, _thread])
async def test_a_process_that_is_gone_cannot_be_watched(make: Make) -> None:
    """Found in the registry, ended before we came."""
    child = _start("true")
    child.wait()
    with pytest.raises(ProcessLookupError):
        make(child, lambda: None)


async def test_the_end_of_a_process_that_is_no_child_is_told_by_the_thread() -> None:
    """An adopted replica on macOS."""
    shell = _start("sh", "-c", "sleep 600 >/dev/null & echo $!", pipe=subprocess.PIPE)
    assert shell.stdout is not None
    pid = int(shell.stdout.readline())
    shell.communicate()
    ended = asyncio.Event()
    ThreadWatch(pid, child=None, gone=ended.set)
    os.kill(pid, 9)
    async with asyncio.timeout(10):
        await ended.wait()


async def test_pidfd_is_used_where_it_exists() -> None:
    """A thread a replica is the fallback, not the rule."""
    child = _start("true")
    ended = asyncio.Event()
    watching = watch(child.pid, child=child, gone=ended.set)
    await ended.wait()
    child.wait()
    assert isinstance(watching, PidfdWatch) == hasattr(os, "pidfd_open")

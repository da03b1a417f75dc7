"""A replica is its whole process group: what a leader leaves behind is ended before it counts as gone."""

import asyncio
import ctypes
import os
import signal
from pathlib import Path

import psutil
import pytest
from tests.local.backend.world import APP, PYTHON, eventually, ready, runs, workload

from wakegate.core.errors import WorkloadError
from wakegate.local.backend import replica as replica_module

pytestmark = pytest.mark.anyio

PR_SET_CHILD_SUBREAPER = 36  # of prctl(2): orphans are handed to us instead of init
FORKS = "sleep 600 & echo $!; "


def _pids(lines: tuple[str, ...]) -> list[int]:
    return [int(line) for line in lines if line.isdigit()]


async def test_kill_ends_the_whole_group(state_dir: Path) -> None:
    """A shell that started the app is killed with the app, or the app lives on unseen and holds its port."""
    app = workload(state_dir, "sh", "-c", FORKS + "wait")
    replica = await app.start(number=1)
    await eventually(lambda: _pids(app.log_tail(lines=5)))
    (child,) = _pids(app.log_tail(lines=5))
    replica.kill()
    assert (await replica.exited()).signal == 9
    assert not runs(child)


async def test_what_a_leader_leaves_behind_is_terminated(state_dir: Path) -> None:
    """`sh -c "app &"` exits at once: the replica has failed, and the app it forked must not stay."""
    child = "(trap 'echo got SIGTERM; exit' TERM; : > up; while :; do sleep 0.01; done) & echo $!; "
    command = ("sh", "-c", child + "while [ ! -e up ]; do sleep 0.01; done; exit 7")
    end = await (await workload(state_dir, *command, directory=str(state_dir)).start(number=1)).exited()
    assert end.status == 7
    assert end.log_tail[-1] == "got SIGTERM"
    assert not runs(_pids(end.log_tail)[0])


async def test_a_leftover_that_ignores_sigterm_is_killed(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else would: the leader has ended, so no stop grace runs for this replica."""
    monkeypatch.setattr(replica_module, "LEFTOVER_GRACE_S", 0.1)
    app = workload(state_dir, "sh", "-c", "(trap '' TERM; echo deaf; while :; do sleep 0.1; done) & exit 0")
    replica = await app.start(number=1)
    async with asyncio.timeout(10):
        assert (await replica.exited()).status == 0


async def test_gone_means_that_the_slowest_member_is_gone(state_dir: Path) -> None:
    """A shell dies of SIGTERM at once while its app still finishes its work: only then is the port free."""
    slow = (
        "import signal, os, time\ndef end(*_): time.sleep(0.3); print('finished', flush=True); os._exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True)\nwhile True: signal.pause()"
    )
    app = workload(state_dir, "sh", "-c", '"$@" & wait', "sh", *PYTHON, slow)
    replica = await app.start(number=1)
    await eventually(lambda: "up" in app.log_tail(lines=5))
    replica.terminate()
    end = await replica.exited()
    assert end.log_tail[-1] == "finished"
    assert end.signal == 15


async def test_the_dead_are_reaped_where_we_are_init(state_dir: Path) -> None:
    """As the first process of a container the gateway inherits every orphan; zombies would fill the table of ids."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        end = await (await workload(state_dir, "sh", "-c", FORKS + "exit 0").start(number=1)).exited()
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0)
    (child,) = _pids(end.log_tail)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


async def test_a_late_signal_reaches_nobody(state_dir: Path) -> None:
    """The id of a replica that is gone may be another program's by now."""
    replica = await workload(state_dir, "true").start(number=1)
    await replica.exited()
    stranger = await workload(state_dir, "sleep", "600").start(number=2)
    replica.entry = stranger.entry  # as if the kernel had given the id again
    replica.kill()
    stranger.terminate()
    assert (await stranger.exited()).signal == signal.SIGTERM


# -- paused

COUNTS = "import itertools, os, time\nfor i in itertools.count(): print(i, flush=True); time.sleep(0.001)"


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


async def test_a_paused_group_stands_still_and_goes_on_where_it_was(state_dir: Path) -> None:
    """The shell and the app that it started: what is not stopped would use the processor all night."""
    app = workload(state_dir, "sh", "-c", '"$@" & wait', "sh", *PYTHON, COUNTS)
    replica = await app.start(number=1)
    await eventually(lambda: len(app.log_tail(lines=50)) > 10)
    (child,) = (process.pid for process in psutil.Process(replica.pid).children())
    for _ in range(2):
        await replica.pause()
    is_paused = [replica.is_paused]
    assert _state(replica.pid) == "T"
    await eventually(lambda: _state(child) == "T")
    before = app.log_tail(lines=1)
    kept = await replica.give_back()
    assert kept.before_bytes >= kept.after_bytes > 0
    assert app.log_tail(lines=1) == before
    await replica.resume()
    is_paused.append(replica.is_paused)
    assert is_paused == [True, False]
    await eventually(lambda: app.log_tail(lines=1) != before)
    replica.kill()
    await replica.exited()


@pytest.mark.parametrize("end", ["terminate", "kill"])
async def test_a_paused_group_can_be_ended(state_dir: Path, end: str) -> None:
    """In its own way by SIGTERM, which a stopped process does not hear until it is let go on."""
    says = "import signal, os, time\ndef end(*_): print('bye', flush=True); os._exit(0)\n"
    app = workload(state_dir, *PYTHON, says + "signal.signal(15, end); print('up', flush=True)\nwhile 1: time.sleep(9)")
    replica = await app.start(number=1)
    await eventually(lambda: "up" in app.log_tail(lines=5))
    await replica.pause()
    getattr(replica, end)()
    exit_ = await replica.exited()
    assert ("bye" in exit_.log_tail) is (end == "terminate")
    assert exit_.signal == (None if end == "terminate" else 9)


async def test_what_a_leader_leaves_behind_paused_is_ended(state_dir: Path) -> None:
    """The kernel kills the largest when memory runs out, perhaps only the leader: the rest is frozen, and ours."""
    app = workload(state_dir, "sh", "-c", FORKS + "wait")
    replica = await app.start(number=1)
    await eventually(lambda: _pids(app.log_tail(lines=5)))
    (child,) = _pids(app.log_tail(lines=5))
    await replica.pause()
    os.kill(replica.pid, signal.SIGKILL)
    assert (await replica.exited()).signal == 9
    assert not runs(child)


@pytest.mark.parametrize("verb", ["pause", "resume"])
async def test_one_that_is_gone_can_neither_be_paused_nor_resumed(state_dir: Path, verb: str) -> None:
    """The wake must know that it needs another one."""
    replica = await workload(state_dir, "true").start(number=1)
    await replica.exited()
    with pytest.raises(WorkloadError, match="replica 1 is gone"):
        await getattr(replica, verb)()
    assert not replica.is_paused


async def test_memory_is_given_back_beside_a_resume(state_dir: Path) -> None:
    """A request that comes meanwhile does not wait for it, and it does no harm to what runs again."""
    app = workload(state_dir, *PYTHON, APP)
    replica = await ready(await app.start(number=1))
    await replica.pause()
    giving = asyncio.ensure_future(replica.give_back())
    await replica.resume()
    assert await replica.answers()
    await giving
    assert await replica.answers()
    replica.kill()
    await replica.exited()

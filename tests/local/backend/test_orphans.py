"""What a gateway leaves when it is killed: adopted where it fits, stopped where it does not, never forgotten."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.local.backend.world import APP, DEAF, PYTHON, SAYS_SIGTERM, WallClock, eventually, ready, runs, workload

from wakegate.core.spec import ProcessSpec, WakeSpec
from wakegate.local.backend.orphans import stop_orphans
from wakegate.local.backend.process import ProcessWorkload
from wakegate.local.backend.registry import MARKER, Registry
from wakegate.local.logs import log_path

pytestmark = pytest.mark.anyio

CHATTY = (
    "import threading, time, itertools\n"
    "def talk():\n for i in itertools.count(): print('line', i, flush=True); time.sleep(0.01)\n"
    "threading.Thread(target=talk, daemon=True).start()\n"
)


async def killed_gateway(state_dir: Path, *command: str, how: str = "running") -> tuple[int, int]:
    """Let a gateway start a replica, kill it with SIGKILL, and return the replica's pid and port."""
    gateway = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.local.backend.killed_gateway", state_dir, how, *command, stdout=subprocess.PIPE
    )
    assert gateway.stdout is not None
    pid, port = (int(word) for word in (await gateway.stdout.readline()).split())
    gateway.send_signal(signal.SIGKILL)
    assert await gateway.wait() == -signal.SIGKILL
    return pid, port


async def test_a_replica_outlives_its_gateway_and_is_adopted(state_dir: Path) -> None:
    """kill -9 of the gateway must cost nobody a cold start: the app runs on, and is the next gateway's own."""
    command = (*PYTHON, SAYS_SIGTERM + CHATTY + APP, "{port}")
    pid, port = await killed_gateway(state_dir, *command)
    assert await stop_orphans(state_dir, ["web"]) == []
    app = workload(state_dir, *command)
    (replica,) = await app.adopt()
    assert (replica.number, replica.host, replica.port, replica.pid) == (1, "127.0.0.1", port, pid)
    assert await replica.answers()
    (before,) = app.log_tail(lines=1)
    await eventually(lambda: app.log_tail(lines=1) != (before,))  # its output still arrives
    replica.terminate()
    end = await replica.exited()
    assert (end.status, end.signal) == (None, None), "it was not our child: the kernel tells us no status"
    assert str(end).startswith("exited with status unknown after ")
    assert "got SIGTERM" in end.log_tail
    assert not runs(pid)
    assert await workload(state_dir, *command).adopt() == []


async def test_the_crash_of_an_adopted_replica_is_noticed(state_dir: Path) -> None:
    """It is no child of ours, so no SIGCHLD comes."""
    command = (*PYTHON, APP)
    pid, _ = await killed_gateway(state_dir, *command)
    (replica,) = await workload(state_dir, *command).adopt()
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(10):
        assert (await replica.exited()).after_s > 0


async def test_an_adopted_replica_can_be_killed(state_dir: Path) -> None:
    """Also when it ignores SIGTERM."""
    command = (*PYTHON, DEAF)
    pid, _ = await killed_gateway(state_dir, *command)
    (replica,) = await workload(state_dir, *command).adopt()
    replica.terminate()
    assert await replica.answers()
    replica.kill()
    await replica.exited()
    assert not runs(pid)


async def test_a_changed_command_is_not_adopted(state_dir: Path) -> None:
    """The configuration was edited while the gateway was down: requests must not go to the old program."""
    pid, _ = await killed_gateway(state_dir, *PYTHON, APP)
    app = workload(state_dir, *PYTHON, APP, "--new")
    assert await app.adopt() == []
    assert not runs(pid)
    replica = await ready(await app.start(number=1))
    replica.kill()
    await replica.exited()


async def test_changed_log_limits_are_no_reason_to_stop_it(state_dir: Path) -> None:
    """Only what makes another program of it counts."""
    command = (*PYTHON, APP)
    pid, _ = await killed_gateway(state_dir, *command)
    (replica,) = await workload(state_dir, *command, log_files_max=9).adopt()
    assert replica.pid == pid
    replica.kill()
    await replica.exited()


async def test_a_service_that_is_no_longer_configured_is_stopped(state_dir: Path) -> None:
    """Nobody would adopt it, and nobody would ever stop it."""
    pid, _ = await killed_gateway(state_dir, *PYTHON, DEAF)
    lines = await stop_orphans(state_dir, ["docs"], grace_s=0.1)
    assert lines == [f"web replica 1 (pid {pid}): no longer configured"]
    assert not runs(pid)
    assert await stop_orphans(state_dir, ["docs"]) == []


async def test_a_gateway_killed_before_it_wrote_the_file_leaves_no_orphan(state_dir: Path) -> None:
    """Between the start of the process and its file in the registry a kill -9 fits; the marker covers it."""
    pid, _ = await killed_gateway(state_dir, *PYTHON, APP)
    (state_dir / "replicas" / "web-1.json").unlink()
    assert await workload(state_dir, *PYTHON, APP).adopt() == []
    assert await stop_orphans(state_dir, ["web"]) == [f"web replica 1 (pid {pid}): its gateway was killed"]
    assert not runs(pid)


async def test_what_a_dead_leader_left_is_stopped(state_dir: Path) -> None:
    """The gateway was killed, then the shell died: its app still runs, with a file that names a dead process."""
    command = ("sh", "-c", '"$@" & wait', "sh", *PYTHON, APP)
    pid, _ = await killed_gateway(state_dir, *command)
    (child,) = psutil.Process(pid).children()
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: not runs(pid))
    assert runs(child.pid)
    assert await stop_orphans(state_dir, ["web"]) == [f"web replica 1 (pid {child.pid}): its gateway was killed"]
    assert not runs(child.pid)
    assert await workload(state_dir, *command).adopt() == []
    assert list((state_dir / "replicas").iterdir()) == []


async def test_descendants_of_a_replica_that_is_kept_are_left_alone(state_dir: Path) -> None:
    """A worker in a session of its own bears the marker too; it belongs to its replica."""
    spawn = "import subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid, flush=True)\n"
    command = (*PYTHON, spawn + APP)
    await killed_gateway(state_dir, *command)
    worker = int(workload(state_dir, *command).log_tail(lines=2)[0])
    assert await stop_orphans(state_dir, ["web"]) == []
    assert runs(worker)
    (replica,) = await workload(state_dir, *command).adopt()
    replica.kill()
    await replica.exited()


async def test_a_stranger_with_the_id_of_a_replica_is_left_alone(state_dir: Path) -> None:
    """After a reboot the ids in the files are other people's processes."""
    command = (*PYTHON, APP)
    pid, _ = await killed_gateway(state_dir, *command)
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: not runs(pid))
    stranger = await asyncio.create_subprocess_exec("sleep", "600", start_new_session=True)
    file = state_dir / "replicas" / "web-1.json"
    file.write_text(file.read_text().replace(f'"pid": {pid}', f'"pid": {stranger.pid}'))
    assert await workload(state_dir, *command).adopt() == []
    assert await stop_orphans(state_dir, []) == []
    stranger.kill()
    assert await stranger.wait() == -signal.SIGKILL, "SIGTERM had come first"


async def test_replicas_of_another_state_directory_are_left_alone(state_dir: Path, tmp_path: Path) -> None:
    """Two gateways may run on one machine."""
    replica = await ready(await workload(state_dir, *PYTHON, APP).start(number=1))
    assert await stop_orphans(tmp_path / "other", []) == []
    assert await replica.answers()
    replica.kill()
    await replica.exited()


async def test_a_gateway_inside_one_of_its_apps_does_not_stop_itself(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started again from a terminal that is itself a replica, it has the marker in its own environment."""
    code = (
        "import asyncio, sys; from pathlib import Path; from wakegate.local.backend.orphans import stop_orphans\n"
        "print(asyncio.run(stop_orphans(Path(sys.argv[1]), [])))"
    )
    monkeypatch.setenv(MARKER, Registry(state_dir).marker("web", number=1))
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, state_dir, stdout=subprocess.PIPE)
    assert (await child.communicate())[0] == b"[]\n"


async def test_a_service_whose_name_begins_like_another_is_another(state_dir: Path) -> None:
    """`web` and `web-admin` share a prefix, not their replicas."""

    def named(service: str) -> ProcessWorkload:
        spec = ProcessSpec(command=("sleep", "600"))
        return ProcessWorkload(service, spec, probe=WakeSpec(), registry=Registry(state_dir), clock=WallClock())

    replica = await named("web-1").start(number=1)
    assert await named("web").adopt() == []
    assert runs(replica.pid)
    replica.kill()
    await replica.exited()


async def test_unreadable_files_stop_nothing(state_dir: Path) -> None:
    """A disk that was full, or an older release: the gateway starts all the same."""
    (state_dir / "replicas").mkdir()
    for name, text in (("web-1", "{"), ("web-2", "{}"), ("web-3", '["x"]'), ("web-4", '{"started_at": 1}')):
        (state_dir / "replicas" / f"{name}.json").write_text(text)
    assert await workload(state_dir, "true").adopt() == []
    assert await stop_orphans(state_dir, []) == []
    assert not log_path("web", state_dir=state_dir).exists()


async def test_a_paused_replica_outlives_its_gateway_paused(state_dir: Path) -> None:
    """The kernel ends stopped groups of a session whose leader's parent dies; ours have a session of their own."""
    command = (*PYTHON, SAYS_SIGTERM + APP)
    pid, _ = await killed_gateway(state_dir, *command, how="paused")
    assert await stop_orphans(state_dir, ["web"]) == []
    (replica,) = await workload(state_dir, *command).adopt()
    assert replica.is_paused
    assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
    await replica.resume()
    assert (await ready(replica)).pid == pid
    await replica.pause()
    replica.terminate()
    end = await replica.exited()
    assert "got SIGTERM" in end.log_tail, "it must be let go on to end in its own way"


async def test_a_paused_replica_that_nobody_will_adopt_ends_in_its_own_way(state_dir: Path) -> None:
    """A changed command, or a service that is no longer configured: SIGTERM alone would reach nobody."""
    command = (*PYTHON, SAYS_SIGTERM + APP)
    pid, _ = await killed_gateway(state_dir, *command, how="paused")
    assert await workload(state_dir, *command, "--new").adopt() == []
    assert not runs(pid)
    pid, _ = await killed_gateway(state_dir, *command, how="paused")
    await stop_orphans(state_dir, ["docs"])
    assert not runs(pid)
    assert log_path("web", state_dir=state_dir).read_text(encoding="utf-8").count("got SIGTERM") == 2

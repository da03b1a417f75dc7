"""A service as processes: how it starts, what it gets, how it ends, and what a full or fixed port means."""

import asyncio
import os
import re
import signal
import socket
import stat
from pathlib import Path

import pytest
from tests.local.backend.world import APP, DEAF, PYTHON, SAYS_SIGTERM, eventually, ready, runs, workload

from wakegate.core.errors import WorkloadError
from wakegate.local.backend import process
from wakegate.local.logs import log_path
from wakegate.local.scale.sample import ProcessMeter

pytestmark = pytest.mark.anyio


def _descriptor_count() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_replica_answers_once_it_listens(state_dir: Path) -> None:
    """Not ready while the port is closed, ready when it is open: the gate of every wake."""
    gate = state_dir / "gate"
    waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.005)\n"
    replica = await workload(state_dir, *PYTHON, waits + APP).start(number=1)
    assert not await replica.answers()
    gate.touch()
    await ready(replica)
    assert await replica.answers()
    replica.terminate()
    await replica.exited()
    assert not await replica.answers()


async def test_the_port_is_in_arguments_and_environment(state_dir: Path) -> None:
    """Apps take their port in different ways; each must be told the same."""
    show = "import os, sys; print(sys.argv[1:], os.environ['PORT'], os.environ['URL'], os.environ['PYTHONUNBUFFERED'])"
    app = workload(state_dir, *PYTHON, show, "-b", "127.0.0.1:{port}", env=(("URL", "http://x:{port}/{y}"),))
    replica = await app.start(number=1)
    end = await replica.exited()
    port = replica.port
    assert end.log_tail == (f"['-b', '127.0.0.1:{port}'] {port} http://x:{port}/{{y}} 1",)


async def test_a_port_of_the_gateways_own_environment_is_not_the_replicas(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that runs on a platform has a PORT itself: an app that took it would listen on the wrong one."""
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("PYTHONUNBUFFERED", "0")
    app = workload(state_dir, *PYTHON, "import os; print(os.environ['PORT'], os.environ['PYTHONUNBUFFERED'])")
    replica = await app.start(number=1)
    assert (await replica.exited()).log_tail == (f"{replica.port} 0",)


async def test_the_settings_environment_wins(state_dir: Path) -> None:
    """What the user writes is what the app gets."""
    app = workload(state_dir, *PYTHON, "import os; print(os.environ['PORT'])", env=(("PORT", "99"),))
    assert (await (await app.start(number=1)).exited()).log_tail == ("99",)


async def test_it_runs_in_its_directory_without_stdin(state_dir: Path, tmp_path: Path) -> None:
    """A relative path in the app's own code must work, and a read from stdin must not hang or steal the terminal."""
    app = workload(
        state_dir, *PYTHON, "import os, sys; print(os.getcwd(), repr(sys.stdin.read()))", directory=str(tmp_path)
    )
    assert (await (await app.start(number=1)).exited()).log_tail == (f"{tmp_path} ''",)


async def test_an_exit_tells_status_and_the_last_lines(state_dir: Path) -> None:
    """A crash before it listened: the message that the operator needs is in the error."""
    crash = "print('starting')\nraise ModuleNotFoundError(\"No module named 'nope'\")"
    end = await (await workload(state_dir, *PYTHON, crash).start(number=1)).exited()
    assert (end.status, end.signal) == (1, None)
    assert end.log_tail[0] == "starting"
    assert end.log_tail[-1] == "ModuleNotFoundError: No module named 'nope'"
    assert re.fullmatch(r"exited with status 1 after \d+\.\d s", str(end))


async def test_an_exit_tells_the_signal(state_dir: Path) -> None:
    """Killed by the kernel for its memory reads otherwise than a bug of its own."""
    end = await (await workload(state_dir, *PYTHON, "import os; os.kill(os.getpid(), 9)").start(number=1)).exited()
    assert (end.status, end.signal) == (None, 9)


async def test_an_exit_has_the_lines_of_this_run_only(state_dir: Path) -> None:
    """The crash of yesterday in the error of today sends people the wrong way; at most twenty lines."""
    app = workload(state_dir, "sh", "-c", 'for i in $(seq $N); do echo "$N-$i"; done', env=(("N", "30"),))
    first = await (await app.start(number=1)).exited()
    assert first.log_tail == tuple(f"30-{i}" for i in range(11, 31))
    app = workload(state_dir, "sh", "-c", 'for i in $(seq $N); do echo "$N-$i"; done', env=(("N", "3"),))
    second = await (await app.start(number=1)).exited()
    assert second.log_tail == ("3-1", "3-2", "3-3")
    assert app.log_tail(lines=4) == ("30-30", "3-1", "3-2", "3-3")


async def test_each_start_is_a_separator_line(state_dir: Path) -> None:
    """The log alone must say which lines belong together, and where to attach a debugger."""
    app = workload(state_dir, "printf", "no newline at the end")
    replica = await app.start(number=3)
    await replica.exited()
    await (await app.start(number=3)).exited()
    lines = log_path("web", state_dir=state_dir).read_text().split("\n")
    separators = [line for line in lines if line.startswith("--- replica 3 started at 20")]
    assert len(separators) == 2
    assert separators[0].endswith(f"(pid {replica.pid}, port {replica.port})")


async def test_sigterm_reaches_it_and_any_number_may_wait(state_dir: Path) -> None:
    """A clean stop is the normal one."""
    replica = await ready(await workload(state_dir, *PYTHON, SAYS_SIGTERM + APP).start(number=1))
    waiters = [asyncio.ensure_future(replica.exited()) for _ in range(3)]
    replica.terminate()
    ends = await asyncio.gather(*waiters)
    assert {(end.status, end.signal) for end in ends} == {(0, None)}
    assert ends[0].log_tail[-1] == "got SIGTERM"
    assert await replica.exited() is ends[0]
    replica.terminate()
    replica.kill()


async def test_sigterm_is_sent_once(state_dir: Path) -> None:
    """Many servers take a second one for impatience and drop what they still do."""
    count = (
        "import signal\nsignal.signal(signal.SIGWINCH, lambda *_: os._exit(0))\n"
        "signal.signal(signal.SIGTERM, lambda *_: os.write(1, b'got SIGTERM\\n'))\n"
    )
    app = workload(state_dir, *PYTHON, count + APP)
    replica = await ready(await app.start(number=1))
    replica.terminate()
    await eventually(lambda: "got SIGTERM" in app.log_tail(lines=5))
    replica.terminate()
    os.kill(replica.pid, signal.SIGWINCH)  # of two pending signals the lower number, SIGTERM, would come first
    assert (await replica.exited()).log_tail.count("got SIGTERM") == 1


async def test_one_that_ignores_sigterm_is_killed(state_dir: Path) -> None:
    """The stop grace ends somewhere."""
    replica = await ready(await workload(state_dir, *PYTHON, DEAF).start(number=1))
    replica.terminate()
    assert await replica.answers()
    replica.kill()
    assert (await replica.exited()).signal == signal.SIGKILL
    assert not runs(replica.pid)


async def test_two_replicas_have_two_ports(state_dir: Path) -> None:
    """Started at the same moment, before either could bind."""
    app = workload(state_dir, *PYTHON, APP)
    assert app.replicas_max is None
    replicas = [await app.start(number=number) for number in range(1, 6)]
    assert len({replica.port for replica in replicas}) == 5
    for replica in replicas:
        await ready(replica)
    for replica in replicas:
        replica.kill()
        await replica.exited()


async def test_a_fixed_port_waits_for_the_last_replica(state_dir: Path) -> None:
    """Two on one port cannot be: the second starts when the first is gone, not when it was asked to go."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = int(sock.getsockname()[1])
    app = workload(state_dir, *PYTHON, DEAF, port=port)
    assert app.replicas_max == 1
    first = await ready(await app.start(number=1))
    assert first.port == port
    first.terminate()
    second = asyncio.ensure_future(app.start(number=2))
    other = asyncio.ensure_future(workload(state_dir, *PYTHON, APP, port=port).start(number=3))
    assert not (await asyncio.wait({second, other}, timeout=0.1))[0], "neither may start while the port is held"
    other.cancel()
    first.kill()
    replica = await ready(await second)
    assert not runs(first.pid)
    replica.kill()
    await replica.exited()


async def test_a_fixed_port_waits_for_the_app_of_a_shell(state_dir: Path) -> None:
    """The shell dies of SIGTERM at once; its app has the port until it is gone, too."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = int(sock.getsockname()[1])
    app = workload(state_dir, "sh", "-c", '"$@" & wait', "sh", *PYTHON, DEAF, port=port)
    first = await ready(await app.start(number=1))
    first.terminate()
    await eventually(lambda: not runs(first.pid))
    second = asyncio.ensure_future(app.start(number=2))
    assert not (await asyncio.wait({second}, timeout=0.1))[0]
    first.kill()
    replica = await ready(await second)
    replica.kill()
    await replica.exited()


async def test_a_fixed_port_of_another_program_is_an_error(state_dir: Path) -> None:
    """A probe would find the other program ready, and requests would go to it."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(WorkloadError) as caught:
            await workload(state_dir, *PYTHON, APP, port=port).start(number=1)
    assert str(caught.value) == f"port {port} is in use by another program: stop it, or set another port"


async def test_what_cannot_be_started_is_said_in_one_sentence(state_dir: Path, tmp_path: Path) -> None:
    """The commonest first mistakes, each with its cause and no traceback."""
    plain, shebang, binary = tmp_path / "plain", tmp_path / "shebang", tmp_path / "binary"
    plain.write_text("x")
    shebang.write_text("#!/no/such/interpreter\n")
    shebang.chmod(stat.S_IRWXU)
    binary.write_bytes(b"\x7fELF-not")
    binary.chmod(stat.S_IRWXU)
    nowhere = str(tmp_path / "nowhere")
    cases = [
        (("gunicorm",), ".", '"gunicorm" was not found: is it installed and on the PATH?'),
        ((str(plain),), ".", f'"{plain}" is not executable'),
        ((str(tmp_path),), ".", f'"{tmp_path}" is not executable'),
        ((str(shebang),), ".", f'"{shebang}" names an interpreter in its first line that does not exist'),
        ((str(binary),), ".", f'"{binary}" cannot be started: Exec format error'),
        (("true",), nowhere, f'the directory "{nowhere}" does not exist'),
        (("true",), str(plain), f'"{plain}" is not a directory'),
        (("true", "a\0b"), ".", '"true" cannot be started: embedded null byte'),
    ]
    for command, directory, sentence in cases:
        with pytest.raises(WorkloadError) as caught:
            await workload(state_dir, *command, directory=directory).start(number=1)
        assert str(caught.value) == sentence


async def test_a_state_directory_that_cannot_be_written_leaves_no_process(state_dir: Path) -> None:
    """A replica that is in no registry would be lost by the next crash."""
    (state_dir / "replicas").write_text("in the way")
    app = workload(state_dir, "sh", "-c", "echo $$; exec sleep 60")
    with pytest.raises(WorkloadError, match="replica 1 cannot be kept track of"):
        await app.start(number=1)
    pids = [line for line in app.log_tail(lines=5) if line.isdigit()]
    assert not any(runs(int(pid)) for pid in pids)


async def test_nothing_is_left_of_a_replica_that_ended(state_dir: Path) -> None:
    """No zombie, no file in the registry, no descriptor, however often it starts."""
    app = workload(state_dir, "true")
    await (await app.start(number=1)).exited()
    before = _descriptor_count()
    for _ in range(20):
        replica = await app.start(number=1)
        await replica.exited()
        with pytest.raises(ProcessLookupError):
            os.kill(replica.pid, 0)
    assert list((state_dir / "replicas").iterdir()) == []
    assert _descriptor_count() == before


async def test_a_log_that_grows_is_rotated_while_it_runs(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody restarts an app to rotate its log: the check runs for as long as it does."""
    monkeypatch.setattr(process, "ROTATION_CHECK_S", 0.05)
    app = workload(
        state_dir, *PYTHON, "import time\nwhile True: print('x' * 99); time.sleep(0.0005)", log_bytes_max=2000
    )
    replica = await app.start(number=1)
    current = log_path("web", state_dir=state_dir)
    first, second = current.with_name("web.log.1"), current.with_name("web.log.2")
    await eventually(second.exists)
    await eventually(lambda: current.stat().st_size > 0)
    replica.kill()
    await replica.exited()
    assert first.stat().st_size > 2000
    assert not current.with_name("web.log.3").exists()


async def test_usage_can_be_read_of_a_replica(state_dir: Path) -> None:
    """The meter takes what the workload gives."""
    replica = await ready(await workload(state_dir, *PYTHON, APP).start(number=1))
    meter = ProcessMeter()
    assert await meter.usage(replica) is None
    usage = await meter.usage(replica)
    assert usage is not None
    assert usage.memory_bytes > 1_000_000
    replica.kill()
    await replica.exited()
    assert await meter.usage(replica) is None

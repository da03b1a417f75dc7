"""The state directory: private, out of git, and one gateway's alone until that is dead, however it died."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from wakegate.core.errors import StateError
from wakegate.local.store.state_dir import StateDir

HOLD = """
import subprocess, sys
from pathlib import Path
from wakegate.local.store.state_dir import StateDir

with StateDir(Path(sys.argv[1])):
    # A replica: it is started without closing what we have open, and outlives us.
    replica = subprocess.Popen(["sleep", "60"], close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    print(replica.pid, flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Let another process hold the directory."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        replica = int(process.stdout.readline())
        try:
            yield process
        finally:
            process.kill()
            os.kill(replica, signal.SIGKILL)


def why(path: Path) -> str:
    """Return why the directory cannot be had."""
    with pytest.raises(StateError) as caught, StateDir(path):
        pass
    return str(caught.value)


def test_it_is_made_private_and_kept_out_of_git(tmp_path: Path) -> None:
    """It has sessions and the key that signs them, and lies in somebody's repository."""
    path = tmp_path / "deep" / ".wakegate"
    with StateDir(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert (path / ".gitignore").read_text() == "*\n"


def test_what_the_user_has_made_of_it_stays(tmp_path: Path) -> None:
    """A volume has the mode that its owner chose, and somebody may want one of its files in git."""
    tmp_path.chmod(0o750)
    (tmp_path / ".gitignore").write_text("*\n!notes\n")
    with StateDir(tmp_path):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750
        assert (tmp_path / ".gitignore").read_text() == "*\n!notes\n"


def test_a_second_gateway_is_told_who_has_it(tmp_path: Path) -> None:
    """Two gateways on one state would stop each other's replicas."""
    with holder(tmp_path) as process:
        assert why(tmp_path) == (
            f"another wakegate (pid {process.pid}) uses {tmp_path}; "
            "stop it, or choose another directory with --state-dir"
        )


def test_a_killed_gateway_leaves_no_lock(tmp_path: Path) -> None:
    """It must start again by itself, though the replicas that it started still run."""
    with holder(tmp_path) as process:
        process.kill()
        process.wait()
        with StateDir(tmp_path):
            assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_it_can_be_had_again_after_it_was_let_go(tmp_path: Path) -> None:
    """Stop and start."""
    for _ in range(2):
        with StateDir(tmp_path):
            assert "another wakegate" in why(tmp_path)


def test_a_file_in_its_place_is_told(tmp_path: Path) -> None:
    """`--state-dir wakegate.toml` is a slip of the hand."""
    file = tmp_path / "wakegate.toml"
    file.write_text("")
    assert why(file) == (
        f"{file} cannot be used for state: it is a file, not a directory; choose another directory with --state-dir"
    )
    assert "cannot be used for state: Not a directory" in why(file / "below")


def test_a_full_disk_is_told(tmp_path: Path, full_disk: Callable[[], AbstractContextManager[None]]) -> None:
    """The reason is the kernel's own word."""
    with full_disk():
        message = why(tmp_path)
    assert message.startswith(f"{tmp_path} cannot be used for state: File too large")
    with StateDir(tmp_path):
        pass


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a directory in which not even root may write")
def test_a_directory_that_cannot_be_written_is_told() -> None:
    """A container's root file system is often read-only."""
    assert "/proc/self/.wakegate cannot be used for state: " in why(Path("/proc/self/.wakegate"))


def test_a_lock_that_was_let_go_early_is_another_gateways(tmp_path: Path) -> None:
    """An upgrade: the old gateway still has requests to finish, and must not unlock what is the new one's by then."""
    with StateDir(tmp_path) as old:
        old.release()
        with StateDir(tmp_path):
            old.__exit__(None, None, None)
            with pytest.raises(StateError, match="another wakegate"), StateDir(tmp_path):
                pass

"""Memory of a frozen replica: given back where the system lets us, measured, and never claimed."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wakegate.local.backend.reclaim import (
    STEP_BYTES,
    give_back,
    has_swap,
    own_cgroup,
    page_out,
    reclaim_cgroup,
    resident_bytes,
)

MIB = 2**20
MAPPED = 48 * MIB
HOLDS = """
import mmap, sys
with open(sys.argv[1], "r+b") as file:
    pages = mmap.mmap(file.fileno(), 0)
total = sum(pages[at] for at in range(0, len(pages), 4096))
print("up", flush=True)
for line in sys.stdin: print(sum(pages[at] for at in range(0, len(pages), 4096)) == total, flush=True)
"""

is_root = pytest.mark.skipif(os.geteuid() != 0, reason="paging out another process takes CAP_SYS_NICE")


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a process that has a large file in its memory, each page of it touched, and freeze it."""
    file = tmp_path / "pages"
    file.write_bytes(os.urandom(MIB) * (MAPPED // MIB))
    with file.open("rb") as written:
        os.fsync(written.fileno())  # only clean pages of a file can go where there is no swap
    with subprocess.Popen(
        [sys.executable, "-S", "-c", HOLDS, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGSTOP)
        try:
            yield process
        finally:
            process.kill()


def still_right(process: subprocess.Popen[str]) -> bool:
    """Let it go on, and say whether it finds its memory as it was."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.send_signal(signal.SIGCONT)
    process.stdin.write("?\n")
    process.stdin.flush()
    return process.stdout.readline() == "True\n"


def wanted() -> bool:
    """Say that nobody has come yet."""
    return True


# -- page by page


@is_root
def test_a_frozen_process_is_paged_out_and_goes_on_unharmed(holder: subprocess.Popen[str]) -> None:
    """The kernel really takes the pages, and brings them back when they are touched."""
    before_bytes = resident_bytes([holder.pid])
    page_out(holder.pid, is_wanted=wanted)
    assert resident_bytes([holder.pid]) < before_bytes - MAPPED // 2
    assert still_right(holder)


@is_root
def test_a_wake_ends_it_at_the_next_step(holder: subprocess.Popen[str]) -> None:
    """A request waits for no page that is on its way out."""
    steps = iter([True, False])
    page_out(holder.pid, is_wanted=lambda: next(steps))
    assert next(steps, None) is None
    assert still_right(holder)


def test_without_the_right_nothing_happens_and_nothing_is_raised(holder: subprocess.Popen[str]) -> None:
    """Most gateways run as a user of their own: what they pause keeps its memory."""
    code = (
        "import os, sys; from wakegate.local.backend.reclaim import page_out, resident_bytes\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "page_out(int(sys.argv[1]), is_wanted=lambda: True)"
    )
    before_bytes = resident_bytes([holder.pid])
    subprocess.run([sys.executable, "-c", code, str(holder.pid)], check=True)
    assert resident_bytes([holder.pid]) == before_bytes


def test_a_process_that_is_gone_is_no_error(holder: subprocess.Popen[str]) -> None:
    """It may have been ended meanwhile."""
    holder.kill()
    holder.wait()
    page_out(holder.pid, is_wanted=wanted)
    assert resident_bytes([holder.pid]) == 0
    assert give_back([holder.pid], is_wanted=wanted).after_bytes == 0


def test_what_is_told_was_measured(holder: subprocess.Popen[str]) -> None:
    """Whatever this machine lets us do: the figures are those of the processes."""
    kept = give_back([holder.pid], is_wanted=wanted)
    assert kept.before_bytes >= MAPPED
    assert kept.after_bytes == resident_bytes([holder.pid])
    assert kept.after_bytes <= kept.before_bytes


@pytest.mark.parametrize(("lines", "has"), [(["Filename Type"], False), (["Filename Type", "/swap file"], True)])
def test_swap_is_a_line_below_the_heading(tmp_path: Path, lines: list[str], *, has: bool) -> None:
    """Without it pages of the app's own cannot go anywhere."""
    swaps = tmp_path / "swaps"
    swaps.write_text("\n".join(lines) + "\n")
    assert has_swap(swaps) is has
    assert not has_swap(tmp_path / "missing")


# -- by its control group


class Group:
    """A control group as a folder of files; a real one takes the steps that are written to it."""

    def __init__(self, folder: Path, *, current: int) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        (folder / "memory.current").write_text(f"{current}\n")
        os.mkfifo(folder / "memory.reclaim")
        self._read = os.open(folder / "memory.reclaim", os.O_RDONLY | os.O_NONBLOCK)

    def taken(self) -> str:
        """Return what was written, one step after the other."""
        with contextlib.suppress(BlockingIOError):
            return os.read(self._read, 65_536).decode()
        return ""

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self._read)


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    """Make a control group that holds two steps and a bit."""
    made = Group(tmp_path / "cgroups" / "app.scope", current=2 * STEP_BYTES + 5)
    yield made
    made.close()


def test_a_group_is_asked_for_all_that_it_holds_in_steps(group: Group) -> None:
    """One large step could not be ended by a wake."""
    reclaim_cgroup(group.folder, is_wanted=wanted)
    assert group.taken() == f"{STEP_BYTES}{STEP_BYTES}5"


def test_a_wake_ends_it_between_two_steps(group: Group) -> None:
    """As for pages."""
    answers = iter([True, False])
    reclaim_cgroup(group.folder, is_wanted=lambda: next(answers))
    assert group.taken() == str(STEP_BYTES)


def test_a_group_that_may_not_be_asked_is_left_alone(tmp_path: Path, group: Group) -> None:
    """An older kernel, a container without rights, a group that is gone."""
    (group.folder / "memory.reclaim").unlink()
    (group.folder / "memory.reclaim").mkdir()
    reclaim_cgroup(group.folder, is_wanted=wanted)
    reclaim_cgroup(tmp_path / "gone", is_wanted=wanted)
    (group.folder / "memory.current").write_text("max")
    reclaim_cgroup(group.folder, is_wanted=wanted)
    assert group.taken() == ""


def of_this_process() -> str:
    """Return the name of the control group (v2) that this process is in."""
    lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    names = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    if not names:
        pytest.skip("this system has no control groups of version 2")
    return names[0]


@pytest.mark.parametrize(("others", "is_own"), [([], True), ([1], False)])
def test_a_group_that_others_are_in_is_not_touched(tmp_path: Path, others: list[int], *, is_own: bool) -> None:
    """What we start shares our own group, as a rule: to reclaim that would be to page ourselves out."""
    folder = tmp_path / "mine" / of_this_process()
    made = Group(folder, current=1)
    (folder / "cgroup.procs").write_text("\n".join(map(str, [os.getpid(), *others])) + "\n")
    found = own_cgroup([os.getpid()], cgroups=tmp_path / "mine")
    made.close()
    assert found == (folder if is_own else None)


def test_no_process_has_no_group(tmp_path: Path) -> None:
    """It has ended; or the group has no such file."""
    assert own_cgroup([]) is None
    assert own_cgroup([os.getpid()], cgroups=tmp_path) is None

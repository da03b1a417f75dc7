"""Give the memory of a frozen replica back to the system: by its control group, or page by page into swap.

Nothing here is certain: a kernel, a container or a user without rights says no, and then the replica keeps what it has.
What is told is measured before and after, never what was asked for. All functions block: call them in a thread.
"""

import ctypes
import errno
import functools
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from wakegate.ports import Kept

STEP_BYTES = 32 * 2**20  # between two looks whether it is still wanted: a wake is held up by one step at most
CGROUPS = Path("/sys/fs/cgroup")
SWAPS = Path("/proc/swaps")
PROCESS_MADVISE = 440  # of syscall(2), since Linux 5.10; Python has no call for it
MADV_PAGEOUT = 21
REFUSALS = (errno.EPERM, errno.ESRCH, errno.ENOSYS)  # of all of it; any other error is of one range (locked, huge)

Wanted = Callable[[], bool]


def give_back(pids: Sequence[int], *, is_wanted: Wanted) -> Kept:
    """Give back what these frozen processes need not keep; ends soon after `is_wanted` says no."""
    before_bytes = resident_bytes(pids)
    group = own_cgroup(pids)
    if group is not None:
        reclaim_cgroup(group, is_wanted=is_wanted)
    elif has_swap():
        for pid in pids:
            page_out(pid, is_wanted=is_wanted)
    return Kept(before_bytes=before_bytes, after_bytes=resident_bytes(pids))


def resident_bytes(pids: Sequence[int]) -> int:
    """Return their resident memory together, 0 where it cannot be read; shared pages count for each."""
    resident = 0
    for pid in pids:
        with suppress(psutil.Error):
            resident += psutil.Process(pid).memory_info().rss
    return resident


def reclaim_cgroup(folder: Path, *, is_wanted: Wanted) -> None:
    """Ask the kernel to take all memory of a control group (v2) that it can, in steps, until it finds no more."""
    try:
        left_bytes = int((folder / "memory.current").read_text(encoding="ascii"))
        while left_bytes > 0 and is_wanted():
            step_bytes = min(STEP_BYTES, left_bytes)
            (folder / "memory.reclaim").write_text(str(step_bytes), encoding="ascii")
            left_bytes -= step_bytes
    except (OSError, ValueError):
        return  # EAGAIN: there is no more; else not here, or not ours: what is left is measured


def own_cgroup(pids: Sequence[int], *, cgroups: Path = CGROUPS) -> Path | None:
    """Return the control group (v2) that these processes have for themselves, None where others are in it, too."""
    with suppress(OSError, ValueError):
        lines = _lines(Path(f"/proc/{pids[0]}/cgroup")) if pids else []
        names = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
        if not names:
            return None
        folder = cgroups / names[0]
        inside = {int(pid) for pid in _lines(folder / "cgroup.procs")}
        if inside and inside <= set(pids) and (folder / "memory.reclaim").exists():
            return folder
    return None


def has_swap(swaps: Path = SWAPS) -> bool:
    """Say whether pages have anywhere to go; without swap only those of files would, and reading them again is slow."""
    with suppress(OSError):
        return len(_lines(swaps)) > 1  # the first line is the heading
    return False


def page_out(pid: int, *, is_wanted: Wanted) -> None:
    """Ask the kernel to page a process out; where we may not (CAP_SYS_NICE), or it is gone, nothing happens."""
    with suppress(OSError, AttributeError):
        process = os.pidfd_open(pid)
        try:
            for start, size in _ranges(pid):
                if not is_wanted():
                    return
                _advise(process, start, size=size)
        finally:
            os.close(process)


def _ranges(pid: int) -> Iterator[tuple[int, int]]:
    """Yield the mappings of a process as start and size, large ones in steps, without those of the kernel's own."""
    for line in _lines(Path(f"/proc/{pid}/maps")):
        if line.endswith(("[vvar]", "[vdso]", "[vsyscall]", "[vvar_vclock]")):
            continue
        start, end = (int(part, 16) for part in line.split(maxsplit=1)[0].split("-"))
        while start < end:
            size = min(STEP_BYTES, end - start)
            yield start, size
            start += size


def _advise(process: int, start: int, *, size: int) -> None:
    """Page one range out; raise `OSError` where no other could be either."""
    part = ctypes.create_string_buffer(struct.pack("@PN", start, size))  # an iovec
    done = _libc().syscall(PROCESS_MADVISE, process, part, ctypes.c_size_t(1), MADV_PAGEOUT, 0)
    error = ctypes.get_errno()
    if done < 0 and error in REFUSALS:
        raise OSError(error, os.strerror(error))


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()

"""Processor time and memory of processes, read from /proc (Linux)."""

import os
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def group(pgid: int) -> list[int]:
    """Return the processes of a group: a proxy and its workers; replicas have groups of their own."""
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit() and _stat(entry)[2:3] == [str(pgid)]]


def cpu_s(pgid: int) -> float:
    """Return user and system time that the living processes of a group, with all their threads, have used."""
    stats = [_stat(PROC / str(pid)) for pid in group(pgid)]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats if stat) / TICKS_PER_S


def rss_bytes(pgid: int) -> int:
    """Return the resident memory of a group."""
    return sum(_rss_bytes(PROC / str(pid)) for pid in group(pgid))


def _stat(entry: Path) -> list[str]:
    """Return the fields after the name, which may have spaces and brackets in it; nothing for one that is gone."""
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _rss_bytes(entry: Path) -> int:
    try:
        return int((entry / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (FileNotFoundError, ProcessLookupError):
        return 0


def forget_peak(pgid: int) -> None:
    """Begin the peak of the resident memory of a group anew."""
    for pid in group(pgid):
        (PROC / str(pid) / "clear_refs").write_text("5")


def peak_bytes(pgid: int) -> int:
    """Return the highest resident memory of each process of a group since then, added up."""
    return sum(_peak_bytes(PROC / str(pid)) for pid in group(pgid))


def _peak_bytes(entry: Path) -> int:
    lines = (entry / "status").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))

"""The replicas that run, on disk and in their environment, so that those of a killed gateway are found again.

One small file a replica tells what an adopter must know. It is written after the process exists, so a gateway killed
in between would leave a replica without a file: the environment marker, which the process has from its first
instruction, covers that moment. The marker alone is not enough: programs that set their title overwrite it.
"""

import functools
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import psutil

from wakegate.core.spec import ProcessSpec

MARKER = "WAKEGATE_REPLICA"  # its value: <hash of the state directory>/<service>/<number>


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One replica as its file tells it. `birth` with `pid` names one process until the end of time."""

    service: str
    number: int
    pid: int
    birth: str
    port: int
    fingerprint: str
    started_at: datetime
    log_since: int  # where in the service's log its lines begin

    def lives(self) -> bool:
        """Say whether the process still runs."""
        return self.birth != "" and birth(self.pid) == self.birth

    def __str__(self) -> str:
        return f"{self.service} replica {self.number} (pid {self.pid})"


class Registry:
    """The files of one state directory."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self._folder = state_dir / "replicas"
        self._mark = hashlib.sha256(os.fsencode(state_dir.resolve())).hexdigest()[:12]

    def marker(self, service: str, *, number: int) -> str:
        """Return the value of the environment marker of a replica."""
        return f"{self._mark}/{service}/{number}"

    def write(self, entry: Entry) -> None:
        """Write the file of a replica, at once or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(entry.service, entry.number)
        fresh = path.with_suffix(".fresh")
        # No fsync: what takes the page cache away (power, kernel) takes the process too.
        fresh.write_text(json.dumps(asdict(entry), default=datetime.isoformat), encoding="utf-8")
        fresh.replace(path)

    def remove(self, entry: Entry) -> None:
        """Remove the file of a replica, unless a newer one of that number has taken it over."""
        path = self._path(entry.service, entry.number)
        current = _read(path)
        if current is None or current.pid == entry.pid:
            path.unlink(missing_ok=True)

    def entries(self, service: str | None = None) -> list[Entry]:
        """Return what the files tell, of one service or of all; unreadable ones are left out."""
        try:
            names = os.listdir(self._folder)  # noqa: PTH208  10,000 services ask at the start: no Path for each name
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return []  # nothing was started here yet, or nobody may look
        ours = sorted(name for name in names if name.startswith(service or "") and name.endswith(".json"))
        entries = [entry for name in ours if (entry := _read(self._folder / name)) is not None]
        return [entry for entry in entries if service in (None, entry.service)]

    def marked(self) -> Iterator[tuple[psutil.Process, str, int]]:
        """Yield every process with our marker, its service and number; reads the environment of all, ~6 µs each."""
        for process in psutil.process_iter():
            with suppress(psutil.Error, ValueError, OSError):
                mark, service, number = process.environ().get(MARKER, "").split("/")
                if mark == self._mark:
                    yield process, service, int(number)

    def _path(self, service: str, number: int) -> Path:
        return self._folder / f"{service}-{number}.json"


def fingerprint(spec: ProcessSpec) -> str:
    """Return what must be the same for a running replica to fit the configuration; log limits need not be."""
    facts = [spec.command, spec.env, str(Path(spec.directory).resolve()), spec.port]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def birth(pid: int) -> str:
    """Return a text that no other process with this id has or will have; "" for a dead one.

    Not psutil's create time: it counts from a boot time that moves when the wall clock is set, and a replica not
    recognised would be neither adopted nor stopped.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except ProcessLookupError:
        return ""
    except FileNotFoundError:
        return "" if _has_proc() else _birth_without_proc(pid)
    state, *fields = stat.rpartition(b")")[2].split()
    return "" if state in (b"Z", b"X") else f"{_boot()}/{int(fields[18])}"


@functools.cache
def _has_proc() -> bool:
    return Path("/proc/self/stat").exists()


@functools.cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _birth_without_proc(pid: int) -> str:
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.NoSuchProcess:
        return ""


def _read(path: Path) -> Entry | None:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return Entry(**facts | {"started_at": datetime.fromisoformat(facts["started_at"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None

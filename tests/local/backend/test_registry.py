"""The registry: what names one process for ever, and what makes a replica fit a configuration."""

import errno
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from wakegate.core.spec import ProcessSpec
from wakegate.local.backend.registry import Entry, Registry, birth, fingerprint

SPEC = ProcessSpec(command=("app", "{port}"))


def _entry(**facts: Any) -> Entry:
    entry = Entry(
        service="web",
        number=1,
        pid=os.getpid(),
        birth=birth(os.getpid()),
        port=4000,
        fingerprint="f",
        started_at=datetime(2030, 1, 2, tzinfo=UTC),
        log_since=7,
    )
    return replace(entry, **facts)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """By another process, later."""
    Registry(tmp_path).write(_entry())
    assert Registry(tmp_path).entries("web") == [_entry()]
    assert [path.name for path in (tmp_path / "replicas").iterdir()] == ["web-1.json"]


def test_a_replica_removes_its_own_file_only(tmp_path: Path) -> None:
    """After a reload the next replica 1 may have written its file before the old one was gone."""
    registry = Registry(tmp_path)
    registry.write(_entry(pid=2))
    registry.remove(_entry(pid=1))
    assert registry.entries() == [_entry(pid=2)]
    registry.remove(_entry(pid=2))
    registry.remove(_entry(pid=2))
    assert registry.entries() == []


def test_a_birth_names_one_process() -> None:
    """An id alone is given again; a zombie is as good as gone."""
    process = subprocess.Popen(["sleep", "600"])
    first = birth(process.pid)
    assert first == birth(process.pid) != ""
    assert first != birth(os.getpid())
    assert _entry(pid=process.pid, birth=first).lives()
    assert not _entry(pid=process.pid, birth=birth(os.getpid())).lives()
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert birth(process.pid) == "", "a zombie"
    process.wait()
    assert birth(process.pid) == ""
    assert not _entry(pid=process.pid, birth="").lives()


def test_two_state_directories_have_two_markers(tmp_path: Path) -> None:
    """And one has the same, however its path is written."""
    marker = Registry(tmp_path).marker("web", number=2)
    assert marker == Registry(tmp_path / "x" / "..").marker("web", number=2)
    assert marker != Registry(tmp_path / "x").marker("web", number=2)
    assert marker.endswith("/web/2")


@pytest.mark.parametrize(
    "other",
    [
        replace(SPEC, command=("app", "{port}", "-v")),
        replace(SPEC, env=(("A", "1"),)),
        replace(SPEC, directory="/tmp"),
        replace(SPEC, port=4000),
    ],
)
def test_another_program_has_another_fingerprint(other: ProcessSpec) -> None:
    """Command, environment, directory and port make the program."""
    assert fingerprint(other) != fingerprint(SPEC)


def test_the_same_program_has_the_same_fingerprint() -> None:
    """Log limits are the gateway's business, and `.` is the directory we are in."""
    assert fingerprint(replace(SPEC, log_bytes_max=1, directory=str(Path.cwd()))) == fingerprint(SPEC)


def test_what_keeps_the_files_from_being_read_is_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replicas that run would be started once more beside themselves; a folder that is not there has none."""
    registry = Registry(tmp_path)
    assert registry.entries() == []

    def full(*_: object) -> list[str]:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "listdir", full)
    with pytest.raises(OSError, match="Too many open files"):
        registry.entries()

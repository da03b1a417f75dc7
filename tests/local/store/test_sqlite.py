"""What the real store promises beyond the contract: it survives kill -9, other writers and a full disk."""

import os
import random
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wakegate.core.errors import ConflictError, StateError
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.core.session import Session
from wakegate.local.store.sqlite import SqliteStore

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KILLED_STORE = Path(__file__).with_name("killed_store.py")
FIRST = ServiceRecord(name="web", version=1, phase=Phase.ASLEEP, since=NOW, last_active_at=NOW)


def write_and_kill(file: Path, *, name: str, after_lines: int) -> list[list[str]]:
    """Let a child write, kill it when it has said so many lines, and return all that it said until it was dead."""
    command = [sys.executable, str(KILLED_STORE), str(file), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(after_lines)]
        child.send_signal(signal.SIGKILL)
        said += child.stdout.readlines()
    assert child.returncode == -signal.SIGKILL, "it was not killed but ended by itself"
    return [line.decode().split() for line in said if line.endswith(b"\n")]


def test_kill_9_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """The session whose id a browser has must be there after the crash, its data too."""
    seed = int(os.environ.get("SEED") or random.randrange(2**32))
    print(f"SEED={seed}")
    chance = random.Random(seed)
    file = tmp_path / "state.sqlite"
    acknowledged: dict[str, int] = {}
    version = 0
    for number in range(6):
        for line in write_and_kill(file, name=f"round{number}", after_lines=chance.randrange(1, 1_500)):
            if line[0] == "session":
                acknowledged[line[1]] = int(line[2])
            else:
                version = int(line[1])
        with SqliteStore(file) as store:  # as it was left: log and all
            found = {one: store.get("web", one) for one in acknowledged}
            record = store.load("web")
            lost = [one for one, session in found.items() if session is None or len(session.data) != 1_500]
            older = [one for one, session in found.items() if session and session.requests < acknowledged[one]]
            assert (lost, older) == ([], [])
            assert version <= (record.version if record else 0) <= version + 1


def test_of_two_that_decided_on_one_reading_one_writes(tmp_path: Path) -> None:
    """The drain and the request that cancels it are such a pair."""
    with SqliteStore(tmp_path / "state.sqlite") as one, SqliteStore(tmp_path / "state.sqlite") as two:
        one.save(FIRST, expected_version=0)
        assert one.load("web") == two.load("web")
        two.save(replace(FIRST, version=2, phase=Phase.DRAINING), expected_version=1)
        with pytest.raises(ConflictError):
            one.save(replace(FIRST, version=2, phase=Phase.AWAKE), expected_version=1)
        for store in (one, two):
            record = store.load("web")
            assert record is not None
            assert record.phase is Phase.DRAINING


ADD = """
import sys
from dataclasses import replace
from pathlib import Path
from wakegate.core.errors import ConflictError, StateError
from wakegate.local.store.sqlite import SqliteStore

with SqliteStore(Path(sys.argv[1])) as store:
    sys.stdin.read()
    done = 0
    while done < 150:
        record = store.load("web")
        try:
            store.save(replace(record, version=record.version + 1), expected_version=record.version)
        except (ConflictError, StateError):
            continue
        done += 1
"""


def test_writers_that_race_lose_no_write(tmp_path: Path) -> None:
    """Each success of three processes is a version of its own: none has overwritten another's unseen."""
    file = tmp_path / "state.sqlite"
    with SqliteStore(file) as store:
        store.save(FIRST, expected_version=0)
    command = [sys.executable, "-c", ADD, str(file)]
    writers = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(3)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()  # go
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    with SqliteStore(file) as store:
        record = store.load("web")
        assert record is not None
        assert record.version == 1 + 3 * 150


def test_each_file_has_a_secret_of_its_own_that_stays(tmp_path: Path) -> None:
    """Cookies hold over a restart, and only with the gateway that issued them."""
    with SqliteStore(tmp_path / "a") as one, SqliteStore(tmp_path / "a") as again, SqliteStore(tmp_path / "b") as other:
        secret = one.secret()
        assert again.secret() == secret
        assert other.secret() != secret
    with SqliteStore(tmp_path / "a") as later:
        assert later.secret() == secret


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """The file has the key that signs sessions; the directory may be one that others can enter."""
    with SqliteStore(tmp_path / "state.sqlite") as store:
        store.save(FIRST, expected_version=0)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"state.sqlite": 0o600, "state.sqlite-wal": 0o600, "state.sqlite-shm": 0o600}


def test_a_full_disk_is_an_error_with_a_sentence_and_passes(
    tmp_path: Path, full_disk: Callable[[], AbstractContextManager[None]]
) -> None:
    """The gateway goes on without the store; when there is room again, it is written again."""
    one = Session(id="a", service="web", created_at=NOW, last_seen_at=NOW, requests=1, expires=NOW, data=bytes(4096))
    with SqliteStore(tmp_path / "state.sqlite") as store:
        store.save(FIRST, expected_version=0)
        writes: tuple[Callable[[], None], ...] = (
            lambda: store.put(one),
            lambda: store.touch([one]),
            lambda: store.save(replace(FIRST, version=2), expected_version=1),
        )
        with full_disk():
            for write in writes:
                with pytest.raises(StateError, match=r"state\.sqlite cannot be written: "):
                    write()
            assert store.load("web") == FIRST
        for write in writes:
            write()
        assert store.get("web", "a") == replace(one, requests=2)

"""The log of a service: nothing that an app wrote is lost or shown twice, whatever it writes and whenever it turns."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from wakegate.local import logs
from wakegate.local.logs import LINE_BYTES_MAX, ServiceLog, follow, log_path, tail

pytestmark = pytest.mark.anyio


def service_log(state_dir: Path, *, bytes_max: int = 100, files_max: int = 3) -> ServiceLog:
    """Make the log of "web" with its file there."""
    log = ServiceLog("web", state_dir=state_dir, bytes_max=bytes_max, files_max=files_max)
    os.close(log.open())
    return log


def write(log: ServiceLog, data: bytes) -> None:
    """Append as an app does."""
    with log.path.open("ab") as file:
        file.write(data)


def contents(log: ServiceLog) -> dict[str, bytes]:
    """Return what each file holds."""
    return {path.name: path.read_bytes() for path in sorted(log.path.parent.iterdir())}


@pytest.fixture(autouse=True)
def fast_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Followers poll without a pause that a reader would need."""
    monkeypatch.setattr(logs, "POLL_S", 0.005)


def test_a_tail_is_the_newest_lines(tmp_path: Path) -> None:
    """Oldest first, as written; also an unfinished last one, which is often the crash."""
    log = service_log(tmp_path)
    assert log.tail(lines=3) == ()
    write(log, b"one\ntwo\nthree\nfo")
    assert log.tail(lines=3) == ("two", "three", "fo")
    assert log.tail(lines=9) == ("one", "two", "three", "fo")
    assert log.tail(lines=0) == ()


def test_a_tail_of_a_service_that_never_ran_is_empty(tmp_path: Path) -> None:
    """`wakegate logs` of a fresh configuration."""
    assert ServiceLog("web", state_dir=tmp_path, bytes_max=1, files_max=1).tail(lines=5) == ()
    assert tail(log_path("web", state_dir=tmp_path), lines=5) == ()


def test_a_tail_reads_across_blocks(tmp_path: Path) -> None:
    """Lines that straddle the blocks in which the file is read backwards are whole."""
    log = service_log(tmp_path)
    lines = [f"{number} " + "x" * (number % 700) for number in range(2000)]
    write(log, "\n".join(lines).encode() + b"\n")
    assert log.tail(lines=900) == tuple(lines[-900:])


def test_bytes_that_are_no_text_are_replaced(tmp_path: Path) -> None:
    """An app may write anything; the dashboard must not fail on it."""
    log = service_log(tmp_path)
    write(log, b"caf\xe9 \xff\nna\xc3\xafve\r\n")
    assert log.tail(lines=2) == ("caf\ufffd \ufffd", "naïve")


def test_very_long_lines_are_cut(tmp_path: Path) -> None:
    """A megabyte without a newline must not go into an error page."""
    log = service_log(tmp_path)
    write(log, b"x" * 1_000_000 + b"\nend\n")
    first, second = log.tail(lines=2)
    assert (len(first), second) == (LINE_BYTES_MAX, "end")


def test_separators_are_for_the_file_not_for_errors(tmp_path: Path) -> None:
    """The last lines in an error are the app's own; `wakegate logs` shows when each replica began."""
    log = service_log(tmp_path)
    write(log, b"broken off")
    log.separate("1 started at noon")
    write(log, b"hello\n")
    log.separate("2 started at one")
    assert log.path.read_bytes() == b"broken off\n--- replica 1 started at noon\nhello\n--- replica 2 started at one\n"
    assert log.tail(lines=2) == ("broken off", "hello")
    assert tail(log.path, lines=2) == ("hello", "--- replica 2 started at one")


def test_a_tail_can_begin_at_a_mark(tmp_path: Path) -> None:
    """The lines of this run only; after a rotation everything left is newer than the mark."""
    log = service_log(tmp_path, bytes_max=5)
    write(log, b"old\nolder\n")
    mark = log.size()
    write(log, b"new\n")
    assert log.tail(lines=9, since=mark) == ("new",)
    log.rotate()
    write(log, b"x\n")
    assert log.tail(lines=9, since=mark) == ("x",)


def test_rotation_keeps_so_many_files(tmp_path: Path) -> None:
    """The newest content in the current file, the oldest gone."""
    log = service_log(tmp_path, bytes_max=2, files_max=3)
    for line in (b"one\n", b"two\n", b"three\n", b"four\n"):
        write(log, line)
        assert log.is_due()
        log.rotate()
        assert not log.is_due()
    write(log, b"f")
    log.rotate()
    assert contents(log) == {"web.log": b"f", "web.log.1": b"four\n", "web.log.2": b"three\n"}


def test_one_file_is_emptied(tmp_path: Path) -> None:
    """`log_files_max = 1` is the whole disk that the log may take."""
    log = service_log(tmp_path, bytes_max=2, files_max=1)
    write(log, b"one\n")
    log.rotate()
    assert contents(log) == {"web.log": b""}


def test_no_limit_is_never_due(tmp_path: Path) -> None:
    """0 turns rotation off."""
    log = service_log(tmp_path, bytes_max=0)
    write(log, b"x" * 1000)
    assert not log.is_due()


def test_a_short_tail_goes_back_into_the_rotated_file(tmp_path: Path) -> None:
    """`wakegate logs` a moment after a rotation is not empty."""
    log = service_log(tmp_path, bytes_max=2)
    write(log, b"one\ntwo\nthree\n")
    log.rotate()
    write(log, b"four\n")
    assert tail(log.path, lines=3) == ("two", "three", "four")


def test_a_writer_goes_on_at_the_end_of_the_emptied_file(tmp_path: Path) -> None:
    """Without O_APPEND its next line would come after a hole as long as all it ever wrote."""
    log = service_log(tmp_path, bytes_max=2)
    fd = log.open()
    os.write(fd, b"before\n")
    log.rotate()
    os.write(fd, b"after\n")
    os.close(fd)
    assert contents(log) == {"web.log": b"after\n", "web.log.1": b"before\n"}


@asynccontextmanager
async def following(path: Path, *, lines: int = 0) -> AsyncIterator[AsyncIterator[str]]:
    """Follow for at most ten seconds."""
    async with asyncio.timeout(10), aclosing(follow(path, lines=lines)) as stream:
        yield stream


async def test_a_follower_sees_the_newest_lines_then_each_new_one(tmp_path: Path) -> None:
    """None twice, none left out, and none before it has ended."""
    log = service_log(tmp_path)
    write(log, b"one\ntwo\nthr")
    async with following(log.path, lines=1) as stream:
        assert await anext(stream) == "two"
        write(log, b"ee\nfour\n")
        assert [await anext(stream), await anext(stream)] == ["three", "four"]


async def test_a_follower_waits_for_the_file(tmp_path: Path) -> None:
    """`wakegate logs -f` before the first wake, without a gateway."""
    path = log_path("web", state_dir=tmp_path)
    async with following(path) as stream:
        first = asyncio.ensure_future(anext(stream))
        await asyncio.wait({first}, timeout=0.02)
        write(service_log(tmp_path), b"hello\n")
        assert await first == "hello"


async def test_a_follower_sees_the_end_of_the_rotated_file(tmp_path: Path) -> None:
    """What was written just before the rotation is read from where it went."""
    log = service_log(tmp_path, bytes_max=2)
    write(log, b"one\n")
    async with following(log.path, lines=1) as stream:
        assert await anext(stream) == "one"
        write(log, b"two\nth")
        log.rotate()
        write(log, b"ree\nfour\nfive is longer than all before\n")
        assert [await anext(stream) for _ in range(4)] == ["two", "three", "four", "five is longer than all before"]


async def test_a_follower_survives_a_file_that_is_emptied_or_replaced(tmp_path: Path) -> None:
    """By `log_files_max = 1`, by an operator with `: > web.log`, or with rm."""
    log = service_log(tmp_path, bytes_max=2, files_max=1)
    write(log, b"one\n")
    async with following(log.path, lines=1) as stream:
        assert await anext(stream) == "one"
        log.rotate()
        write(log, b"2\n")
        assert await anext(stream) == "2"
        write(log, b"bro")
        pending = asyncio.ensure_future(anext(stream))
        await asyncio.wait({pending}, timeout=0.05)
        log.path.unlink()
        assert await pending == "bro"
        write(log, b"three\n")
        assert await anext(stream) == "three"


async def test_a_follower_loses_nothing_under_a_writer_that_never_stops(tmp_path: Path) -> None:
    """Rotation after rotation, the numbers come in order; gaps are only what copy and truncate lost, never repeats."""
    log = service_log(tmp_path, bytes_max=4000)
    fd = log.open()
    count = "import time\nfor i in range(3000):\n print(i, flush=True)\n if i % 10 == 0: time.sleep(1e-3)\nprint('end')"
    writer = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", count, stdout=fd)
    os.close(fd)
    seen: list[str] = []
    rotations = 0
    async with following(log.path, lines=10**6) as stream:
        async for line in stream:
            seen.append(line)
            if log.is_due():
                log.rotate()
                rotations += 1
            if line == "end":
                break
    await writer.wait()
    numbers = [int(line) for line in seen[:-1]]
    assert numbers == sorted(set(numbers))
    assert rotations > 1
    assert len(numbers) > 2900


def test_a_rotated_log_is_as_private_as_the_log(tmp_path: Path) -> None:
    """What an app writes may be secret."""
    log = ServiceLog("web", state_dir=tmp_path, bytes_max=10, files_max=3)
    descriptor = log.open()
    os.write(descriptor, b"x" * 20)
    os.close(descriptor)
    log.rotate()
    modes = {path.name: path.stat().st_mode & 0o777 for path in log.path.parent.iterdir()}
    assert modes == {"web.log": 0o640, "web.log.1": 0o640}

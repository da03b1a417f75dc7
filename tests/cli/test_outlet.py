"""The outlet: whoever reads the timeline slowly, or no more, holds nobody up."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.scenarios.gateway import eventually

from wakegate.cli.outlet import GONE, TEXTS_MAX, Outlet

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """Give a pipe; what is still open at the end is closed."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


def dropped(count: int) -> str:
    """Say it shortly."""
    return f"<{count}>\n"


def test_texts_are_written_in_order_and_all_of_them_before_the_end(pipe: Pipe) -> None:
    """The last line says that every replica has ended; it must not be lost by ending."""
    reader, writer = pipe
    outlet = Outlet(writer, dropped=dropped)
    for number in range(100):
        outlet.write(f"{number} ")
    outlet.close()
    assert os.read(reader, 65536).decode() == "".join(f"{number} " for number in range(100))


def test_a_reader_that_does_not_read_holds_up_nobody(pipe: Pipe) -> None:
    """A terminal paused with Ctrl-S, or a full pipe, would stop every request: the write is somebody else's."""
    reader, writer = pipe
    outlet = Outlet(writer, dropped=dropped)
    for _ in range(TEXTS_MAX + 2_000):
        outlet.write(f"{'x' * 99}\n")
    assert outlet.is_behind()
    text = b""
    while len(text) < 100 * TEXTS_MAX:
        text += os.read(reader, 1_000_000)
    outlet.write("after\n")
    outlet.close()
    lines = (text + os.read(reader, 1_000_000)).decode().splitlines()
    counts = [int(line.strip("<>")) for line in lines if line.startswith("<")]
    assert sum(counts) > 1_000
    assert lines.count("x" * 99) + sum(counts) == TEXTS_MAX + 2_000
    assert lines[-1] == "after"


def test_a_reader_that_does_not_read_does_not_hold_up_the_end(pipe: Pipe) -> None:
    """Ctrl-C on a gateway whose output is paused must end it."""
    _, writer = pipe
    outlet = Outlet(writer, dropped=dropped)
    outlet.write("x" * 1_000_000)
    began_s = time.monotonic()
    outlet.close()
    assert time.monotonic() - began_s < 30


def test_a_reader_that_has_gone_is_told_once_and_forgotten() -> None:
    """`wakegate up | head -3`: the site goes on, somebody is told where to look, and exit is clean."""
    code = (
        "import os, sys\nfrom wakegate.cli.outlet import Outlet\n"
        "outlet = Outlet(1, dropped=str)\nsys.stdin.read()\n"
        "for _ in range(1000): outlet.write('x' * 100)\noutlet._thread.join(60)\noutlet.write('more')\noutlet.close()\n"
    )
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == GONE
        assert process.wait(60) == 0


def test_a_full_disk_costs_its_lines_and_no_more(tmp_path: Path) -> None:
    """When there is room again, the next line is written: a log that stays silent for ever hides the next problem."""
    full = (
        os.open("/dev/full", os.O_WRONLY) if Path("/dev/full").exists() else pytest.skip("there is no /dev/full here")
    )
    file = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    outlet = Outlet(full, dropped=dropped)
    outlet.write("lost")
    outlet.write("")
    eventually(lambda: not outlet.is_behind(), what="the second was taken, so the first was tried")
    os.dup2(file, full)
    outlet.write("kept")
    outlet.close()
    assert (tmp_path / "log").read_text() == "kept"


def test_what_an_encoding_has_not_is_replaced(pipe: Pipe) -> None:
    """An old locale has no "→"; that is no reason to end a gateway."""
    reader, writer = pipe
    outlet = Outlet(writer, encoding="ascii", dropped=dropped)
    outlet.write("a → b")
    outlet.close()
    assert os.read(reader, 100) == b"a ? b"


def test_a_descriptor_that_somebody_made_non_blocking_is_written_whole(pipe: Pipe) -> None:
    """Programs that share a terminal change its mode for everybody; half a line would be the result."""
    reader, writer = pipe
    os.set_blocking(writer, False)
    outlet = Outlet(writer, dropped=dropped)
    outlet.write("x" * 300_000)
    text = b""
    while len(text) < 300_000:
        text += os.read(reader, 1_000_000)
    outlet.close()
    assert len(text) == 300_000

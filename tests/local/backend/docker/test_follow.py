"""What a container writes, copied: both streams, with and without a terminal, to the last line."""

from pathlib import Path

import pytest
from tests.local.backend.docker.world import docker, world

from wakegate.local.backend.docker.follow import follow
from wakegate.local.logs import ServiceLog

pytestmark = pytest.mark.anyio


def _log(state_dir: Path, *, bytes_max: int = 0) -> ServiceLog:
    return ServiceLog("web", state_dir=state_dir, bytes_max=bytes_max, files_max=3)


async def _followed(image: str, state_dir: Path, script: str, *options: str, bytes_max: int = 0) -> ServiceLog:
    """Run a script in a container to its end, and copy what it wrote."""
    log = _log(state_dir, bytes_max=bytes_max)
    container = docker("create", *options, image, "sh", "-c", script)
    try:
        docker("start", container)
        docker("wait", container)
        async with world(state_dir) as here:
            await follow(here.engine, container, log=log, since=0.0)
    finally:
        docker("rm", "--force", container)
    return log


@pytest.mark.parametrize("options", [(), ("--tty",)])
async def test_both_streams_are_copied_to_the_end(image: str, state_dir: Path, options: tuple[str, ...]) -> None:
    """With a terminal Docker sends them bare, without one in frames that must not be seen."""
    log = await _followed(image, state_dir, "echo out; echo err >&2; printf last", *options)
    assert sorted(log.tail(lines=9)) == ["err", "last", "out"]


async def test_one_that_wrote_nothing_leaves_nothing(image: str, state_dir: Path) -> None:
    """The stream ends before its first byte."""
    assert (await _followed(image, state_dir, "exit 0")).tail(lines=9) == ()


async def test_what_is_no_text_is_copied_as_it_is(image: str, state_dir: Path) -> None:
    """Half a character at the end of a piece must not be lost."""
    log = await _followed(image, state_dir, r"printf '\303'; busybox sleep 0.1; printf '\244\n'")
    assert log.tail(lines=1) == ("ä",)


async def test_a_log_that_grows_is_rotated(image: str, state_dir: Path) -> None:
    """A chatty container must not fill the disk."""
    script = "for n in 1 2 3 4 5 6; do busybox yes | busybox head -n 30000; done"
    log = await _followed(image, state_dir, script, bytes_max=100_000)
    assert log.size() < 300_000
    assert log.path.with_name("web.log.1").exists()


async def test_a_log_that_cannot_be_read_says_so(image: str, state_dir: Path) -> None:
    """A driver that keeps nothing: whoever looks for the log finds out why there is none."""
    log = await _followed(image, state_dir, "echo hello", "--log-driver", "none")
    [line] = log.tail(lines=9)
    assert line.startswith("wakegate: the log of this container cannot be read: ")

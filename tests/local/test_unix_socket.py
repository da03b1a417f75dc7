"""The file of a Unix socket: who may have its place, and when it goes."""

import os
import socket
from pathlib import Path

import pytest

from wakegate.core.errors import StateError
from wakegate.local.unix_socket import SocketFile, bind


def test_the_socket_of_a_dead_gateway_is_replaced(tmp_path: Path) -> None:
    """After a kill -9 the file is still there, and must not need a person to remove it."""
    path = tmp_path / "gateway.sock"
    bind(path).close()
    assert path.exists()
    with bind(path) as listening, socket.socket(socket.AF_UNIX) as client:
        listening.listen()
        client.connect(str(path))


def test_the_socket_of_a_living_program_is_not_taken_from_it(tmp_path: Path) -> None:
    """Its visitors would silently come to us."""
    path = tmp_path / "gateway.sock"
    with bind(path) as listening:
        listening.listen()
        with pytest.raises(StateError, match=r"gateway\.sock is in use: a program listens there; stop it, or choose"):
            bind(path)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_program_that_is_too_busy_to_accept_is_a_living_one(tmp_path: Path) -> None:
    """Its queue is full, which is an error of its own kind."""
    path = tmp_path / "gateway.sock"
    clients = [socket.socket(socket.AF_UNIX) for _ in range(3)]
    with bind(path) as listening:
        listening.listen(0)
        for client in clients:
            client.setblocking(False)
            client.connect_ex(str(path))
        with pytest.raises(StateError, match="is in use"):
            bind(path)
    for client in clients:
        client.close()


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    """A slip of the pen must not cost somebody a file, nor what a link leads to."""
    path = tmp_path / "notes"
    path.write_text("important")
    link = tmp_path / "link"
    link.symlink_to(path)
    for one in (path, link):
        with pytest.raises(StateError, match="is there already, and is no socket"):
            bind(one)
    assert path.read_text() == "important"
    assert link.is_symlink()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """`/run/wakegate` is gone after every boot."""
    (tmp_path / "file").touch()
    for path in (Path("/proc/w.sock"), tmp_path / "file" / "w.sock"):
        with pytest.raises(StateError, match=f"{path.parent} is no folder for files; choose another path"):
            bind(path)
    with pytest.raises(StateError, match=r"there is no folder .*/missing; make it, or choose another path"):
        bind(tmp_path / "missing" / "gateway.sock")


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_named(tmp_path: Path) -> None:
    """`/run` belongs to root."""
    tmp_path.chmod(0o500)
    with pytest.raises(StateError, match=r"user \d+ may not write to"):
        bind(tmp_path / "gateway.sock")


def test_only_its_own_file_is_removed(tmp_path: Path) -> None:
    """A gateway that ends late must not hide the one that has taken its place."""
    path = tmp_path / "gateway.sock"
    with bind(path):
        ours = SocketFile(path)
    path.rename(tmp_path / "old")  # it keeps its inode, so that the next one gets another
    with bind(path):
        ours.remove()
        assert path.exists()
        SocketFile(path).remove()
    assert not path.exists()
    ours.remove()


def test_who_may_connect_is_what_the_umask_leaves(tmp_path: Path) -> None:
    """The one rule of Unix for new files, which a service manager sets."""
    path = tmp_path / "gateway.sock"
    before = os.umask(0o117)
    try:
        with bind(path):
            assert path.stat().st_mode & 0o777 == 0o660
    finally:
        os.umask(before)

"""A Unix socket to listen on: its file is made, taken from a gateway that is dead, never from one that lives."""

import errno
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from wakegate.core.errors import StateError

ASK_TIMEOUT_S = 1.0  # for the kernel's answer whether anybody listens; a gateway that is stopped gives none


class SocketFile:
    """The file that a socket of ours is found by. Who may connect is who may write to it: the umask decides."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity = _identity(path)

    def remove(self) -> None:
        """Remove it, unless another gateway has put its own there meanwhile."""
        if self._identity is not None and _identity(self.path) == self._identity:
            with suppress(OSError):  # a folder that was made read-only: the next gateway takes the place all the same
                self.path.unlink()


def bind(path: Path) -> socket.socket:
    """Return a socket that is bound there; raise `StateError` where it cannot be."""
    listening = socket.socket(socket.AF_UNIX)
    try:
        _clear(path)
        listening.bind(str(path))
    except OSError as error:
        listening.close()
        raise StateError(_why_not(error, path)) from error
    except BaseException:
        listening.close()
        raise
    return listening


def _clear(path: Path) -> None:
    """Remove what a dead gateway has left; raise `StateError` for anything else that is there."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise StateError(f"{path} is there already, and is no socket; choose another path with --listen unix:PATH")
    if _is_answered(path):
        raise StateError(f"{path} is in use: a program listens there; stop it, or choose another path with --listen")
    path.unlink()


def _is_answered(path: Path) -> bool:
    """Say whether a program listens there; one that is too busy to answer does."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(ASK_TIMEOUT_S)
        try:
            asking.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except (BlockingIOError, TimeoutError):
            return True
        return True


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _why_not(error: OSError, path: Path) -> str:
    if error.errno == errno.ENOENT and not path.parent.exists():
        return f"{path} cannot be listened on: there is no folder {path.parent}; make it, or choose another path"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"{path} cannot be listened on: {path.parent} is no folder for files; choose another path"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{path} cannot be listened on: user {os.getuid()} may not write to {path.parent}; choose another path"
    return f"{path} cannot be listened on: {error.strerror or error}; choose another path with --listen unix:PATH"

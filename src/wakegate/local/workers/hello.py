"""How keeper and worker meet: the worker says who it is, and hands over the board and the sockets that it accepts from.

A keeper starts a worker with its end of a pair of sockets. A later keeper, after the first was killed, finds the
worker by its own socket in the state directory: the sockets it hands over are why nobody is refused meanwhile.
"""

import asyncio
import json
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import wakegate
from wakegate.core.spec import GatewaySpec
from wakegate.local.ready import readable

HELLO_BYTES_MAX, FDS_MAX = 4096, 32
HELLO_TIMEOUT_S = 60.0  # a machine that starts a worker for each core is busy
VERSION = wakegate.__version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """Who a worker is; `door` is what is spoken there, and the address as it was configured."""

    version: str
    pid: int
    slot: int
    door: str


@dataclass(slots=True)
class Met:
    """A worker that has said hello."""

    hello: Hello
    connection: socket.socket
    board_fd: int
    listening: list[socket.socket]

    def close(self) -> None:
        """Let go of what it handed over; the connection stays."""
        os.close(self.board_fd)
        for one in self.listening:
            one.close()


def door_of(spec: GatewaySpec, *, given: Sequence[socket.socket] = ()) -> str:
    """Name a door, of sockets that were given where there are any: a worker that stands at another is of no use."""
    spoken = ("PROXY " if spec.proxy_protocol else "") + ("https" if spec.tls_key else "http")
    if given:
        return " ".join([spoken, "given", *(str(one.getsockname()) for one in given)])
    return f"{spoken} unix:{spec.unix_path}" if spec.unix_path else f"{spoken} {spec.host}:{spec.port}"


def say_hello(connection: socket.socket, hello: Hello, *, board_fd: int, listening: Sequence[socket.socket]) -> None:
    """Introduce a worker to its keeper."""
    fds = [board_fd, *(one.fileno() for one in listening)]
    socket.send_fds(connection, [json.dumps(asdict(hello)).encode()], fds)


async def hear_hello(connection: socket.socket) -> Met:
    """Return who is at the other end; raise `EOFError` where that has ended, `TimeoutError` where it is stuck."""
    connection.setblocking(False)
    async with asyncio.timeout(HELLO_TIMEOUT_S):
        await readable(connection)
    try:
        data, fds, _, _ = socket.recv_fds(connection, HELLO_BYTES_MAX, FDS_MAX)
    except ConnectionError as error:
        raise EOFError from error
    if not data:
        raise EOFError
    listening = [socket.socket(fileno=fd) for fd in fds[1:]]
    return Met(Hello(**json.loads(data)), connection, fds[0], listening)


def wait_for_keepers(folder: Path, slot: int) -> socket.socket:
    """Return the socket by which the next keeper finds this worker; it replaces that of the one before it."""
    listening = socket.socket(socket.AF_UNIX)
    listening.setblocking(False)
    with _short(folder) as short:
        path = own_socket(short, slot)
        path.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            listening.bind(str(path))
        finally:
            os.umask(mask)
    listening.listen()
    return listening


def own_socket(folder: Path, slot: int) -> Path:
    """Return where the socket of a worker is."""
    return folder / f"{slot}.sock"


def find(folder: Path) -> Iterator[tuple[int, socket.socket]]:
    """Connect to every worker that an earlier keeper left here; yield their slots and the connections."""
    for path in sorted(folder.glob("*.sock")):
        connection = socket.socket(socket.AF_UNIX)
        try:
            with _short(folder) as short:
                connection.connect(str(short / path.name))
        except ConnectionError:
            connection.close()
            path.unlink(missing_ok=True)
        else:
            yield int(path.stem), connection


def peer_of(connection: socket.socket) -> tuple[int, int]:
    """Return the process at the other end, and its user."""
    pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(pid), int(uid)


@contextmanager
def _short(folder: Path) -> Iterator[Path]:
    """Lend a short name of a folder: the name of a Unix socket has 107 bytes at most, and a path may be longer."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield Path(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)

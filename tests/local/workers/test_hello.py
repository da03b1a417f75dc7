"""How keeper and worker meet, and how the next keeper finds a worker whose keeper was killed."""

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest

from wakegate.core.spec import GatewaySpec
from wakegate.local.workers.board import Board
from wakegate.local.workers.hello import VERSION, Hello, door_of, find, hear_hello, peer_of, say_hello, wait_for_keepers

pytestmark = pytest.mark.anyio
HELLO = Hello(version=VERSION, pid=1234, slot=2, door=door_of(GatewaySpec()))


async def test_a_worker_hands_over_its_board_and_its_sockets() -> None:
    """The next keeper listens by the very same sockets: nobody is refused."""
    board = Board.make()
    board.slot(0).row(0).began(1.0)
    mine, theirs = socket.socketpair()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        say_hello(mine, HELLO, board_fd=board.fd, listening=[listening])
        met = await hear_hello(theirs)
        address = listening.getsockname()
    assert met.hello == HELLO
    assert Board(met.board_fd).slot(0).row(0).in_flight == 1
    with socket.create_connection(address):  # closed by the worker, and still open
        met.listening[0].accept()[0].close()
    met.close()
    mine.close()
    theirs.close()


async def test_a_worker_that_ends_before_it_says_hello_is_noticed() -> None:
    """It may have been killed while it started."""
    mine, theirs = socket.socketpair()
    mine.close()
    with pytest.raises(EOFError):
        await hear_hello(theirs)
    theirs.close()


async def test_a_keeper_finds_those_that_are_there(tmp_path: Path) -> None:
    """Also where the name of the folder is longer than that of a socket may be; what is left of others is removed."""
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    waiting = wait_for_keepers(folder, 2)
    wait_for_keepers(folder, 1).close()
    assert stat.S_IMODE((folder / "2.sock").stat().st_mode) == 0o600
    ((slot, connection),) = find(folder)
    assert (slot, peer_of(connection)) == (2, (os.getpid(), os.getuid()))
    assert [path.name for path in folder.iterdir()] == ["2.sock"]
    accepted, _ = await asyncio.get_running_loop().sock_accept(waiting)
    for one in (accepted, connection, waiting):
        one.close()


async def test_a_worker_takes_the_place_of_the_one_before_it(tmp_path: Path) -> None:
    """The socket of one that was killed is still in the folder."""
    wait_for_keepers(tmp_path, 1).close()
    waiting = wait_for_keepers(tmp_path, 1)
    ((slot, connection),) = find(tmp_path)
    assert slot == 1
    connection.close()
    waiting.close()


def test_doors_are_told_apart_by_all_that_a_client_sees() -> None:
    """A worker that speaks no TLS is of no use where it is spoken."""
    others = (
        GatewaySpec(port=8081),
        GatewaySpec(unix_path="/run/w.sock"),
        GatewaySpec(tls_key="key.pem"),
        GatewaySpec(proxy_protocol=True),
    )
    with socket.create_server(("127.0.0.1", 0)) as given:
        assert len({HELLO.door, *map(door_of, others), door_of(GatewaySpec(), given=[given])}) == 6

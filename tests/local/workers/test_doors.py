"""The sockets of the workers: they share an address, and nobody else gets it."""

import os
import socket

import pytest

from wakegate.core.errors import StateError
from wakegate.core.spec import GatewaySpec
from wakegate.local.listener import listen
from wakegate.local.workers.doors import addresses_of, bind, count_of, missing, share

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Use asyncio's own loop, as the tests of the listener do."""
    return "asyncio"


def accepted(listening: socket.socket) -> int:
    """Count who waits to be accepted."""
    listening.setblocking(False)
    count = 0
    while True:
        try:
            listening.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


async def test_connections_are_shared_out_and_the_port_is_taken_for_all_others() -> None:
    """The first socket is bound alone, so that a port that is in use is still seen."""
    first = (await listen(GatewaySpec(port=0))).sockets
    share(first)
    second = bind(addresses_of(first))
    for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT):
        values = {one.getsockopt(socket.IPPROTO_TCP, option) for one in (*first, *second)}
        assert len(values) == 1, "what a client that is gone keeps awake must not depend on who accepted it"
    for one in (*first, *second):
        one.listen()
    address = first[0].getsockname()
    clients = [socket.create_connection(address) for _ in range(64)]
    counts = accepted(first[0]), accepted(second[0])
    assert sum(counts) == 64
    assert 0 not in counts
    with pytest.raises(StateError, match="is taken by another program"):
        await listen(GatewaySpec(port=address[1]))
    for one in (*first, *second, *clients):
        one.close()


async def test_a_socket_that_cannot_be_bound_leaves_none_behind() -> None:
    """The others of its set are let go of."""
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
        free.close()
        with pytest.raises(StateError, match="a worker cannot listen at"):
            bind([(socket.AF_INET, address), (socket.AF_INET, taken.getsockname())])
        with socket.create_server(address):
            pass


async def test_a_system_without_what_is_needed_is_told_what() -> None:
    """On a Mac one socket would get all connections."""
    assert missing() == ""
    assert missing([(os, "getpid"), (os, "no_such_call"), (socket, "NO_SUCH_OPTION")]) == "no_such_call, NO_SUCH_OPTION"


async def test_auto_is_one_for_each_core_that_may_be_used() -> None:
    """In a container that is often less than the machine has."""
    assert (count_of(3), count_of(0)) == (3, len(os.sched_getaffinity(0)))

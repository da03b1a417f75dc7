"""A connection that is free goes over to another process, whole; one that is not stays."""

import asyncio

import pytest
from tests.local.request.peer import GET, OK, PATIENCE_S, eventually
from tests.local.request.stage import Stage
from tests.local.request.test_overload import PAGE, narrow

from wakegate.core.errors import HoldFullError
from wakegate.local.request.accept import ClientConnection

pytestmark = pytest.mark.anyio


class Taking:
    """An heir that keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[ClientConnection] = []

    def take(self, connection: ClientConnection) -> None:
        """Take it if it is free."""
        if connection.is_free:
            connection.park()
            self.taken.append(connection)


async def test_a_connection_that_is_free_can_be_given_away(stage: Stage) -> None:
    """Behind its answer, and what its client says next is left for whoever gets it: not a byte is read here."""
    client, app = await stage.asked()
    stage.heir = heir = Taking()
    (connection,) = stage.connections
    assert not connection.is_free
    app.send(OK)
    assert (await client.answer()).status == 200
    assert heir.taken == [connection]
    client.send(GET)
    given = connection.give_away()
    assert given is not None
    with given:
        given.settimeout(PATIENCE_S)
        assert await asyncio.to_thread(given.recv, 65536) == GET
        given.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert (await client.answer()).status == 204


async def test_a_connection_with_half_a_head_is_not_free(stage: Stage) -> None:
    """The half that was read could not be given along."""
    client = await stage.client()
    client.send(GET[:10])
    (connection,) = stage.connections
    await eventually(lambda: connection.is_between, "it has read the half")
    assert not connection.is_free
    client.reset()


async def test_one_that_has_something_to_send_is_given_away_later(stage: Stage) -> None:
    """Only this process can send it; meanwhile its next request is read by nobody, and nobody takes it twice."""
    stage.lane.refusal = HoldFullError("shop", "10000 requests wait already", retry_after_s=2.5)
    client = await stage.client()
    (connection,) = stage.connections
    narrow(client, connection)
    asked = 0
    while not connection.transport.get_write_buffer_size():
        client.send(PAGE)
        asked += 1
        await asyncio.sleep(0)
    stage.heir = heir = Taking()
    client.send(PAGE)
    await eventually(lambda: heir.taken == [connection], "it is taken")
    assert not connection.is_free
    assert connection.give_away() is None
    client.send(GET)
    for _ in range(asked + 1):
        assert (await client.answer()).status == 503
    await eventually(lambda: not connection.transport.get_write_buffer_size(), "all is sent")
    given = connection.give_away()
    assert given is not None
    with given:
        given.settimeout(PATIENCE_S)
        assert await asyncio.to_thread(given.recv, 65536) == GET

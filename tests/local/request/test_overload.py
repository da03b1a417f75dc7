"""Clients that are too many, or take nothing of what they are sent: each costs what is allowed, and nobody else."""

import asyncio
import json
import socket

import pytest
from tests.local.request.peer import GET, OK, Client, Peer, eventually
from tests.local.request.stage import Stage

from wakegate.core.errors import HoldFullError
from wakegate.local.request.accept import TURNED_AWAY_MAX, ClientConnection

pytestmark = pytest.mark.anyio
PAGE = GET.replace(b"\r\n\r\n", b"\r\nAccept: text/html\r\n\r\n")


async def test_no_more_clients_are_served_than_may_be_connected(stage: Stage) -> None:
    """One more is told when to come back, whatever it asks for, and takes nothing from the rest."""
    stage.limit(connections_max=1)
    first = await stage.client()
    second = await stage.client()
    second.send(GET)
    said = await second.answer()
    assert (said.status, said.header("Retry-After"), said.header("Connection")) == (503, "1", "close")
    assert json.loads(said.body)["detail"] == "as many clients are connected as gateway.connections_max lets in"
    assert await second.rest() == b""
    second.close()
    first.send(GET)
    app = await stage.app()
    await app.head()
    app.send(OK)
    assert (await first.answer()).body == b"ok"
    await eventually(lambda: len(stage.connections) == 1, "its place is free again")


async def test_of_those_that_are_told_so_there_are_not_too_many_either(stage: Stage) -> None:
    """Who floods the gateway with connections is cut without a word."""
    stage.limit(connections_max=0)
    told = [await stage.client() for _ in range(TURNED_AWAY_MAX)]
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    await Peer(reader, writer).gone()
    writer.close()
    told[0].send(GET)
    assert (await told[0].answer()).status == 503


async def test_a_client_that_does_not_read_is_not_read_either(stage: Stage) -> None:
    """It sends requests and takes none of the answers: they would pile up here, each larger than its request."""
    client = await stage.client()
    (connection,) = stage.connections
    nowhere = GET.replace(b"shop", b"nobody")
    writer = client.writer
    while not connection.is_full:
        writer.write(nowhere * 1000)
        await asyncio.sleep(0)
    writer.write(nowhere * 100_000)
    await eventually(lambda: connection.is_paused, "it is not read")
    assert connection.transport.get_write_buffer_size() < 1024 * 1024
    answers = await client.rest()  # it catches up: what was read of its requests is answered, and then the end
    assert answers.count(b"HTTP/1.1 404 ") == answers.count(b'"status":404') > 128
    assert answers.endswith(b"}\n")


async def test_a_client_that_never_reads_its_answers_is_cut(stage: Stage) -> None:
    """What waits for it here would wait for ever."""
    stage.limit(send_timeout_s=60)
    client = await stage.client()
    (connection,) = stage.connections
    while not connection.is_full:
        client.send(GET.replace(b"shop", b"nobody") * 1000)
        await asyncio.sleep(0)
    await _cut_after(60, connection, stage)


async def test_a_close_waits_for_a_client_that_reads_and_for_no_other(stage: Stage) -> None:
    """Without a limit, a connection whose last answer is never read would be open for ever."""
    stage.limit(send_timeout_s=60)
    stage.lane.refusal = HoldFullError("shop", "10000 requests wait already", retry_after_s=2.5)
    client = await stage.client()
    (connection,) = stage.connections
    narrow(client, connection)
    while not connection.transport.get_write_buffer_size():
        client.send(PAGE)
        await asyncio.sleep(0)
    client.send(PAGE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    await eventually(connection.transport.is_closing, "it is closing")
    assert not connection.is_full
    await _cut_after(60, connection, stage)


async def test_requests_that_wait_for_a_slow_client_are_answered_as_it_reads(stage: Stage) -> None:
    """What the gateway itself has to say to a hundred of them is a megabyte."""
    stage.lane.refusal = HoldFullError("shop", "10000 requests wait already", retry_after_s=2.5)
    client = await stage.client()
    (connection,) = stage.connections
    narrow(client, connection)
    client.send(PAGE * 120 + b"nonsense\r\n\r\n")
    await eventually(lambda: connection.is_full, "the client is full")
    answered, biggest = 0, 0
    while answered < 120:
        assert (await client.answer()).status == 503
        answered += 1
        biggest = max(biggest, connection.transport.get_write_buffer_size())
    assert biggest < 128 * 1024
    assert (await client.answer()).status == 400


def narrow(client: Client, connection: ClientConnection) -> None:
    """Let the kernel keep little between both."""
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)


async def _cut_after(limit_s: float, connection: ClientConnection, stage: Stage) -> None:
    """See it cut when it has taken nothing for so long, and not before."""
    stage.sweep()
    stage.sweep(later_s=limit_s - 1)
    assert not connection.is_lost
    stage.sweep(later_s=limit_s + 1)
    await eventually(lambda: connection.is_lost, "it is cut")

"""Long bodies and tunnels: neither side is sent more than it takes, and each may end by itself."""

import pytest
from tests.local.request.peer import BIG, GET, OK, eventually
from tests.local.request.stage import Stage

from wakegate.local.lane import Target
from wakegate.local.request.forward import UpstreamConnection

pytestmark = pytest.mark.anyio

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SWITCH = b"GET /ws HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


async def test_a_large_answer_waits_for_a_slow_client(stage: Stage) -> None:
    """What the client does not take stays with the app: memory does not grow with the answer."""
    client, app = await stage.asked()
    app.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG + b"x" * BIG)
    await eventually(lambda: any(one.is_full for one in stage.connections), "the client is full")
    (connection,) = stage.connections
    await client.head()
    left, biggest = BIG, 0
    while left:
        left -= len(await client.reader.read(1024 * 1024))
        biggest = max(biggest, connection.transport.get_write_buffer_size())
    assert biggest < 1024 * 1024


async def test_a_connection_whose_client_was_slow_is_used_again(stage: Stage) -> None:
    """Reading was paused with the last piece of the answer: the next one would never be read."""
    client, app = await stage.asked()
    (connection,) = stage.connections
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
    for _ in range(500):
        app.send(answer)
        await eventually(lambda: connection.current is None, "it is answered")
        if connection.is_full:
            break
        client.send(GET)
        await app.head()
    assert connection.is_full
    other = await stage.client()
    other.send(GET)
    await app.head()
    app.send(OK)
    assert (await other.answer()).body == b"ok"
    assert stage.app_connections == 0


async def test_a_tunnel_passes_bytes_both_ways_also_those_sent_ahead(stage: Stage) -> None:
    """A client may send its first frame without waiting, and an app right behind its 101."""
    client, app = await stage.asked(SWITCH + b"\x81\x02hi")
    app.send(SWITCHED + b"\x81\x03you")
    assert b"Upgrade: websocket\r\n" in await client.head()
    assert await client.read(5) == b"\x81\x03you"
    assert await app.read(4) == b"\x81\x02hi"
    client.send(GET)  # no request any more
    assert await app.read(len(GET)) == GET
    assert stage.in_flight == 1
    client.close()
    await app.gone()
    app.close()
    await eventually(lambda: stage.in_flight == 0, "it has ended")


@pytest.mark.parametrize("first", ["client", "app"])
async def test_each_side_of_a_tunnel_may_end_by_itself(stage: Stage, first: str) -> None:
    """Who has said all may still listen."""
    client, app = await stage.asked(SWITCH)
    app.send(SWITCHED)
    await client.head()
    ends, stays = (client, app) if first == "client" else (app, client)
    ends.send(b"bye")
    ends.end()
    assert await stays.rest() == b"bye"
    stays.send(b"bye bye")
    stays.end()
    assert await ends.rest() == b"bye bye"
    await eventually(lambda: stage.in_flight == 0, "it has ended")


async def test_the_end_of_a_client_that_half_closed_before_the_tunnel_reaches_the_app(stage: Stage) -> None:
    """The app would wait for more."""
    client, app = await stage.asked(SWITCH + b"all")
    client.end()
    await eventually(lambda: any(one.has_ended for one in stage.connections), "its end has come")
    app.send(SWITCHED)
    await client.head()
    assert await app.rest() == b"all"
    app.send(b"done")
    app.close()
    assert await client.rest() == b"done"


async def test_a_refused_upgrade_is_an_answer_like_any_other(stage: Stage) -> None:
    """The connection goes on with the request that was sent behind it."""
    client, app = await stage.asked(SWITCH + GET[:10])
    client.send(GET[10:])
    app.send(OK)
    assert (await client.answer()).body == b"ok"
    await app.head()
    app.send(OK)
    assert (await client.answer()).body == b"ok"


async def test_what_follows_a_pipelined_upgrade_is_not_parsed(stage: Stage) -> None:
    """It may be frames: what it is, the app's answer to the upgrade will say."""
    client, app = await stage.asked(GET + SWITCH + GET)
    app.send(OK)
    await client.answer()
    assert (await app.head()).startswith(b"GET /ws ")
    app.send(SWITCHED)
    await client.head()
    assert await app.read(len(GET)) == GET
    assert stage.lane.admissions == 2


async def test_a_tunnel_has_back_pressure(stage: Stage) -> None:
    """A download through it must not pile up here."""
    client, app = await stage.asked(SWITCH)
    app.send(SWITCHED)
    await client.head()
    (connection,) = stage.connections
    app.send(b"x" * BIG)
    await eventually(lambda: connection.is_full, "the client is full")
    left, biggest = BIG, 0
    while left:
        left -= len(await client.reader.read(1024 * 1024))
        biggest = max(biggest, connection.transport.get_write_buffer_size())
    assert biggest < 1024 * 1024


async def test_what_is_paused_when_its_client_goes_is_let_go_of(stage: Stage) -> None:
    """Its end is noticed although nobody reads it."""
    client, app = await stage.asked()
    app.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG + b"x" * BIG)
    await eventually(lambda: any(one.is_full for one in stage.connections), "the client is full")
    client.reset()
    await app.gone()
    await eventually(lambda: stage.in_flight == 0, "it has ended")


def test_a_connection_that_is_lost_is_asked_for_nothing() -> None:
    """Its exchange may learn of the loss later than it does."""
    upstream = UpstreamConnection(Target(number=1, host="127.0.0.1", port=1))
    upstream.is_lost = True
    upstream.write(b"x")
    upstream.pause()
    upstream.resume()


async def test_a_client_that_takes_nothing_is_cut_and_one_that_takes_little_is_not(stage: Stage) -> None:
    """A reader that stands still for ever would keep the service awake, and its answer in memory."""
    stage.limit(send_timeout_s=60)
    client, app = await stage.asked()
    app.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG + b"x" * BIG)
    (connection,) = stage.connections
    await eventually(lambda: connection.is_full, "the client is full")
    stage.sweep()
    before = connection.transport.get_write_buffer_size()
    while connection.transport.get_write_buffer_size() == before:
        await client.reader.read(1024 * 1024)
    stage.sweep(later_s=61)
    assert not connection.is_lost
    await eventually(lambda: connection.is_full, "the client is full again")
    stage.sweep(later_s=61)
    stage.sweep(later_s=122 + 1)
    await eventually(lambda: connection.is_lost, "it is cut")
    assert stage.in_flight == 0


async def test_a_tunnel_may_be_silent_for_as_long_as_is_allowed(stage: Stage) -> None:
    """A forgotten tab need not keep a service awake, but one that speaks does, whoever speaks."""
    client, app = await stage.asked(SWITCH)
    app.send(SWITCHED)
    await client.head()
    stage.sweep(later_s=100_000)
    stage.lane.limit(tunnel_timeout_s=60)
    app.send(b"ping")
    assert await client.read(4) == b"ping"
    stage.sweep(later_s=59)
    client.send(b"pong")
    assert await app.read(4) == b"pong"
    assert stage.in_flight == 1
    stage.sweep(later_s=61)
    assert await client.rest() == b""
    await app.gone()
    await eventually(lambda: stage.in_flight == 0, "it has ended")

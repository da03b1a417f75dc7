"""Client connections: requests one after the other, in their order, and what ends a connection."""

import asyncio
import sys
from collections.abc import Iterator

import pytest
from tests.local.request.peer import BIG, GET, HOST, OK, POST, eventually, request
from tests.local.request.stage import Stage

pytestmark = pytest.mark.anyio


async def test_pipelined_requests_are_answered_in_their_order(stage: Stage) -> None:
    """Also a POST between them, whose body is no request."""
    client = await stage.client()
    client.send(GET + POST + GET.replace(b"/ ", b"/last "))
    app = await stage.app()
    for number, line in enumerate([b"GET / ", b"POST /in ", b"GET /last "]):
        assert (await app.head()).startswith(line)
        if line.startswith(b"POST"):
            assert await app.read(5) == b"hello"
        app.send(OK.replace(b"ok", b"o%d" % number))
        assert (await client.answer()).body == b"o%d" % number
    assert stage.app_connections == 0


async def test_a_pipelined_body_that_is_not_there_yet_is_read_when_its_turn_comes(stage: Stage) -> None:
    """Reading was paused for the request before it; somebody has to go on."""
    client = await stage.client()
    client.send(GET + POST[:-4])
    app = await stage.app()
    await app.head()
    client.send(POST[-4:])
    app.send(OK)
    assert (await client.answer()).status == 200
    await app.until(b"hello")
    app.send(OK)
    assert (await client.answer()).status == 200


async def test_a_request_behind_a_head_is_not_taken_for_its_body(stage: Stage) -> None:
    """The answer to HEAD names a length and has none."""
    client = await stage.client()
    client.send(GET.replace(b"GET", b"HEAD") + GET)
    app = await stage.app()
    await app.head()
    app.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    assert (await client.answer(is_head=True)).header("Content-Length") == "2"
    await app.head()
    app.send(OK)
    assert (await client.answer()).body == b"ok"


@pytest.mark.parametrize("bad", [b"nonsense\r\n\r\n", request(b"A: b"), b"G\0"])
async def test_what_stands_before_a_malformed_request_is_answered(stage: Stage, bad: bytes) -> None:
    """The client learns which of its requests was the bad one."""
    client = await stage.client()
    client.send(GET + bad)
    app = await stage.app()
    await app.head()
    app.send(OK)
    assert (await client.answer()).status == 200
    await client.refusal(status=400, slug="bad-request")


async def test_a_pipelined_request_with_a_malformed_body_is_not_forwarded(stage: Stage) -> None:
    """It was found malformed before its turn came: it would never end."""
    client = await stage.client()
    client.send(
        GET + request(HOST[:-2], b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.1", body=b"1\r\nx\r\nz\r\n")
    )
    app = await stage.app()
    await app.head()
    app.send(OK)
    assert (await client.answer()).status == 200
    await client.refusal(status=400, slug="bad-request")
    assert stage.lane.admissions == 1


@pytest.fixture
def shallow() -> Iterator[None]:
    """A stack with little room left."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("shallow")
async def test_a_long_pipeline_of_errors_is_answered_one_by_one(stage: Stage) -> None:
    """Each ends at once and begins the next: a call within a call would be the end of the stack."""
    client = await stage.client()
    client.send(GET + GET.replace(b"shop", b"none") * 100 + GET)
    app = await stage.app()
    await app.head()
    app.send(OK)
    assert (await client.answer()).status == 200
    for _ in range(100):
        assert (await client.answer()).status == 404
    await app.head()
    app.send(OK)
    assert (await client.answer()).status == 200


async def test_a_pipeline_has_an_end(stage: Stage) -> None:
    """One read brings thousands of heads: those that are not kept are for another connection."""
    client = await stage.client()
    client.send(GET + GET.replace(b"shop", b"none") * 2_000)
    app = await stage.app()
    await app.head()
    app.send(OK)
    assert (await client.answer()).status == 200
    answers = (await client.rest()).count(b"HTTP/1.1 404 ")
    assert 64 <= answers <= 512


async def test_nothing_is_served_behind_an_answer_that_closes(stage: Stage) -> None:
    """A POST that is refused before its body was read: what follows on the connection is not looked at."""
    client = await stage.client()
    client.send(POST.replace(b"shop", b"none") + GET)
    answer = await client.answer()
    assert (answer.status, answer.header("Connection")) == (404, "close")
    client.send(GET)
    assert await client.rest() == b""
    assert stage.lane.admissions == 0


async def test_nothing_is_served_behind_an_http_1_0_request(stage: Stage) -> None:
    """Its connection ends with its answer; a second request would be done for nobody."""
    client = await stage.client()
    old = request(HOST[:-2], b"Connection: keep-alive", line=b"GET / HTTP/1.0")
    client.send(old.replace(b"shop", b"none") + old)
    assert (await client.rest()).count(b"HTTP/1.1 ") == 1
    assert stage.lane.admissions == 0


async def test_the_next_request_of_a_client_waits_until_it_has_read(stage: Stage) -> None:
    """It is still full of the last answer: a second one would pile up in memory."""
    client = await stage.client()
    client.send(GET + GET)
    app = await stage.app()
    await app.head()
    app.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG + b"x" * BIG)
    await eventually(lambda: any(one.is_full for one in stage.connections), "the client is full")
    (connection,) = stage.connections
    asked = asyncio.ensure_future(app.head())
    while not asked.done():
        assert await client.reader.read(1024 * 1024)
    assert not connection.is_full
    client.reset()


async def test_a_gateway_that_stops_finishes_what_it_has_begun(stage: Stage) -> None:
    """Idle connections close at once; one that is being served closes behind its answer."""
    idle, busy = await stage.client(), await stage.client()
    busy.send(GET)
    app = await stage.app()
    await app.head()
    stage.stopping = True
    for connection in tuple(stage.connections):
        connection.drain()
    assert await idle.rest() == b""
    app.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
    answer = await busy.answer()
    assert (answer.body, answer.header("Connection")) == (b"ok", "close")
    assert await busy.rest() == b""


async def test_what_is_sent_behind_the_last_request_does_not_reset_its_answer(stage: Stage) -> None:
    """To close with bytes unread is a reset, and a reset may overtake the answer."""
    client = await stage.client()
    client.send(GET + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + b"x" * 1_000_000)
    app = await stage.app()
    for _ in range(2):
        await app.head()
        app.send(OK)
        assert (await client.answer()).body == b"ok"
    assert await client.rest() == b""


async def test_a_head_that_began_behind_a_slow_request_has_its_time(stage: Stage) -> None:
    """A client that waits for its answer before it sends the rest is not slow."""
    client = await stage.client()
    client.send(GET + GET[:5])
    app = await stage.app()
    await app.head()
    (connection,) = stage.connections
    connection._head_s -= 1000
    app.send(OK)
    assert (await client.answer()).body == b"ok"
    stage.sweep(later_s=9)
    client.send(GET[5:])
    await app.head()
    app.send(OK)
    assert (await client.answer()).body == b"ok"

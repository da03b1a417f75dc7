"""One request from its arrival to its end: sent once, answered once, out of its lane once, whatever happens between."""

import asyncio

import pytest
from tests.local.request.peer import BIG, GET, OK, POST, eventually
from tests.local.request.stage import Book, Stage

from wakegate.local.request.exchange import new_request_id
from wakegate.local.visit import CookieVisit

pytestmark = pytest.mark.anyio

PUT = POST.replace(b"POST", b"PUT")
CHUNKED = b"POST /in HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_every_request_has_an_id_of_its_own() -> None:
    """It is what a client, the answer and the app's log have in common."""
    ids = {new_request_id() for _ in range(1000)}
    assert len(ids) == 1000


async def test_a_request_that_met_a_closed_connection_is_sent_again(stage: Stage) -> None:
    """The app closes idle connections when it likes: its GET is not to blame."""
    client = await stage.client()
    app = await stage.warm(client)
    client.send(GET)
    await app.head()
    app.close()
    again = await stage.app()
    await again.head()
    again.send(OK)
    assert (await client.answer()).body == b"ok"


async def test_a_body_is_sent_again_from_its_beginning(stage: Stage) -> None:
    """PUT may be repeated, and all that was sent of it is still at hand."""
    client = await stage.client()
    app = await stage.warm(client)
    client.send(PUT[:-2])
    await app.until(b"hel")
    app.close()
    again = await stage.app()
    await again.until(b"hel")
    client.send(PUT[-2:])
    await again.until(b"lo")
    again.send(OK)
    assert (await client.answer()).body == b"ok"


async def test_a_post_that_may_have_reached_the_app_is_not_sent_again(stage: Stage) -> None:
    """It may have been carried out: to order twice is worse than to be told."""
    client = await stage.client()
    app = await stage.warm(client)
    client.send(POST)
    await app.until(b"hello")
    app.close()
    assert "without an answer" in await client.problem(status=502, slug="connection-lost")
    assert stage.app_connections == 0


async def test_a_request_that_was_answered_in_part_is_not_sent_again(stage: Stage) -> None:
    """A byte has come back: the app has begun to carry it out."""
    client = await stage.client()
    app = await stage.warm(client)
    client.send(GET)
    await app.head()
    app.send(b"HTTP/1.1 20")
    app.close()
    assert "in the middle" in await client.problem(status=502, slug="connection-lost")
    assert stage.app_connections == 0


async def test_a_request_on_a_fresh_connection_is_not_sent_again(stage: Stage) -> None:
    """An app that breaks off each time would get each request over and over."""
    client = await stage.client()
    client.send(GET)
    app = await stage.app()
    await app.head()
    app.close()
    await client.problem(status=502, slug="connection-lost")
    assert stage.app_connections == 0


async def test_a_request_that_found_no_connection_waits_again(stage: Stage) -> None:
    """No byte of it has reached the app: the lane finds it another target, or wakes one."""
    client = await stage.client()
    stage.shut_app()
    client.send(POST)
    await eventually(lambda: stage.lane.unreached, "it is told")
    assert stage.lane.unreached == ["Connection refused"]
    stage.lane.refuse_all()
    await client.problem(status=503, slug="still-waking")


async def test_a_client_that_goes_away_while_it_is_connected_leaves_nothing(stage: Stage) -> None:
    """The connection that is being made is for nobody."""
    client = await stage.client()
    stage.lane.is_awake = False
    client.send(GET)
    await eventually(lambda: stage.lane.held, "it is held")
    (connection,) = stage.connections
    stage.lane.wake()
    connection.abort()
    app = await stage.app()
    await app.gone()
    assert stage.in_flight == 0


async def test_100_continue_comes_from_the_app(stage: Stage) -> None:
    """The gateway does not know whether the app wants the body."""
    client = await stage.client()
    client.send(POST[:-5].replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    app = await stage.app()
    assert b"\r\nExpect: 100-continue\r\n" in await app.head()
    app.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"hello")
    assert await app.read(5) == b"hello"
    app.send(OK)
    assert (await client.answer()).body == b"ok"


async def test_a_body_that_the_app_does_not_want_ends_the_connection(stage: Stage) -> None:
    """After a final answer instead of 100, nobody can tell body from request."""
    client = await stage.client()
    client.send(POST[:-5].replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    app = await stage.app()
    await app.head()
    app.send(b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")
    answer = await client.answer()
    assert (answer.status, answer.header("Connection")) == (417, "close")
    assert await client.rest() == b""
    await app.gone()


@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_a_chunked_body_arrives_whole_however_it_is_cut(stage: Stage, size: int) -> None:
    """Chunks are framed anew; their content and their trailers are not."""
    client = await stage.client()
    client.send(CHUNKED)
    app = await stage.app()
    assert b"\r\nTransfer-Encoding: chunked\r\n" in await app.head()
    await client.drip(b"6;x=y\r\nhello \r\n5\r\nworld\r\n0\r\nA: b\r\nHost: evil\r\n\r\n", size=size)
    body = b""
    while length := int(await app.until(b"\r\n"), 16):
        body += await app.read(length)
        assert await app.read(2) == b"\r\n"
    assert body == b"hello world"
    assert await app.head() == b"A: b\r\n\r\n"
    app.send(OK)
    assert (await client.answer()).body == b"ok"


@pytest.mark.parametrize("cut", range(1, len(POST)))
async def test_a_fixed_body_arrives_whole_wherever_it_is_cut(stage: Stage, cut: int) -> None:
    """Each place where a read may end is a state of its own."""
    client = await stage.client()
    client.send(POST[:cut])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    client.send(POST[cut:])
    app = await stage.app()
    assert (await app.until(b"hello")).startswith(b"POST /in HTTP/1.1\r\n")
    app.send(OK)
    assert (await client.answer()).body == b"ok"


async def test_a_large_upload_waits_for_a_slow_app(stage: Stage) -> None:
    """What the app does not take stays with the client: memory does not grow with the body."""
    client = await stage.client()
    client.send(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n" % BIG + b"x" * BIG)
    app = await stage.app()
    await app.head()
    await eventually(lambda: any(one.is_paused for one in stage.connections), "it is held back")
    (connection,) = stage.connections
    exchange = connection.current
    assert exchange is not None
    left, biggest = BIG, 0
    while left:
        left -= len(await app.reader.read(1024 * 1024))
        if exchange.upstream is not None:
            biggest = max(biggest, exchange.upstream.transport.get_write_buffer_size())
    assert biggest < 1024 * 1024
    app.send(OK)
    assert (await client.answer()).body == b"ok"


async def test_an_early_answer_passes_while_the_body_still_comes(stage: Stage) -> None:
    """Both ways at once: the app streams what it makes of what it reads."""
    client = await stage.client()
    client.send(CHUNKED + b"1\r\na\r\n")
    app = await stage.app()
    await app.until(b"a\r\n")
    app.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n")
    head = await client.head()
    assert b"\r\nConnection: close\r\n" in head
    await client.until(b"A\r\n")
    client.send(b"1\r\nb\r\n0\r\n\r\n")
    await app.until(b"b\r\n0\r\n\r\n")
    app.send(b"1\r\nB\r\n0\r\n\r\n")
    assert await client.rest() == b"1\r\nB\r\n0\r\n\r\n"


async def test_an_app_that_answers_and_does_not_read_on_is_let_go_of(stage: Stage) -> None:
    """What still waits for it would wait for ever, and keep the connection."""
    client = await stage.client()
    client.send(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n" % BIG + b"x" * BIG)
    app = await stage.app()
    await eventually(lambda: any(one.is_paused for one in stage.connections), "it is held back")
    (connection,) = stage.connections
    assert connection.current is not None
    upstream = connection.current.upstream
    assert upstream is not None
    app.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
    assert (await client.answer()).body == b"no"
    await eventually(lambda: upstream.is_lost, "it is let go of")
    client.reset()


async def test_an_http_1_0_client_gets_no_chunks(stage: Stage) -> None:
    """It learns the end of the answer by the close."""
    client = await stage.client()
    client.send(b"GET / HTTP/1.0\r\nHost: shop\r\n\r\n")
    app = await stage.app()
    assert (await app.head()).startswith(b"GET / HTTP/1.1\r\n")
    app.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
    answer = await client.rest()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\nConnection: close\r\n\r\nok")


async def test_a_client_that_says_close_is_closed(stage: Stage) -> None:
    """And the connection to the app lives on; what is known of its answer is not that it closes."""
    first, app = await stage.asked()
    for client in (first, await stage.client(), await stage.client()):
        if client is not first:
            client.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            assert b"Connection" not in await app.head()
        app.send(OK)
        answer = await client.answer()
        assert (answer.header("Connection"), answer.body) == (None if client is first else "close", b"ok")
        if client is not first:
            assert await client.rest() == b""
        await stage.idle()
    first.send(GET)
    await app.head()
    app.send(OK)
    assert (await first.answer()).header("Connection") is None


async def test_nothing_behind_a_request_that_closes_is_served(stage: Stage) -> None:
    """It is the last one, however late the next one comes, and its answer is not lost to a reset."""
    client = await stage.client()
    client.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    app = await stage.app()
    await app.head()
    client.send(GET)
    app.send(OK)
    assert (await client.answer()).body == b"ok"
    assert await client.rest() == b""
    await stage.idle()


async def test_a_session_is_told_to_the_app_and_its_cookie_to_the_client(stage: Stage) -> None:
    """Once: what the browser has, it is not given again."""
    book = stage.lane.sessions = Book()
    visit = CookieVisit("s1", set_cookie=b"uuid=s1.sig; Path=/", entry=None)
    book.visits = [visit, CookieVisit("s1", set_cookie=None, entry=None)]
    client = await stage.client()
    client.send(GET)
    app = await stage.app()
    assert b"\r\nX-Wakegate-Session: s1\r\n" in await app.head()
    app.send(OK)
    assert (await client.answer()).header("Set-Cookie") == "uuid=s1.sig; Path=/"
    assert book.sent == [visit]
    client.send(GET)
    await app.head()
    app.send(OK)
    assert (await client.answer()).header("Set-Cookie") is None


async def test_an_unknown_host_is_told_no_service(stage: Stage) -> None:
    """Who guesses hosts must not learn which ones there are."""
    client = await stage.client()
    client.send(GET.replace(b"shop", b"none"))
    assert "shop" not in await client.problem(status=404, slug="service-unknown")
    await stage.warm(client)

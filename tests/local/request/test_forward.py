"""One connection to the app: answers in every framing and cut, answers that make no sense, and its reuse."""

import asyncio

import pytest
from tests.local.request.peer import GET, OK
from tests.local.request.stage import Book, Stage

from wakegate.local.visit import CookieVisit

pytestmark = pytest.mark.anyio

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SWITCH = b"GET /ws HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


ANSWERS = {
    "fixed": (b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", b"hello world"),
    "chunked": (CHUNKED + b"6\r\nhello \r\n5;x=y\r\nworld\r\n0\r\n\r\n", b"hello world"),
    "interim first": (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, b"ok"),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", b""),
    "empty": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    "no reason": (b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", b"ok"),
}


@pytest.mark.parametrize("what", ANSWERS)
async def test_an_answer_arrives_whole_wherever_it_is_cut(stage: Stage, what: str) -> None:
    """Each place where a read may end is a state of its own; the connection is used again each time."""
    data, body = ANSWERS[what]
    client, app = await stage.asked()
    for cut in range(1, len(data)):
        app.send(data[:cut])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        app.send(data[cut:])
        if what == "interim first":
            assert await client.head() == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        answer = await client.answer()
        assert answer.body == body
        assert answer.header("X-Request-Id")
        client.send(GET)
        await app.head()
    assert stage.app_connections == 0
    app.send(data)
    await client.head()


async def test_an_answer_until_the_close_is_chunked_for_the_client(stage: Stage) -> None:
    """The client's connection lives on, and a cut could be told from the end."""
    client, app = await stage.asked()
    app.send(b"HTTP/1.0 200 OK\r\n\r\nhello")
    await asyncio.sleep(0)
    app.send(b" world")
    app.close()
    answer = await client.answer()
    assert (answer.body, answer.header("Transfer-Encoding")) == (b"hello world", "chunked")
    client.send(GET)
    again = await stage.app()
    await again.head()
    again.send(OK)
    assert (await client.answer()).body == b"ok"


async def test_trailers_pass(stage: Stage) -> None:
    """A checksum behind the body; what would change how the message is read does not pass."""
    client, app = await stage.asked(GET.replace(b"\r\n\r\n", b"\r\nTE: trailers\r\n\r\n"))
    app.send(CHUNKED + b"2\r\nok\r\n0\r\nDigest: 1\r\nSet-Cookie: a=b\r\n\r\n")
    await client.head()
    assert await client.until(b"\r\n\r\n") == b"2\r\nok\r\n0\r\nDigest: 1\r\n\r\n"


async def test_the_answer_to_head_has_no_body_and_its_connection_is_used_again(stage: Stage) -> None:
    """The parser waits for a body that never comes: it is not used again."""
    client, app = await stage.asked(GET.replace(b"GET", b"HEAD"))
    app.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    assert (await client.answer(is_head=True)).status == 200
    client.send(GET)
    await app.head()
    app.send(OK)
    assert (await client.answer()).body == b"ok"


async def test_many_interim_answers_are_no_long_head(stage: Stage) -> None:
    """An app that says 102 each second while it works may do so for an hour."""
    client, app = await stage.asked()
    interim = b"HTTP/1.1 102 Processing\r\n\r\n"
    for _ in range(4):
        app.send(interim * 1000)
        assert await client.read(len(interim) * 1000) == interim * 1000
    app.send(OK)
    assert (await client.answer()).body == b"ok"


async def test_what_is_known_of_an_answer_is_nobodys(stage: Stage) -> None:
    """The app's cookies are those of this answer; request ids are those of this request."""
    head = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=%b\r\nContent-Length: 2\r\n\r\n%b"
    client, app = await stage.asked()
    ids = set()
    for number in range(4):
        mine = b"%02d" % (number // 2)
        app.send(head % (mine, mine))
        answer = await client.answer()
        assert (answer.header("Set-Cookie"), answer.body) == (f"a={mine.decode()}", mine)
        ids.add(answer.header("X-Request-Id"))
        client.send(GET)
        await app.head()
    app.send(OK)
    await client.answer()
    assert len(ids) == 4


async def test_a_session_cookie_is_not_in_what_is_known(stage: Stage) -> None:
    """The answer that set it came on the same connection, with the same bytes."""
    book = stage.lane.sessions = Book()
    book.visits = [CookieVisit(f"s{n}", set_cookie=b"uuid=s%d" % n if n != 1 else None, entry=None) for n in range(3)]
    first, app = await stage.asked()
    app.send(OK)
    assert (await first.answer()).header("Set-Cookie") == "uuid=s0"
    second = await stage.client()
    second.send(GET)
    assert b"X-Wakegate-Session: s1\r\n" in await app.head()
    app.send(OK)
    assert (await second.answer()).header("Set-Cookie") is None
    third = await stage.client()
    third.send(GET)
    await app.head()
    app.send(OK)
    assert (await third.answer()).header("Set-Cookie") == "uuid=s2"


async def test_a_known_answer_with_more_behind_it_takes_the_long_way(stage: Stage) -> None:
    """The head is the same to the byte; what follows is not."""
    client, app = await stage.asked()
    app.send(OK)
    await client.answer()
    client.send(GET)
    await app.head()
    app.send(OK + OK.replace(b"ok", b"no"))
    assert (await client.answer()).body == b"ok"
    await app.gone()
    assert stage.lane.target.idle == []
    client.send(GET)
    again = await stage.app()
    await again.head()
    again.send(OK)
    assert (await client.answer()).body == b"ok"


GARBAGE = {
    "no HTTP": (b"hello\r\n\r\n", "not HTTP"),
    "HTTP/2": (b"\0\0\x12\4\0\0\0\0\0", "not HTTP"),
    "a length that is none": (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "not HTTP"),
    "both lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "not HTTP"),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", "not HTTP"),
    "a folded line": (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n", "not HTTP"),
    "a long head": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: " + b"a" * 70_000 + b"\r\n\r\n", "over 65536 bytes"),
    "a head without end": (b"HTTP/1.1 200 OK\r\nA: " + b"a" * 70_000, "over 65536 bytes"),
    "another protocol unasked": (SWITCHED, "without being asked"),
    "a status below 100": (b"HTTP/1.1 042 X\r\n\r\n", "its status is 042"),
    "a coding that nobody asked for": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "coding"),
    "two codings": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", "coding"),
    "101 and not to what": (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "without being asked"),
}


@pytest.mark.parametrize("size", [1_000_000, 3_000], ids=["at once", "dripping"])
@pytest.mark.parametrize("what", GARBAGE)
async def test_an_answer_that_makes_no_sense_is_a_502(stage: Stage, what: str, size: int) -> None:
    """None of it reaches the client, and its connection is not used again."""
    data, said = GARBAGE[what]
    client, app = await stage.asked()
    await app.drip(data, size=size)
    assert said in await client.problem(status=502, slug="bad-response")
    await app.gone()
    assert stage.lane.target.idle == []


async def test_an_upgrade_to_nothing_is_a_502(stage: Stage) -> None:
    """The client asked for a protocol, and the app has not said which one it speaks now."""
    client, app = await stage.asked(SWITCH)
    app.send(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    assert "without being asked" in await client.problem(status=502, slug="bad-response")
    await app.gone()


TRUNCATED = {
    "fixed": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
    "chunked": CHUNKED + b"5\r\nhello\r\n",
    "in a chunk": CHUNKED + b"9\r\nhello",
    "a bad chunk": CHUNKED + b"5\r\nhello\r\n",
}


@pytest.mark.parametrize("what", TRUNCATED)
async def test_a_truncated_answer_has_no_clean_end(stage: Stage, what: str) -> None:
    """The client must be able to tell it from a whole one."""
    client, app = await stage.asked()
    app.send(TRUNCATED[what])
    head = await client.head()
    await client.until(b"hello")
    if what == "a bad chunk":
        app.send(b"zz\r\n")
    else:
        app.close()
    rest = await client.rest()
    assert rest in (b"", b"\r\n")
    assert b"Content-Length: 9" in head or b"chunked" in head
    await app.gone()


@pytest.mark.parametrize("what", TRUNCATED)
async def test_a_truncated_answer_to_http_1_0_ends_with_a_reset(stage: Stage, what: str) -> None:
    """It has neither length nor chunks to tell by."""
    client, app = await stage.asked(b"GET / HTTP/1.0\r\nHost: shop\r\n\r\n")
    app.send(TRUNCATED[what])
    await client.until(b"hello")
    if what == "a bad chunk":
        app.send(b"zz\r\n")
    else:
        app.close()
    assert await client.until_cut() == b""


async def test_an_answer_until_the_close_that_is_reset_has_no_clean_end(stage: Stage) -> None:
    """A crash closes connections too, but not with a FIN."""
    client, app = await stage.asked()
    app.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
    await client.until(b"hello\r\n")
    app.reset()
    assert await client.rest() == b""


async def test_trailers_without_end_are_cut(stage: Stage) -> None:
    """They are kept until the body ends: an app could fill the gateway's memory."""
    client, app = await stage.asked()
    app.send(CHUNKED + b"2\r\nok\r\n0\r\n")
    await client.until(b"ok\r\n")
    await app.drip(b"A: " + b"a" * 200_000, size=20_000)
    assert await client.rest() == b""
    await app.gone()


async def test_a_body_where_there_is_none_is_not_passed_on(stage: Stage) -> None:
    """The client would read it as its next answer."""
    client, app = await stage.asked(GET.replace(b"GET", b"HEAD"))
    app.send(OK)
    assert (await client.answer(is_head=True)).status == 200
    await app.gone()
    client.send(GET)
    again = await stage.app()
    await again.head()
    again.send(OK)
    assert (await client.answer()).body == b"ok"


async def test_an_app_that_speaks_unasked_is_hung_up_on(stage: Stage) -> None:
    """What it says would be read as the answer to the next request."""
    client, app = await stage.asked()
    app.send(OK)
    await client.answer()
    await stage.idle()
    app.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
    await app.gone()
    await stage.idle(0)


async def test_an_app_that_says_close_is_not_asked_again(stage: Stage) -> None:
    """The client does not notice."""
    client, app = await stage.asked()
    app.send(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    answer = await client.answer()
    assert (answer.body, answer.header("Connection")) == (b"ok", None)
    await app.gone()

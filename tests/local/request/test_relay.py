"""The answer on its way back: what is taken off, which cookie goes out with it, and how it is framed for the client."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.local.request.peer import GET, Answer, Client, eventually
from tests.local.request.stage import Book, Stage

from wakegate.local.visit import CookieVisit, Entry

pytestmark = pytest.mark.anyio

NEW = CookieVisit("new-visitor", set_cookie=b"uuid=new; Path=/", entry=None)
KNOWN = Entry("known", created_at=datetime(2026, 3, 9, tzinfo=UTC), requests=2, data=b"cart=1", seen_s=0.0)


def response(*lines: str, status: str = "200 OK", body: bytes = b"ok") -> bytes:
    """Return an answer of the app."""
    length = [] if status.startswith(("204", "304", "101")) else [f"Content-Length: {len(body)}"]
    sent = b"" if not length else body
    return "\r\n".join([f"HTTP/1.1 {status}", *length, *lines, "", ""]).encode() + sent


async def exchange(stage: Stage, answer: bytes, *, request: bytes = GET) -> tuple[Client, bytes, Answer]:
    """Send one request through; return the client, what the app got, and what the client got."""
    client = await stage.client()
    client.send(request)
    app = await stage.app()
    asked = await app.head()
    app.send(answer)
    if b"\r\nContent-Length:" not in answer and b"\r\nTransfer-Encoding:" not in answer and b" 200 " in answer:
        app.close()
    return client, asked, await client.answer(is_head=request.startswith(b"HEAD"))


def visitor(stage: Stage, *visits: CookieVisit | Entry) -> Book:
    """Turn sessions on, with these visits to come."""
    stage.lane.sessions = book = Book()
    book.visits = list(visits)
    return book


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([], "200 OK"),
        (["Cache-Control: private, max-age=60"], "200 OK"),
        (["Cache-Control: no-store"], "200 OK"),
        (["Expires: 0"], "200 OK"),
        ([], "204 No Content"),
        ([], "302 Found"),
        ([], "500 Oops"),
    ],
)
async def test_a_new_visitor_gets_the_cookie_and_the_sessions_hear_of_it(
    stage: Stage, lines: list[str], status: str
) -> None:
    """Told without being sent, the browser's copy would run out unnoticed."""
    book = visitor(stage, NEW)
    _, asked, got = await exchange(stage, response(*lines, status=status))
    assert got.header("Set-Cookie") == "uuid=new; Path=/"
    assert book.sent == [NEW]
    assert b"\r\nX-Wakegate-Session: new-visitor\r\n" in asked


@pytest.mark.parametrize(
    "lines",
    [
        ["Cache-Control: public"],
        ["Cache-Control: max-age=60"],
        ["Cache-Control: no-cache", "cache-control: s-maxage=60"],
        ['Cache-Control: private="set-cookie", max-age=60'],
        ["Date: Mon, 09 Mar 2026 14:02:11 GMT", "Expires: Tue, 10 Mar 2026 14:02:11 GMT"],
    ],
)
@pytest.mark.parametrize("request_bytes", [GET, b"HEAD / HTTP/1.1\r\nHost: shop\r\n\r\n"], ids=["GET", "HEAD"])
async def test_what_a_shared_cache_may_keep_carries_no_cookie(
    stage: Stage, lines: list[str], request_bytes: bytes
) -> None:
    """Else the next visitor of the cache is the first one; the cookie is offered again with the next answer."""
    book = visitor(stage, NEW)
    _, _, got = await exchange(stage, response(*lines), request=request_bytes)
    assert (got.header("Set-Cookie"), book.sent) == (None, [])


@pytest.mark.parametrize("lines", [[], ["Cache-Control: public"]], ids=["private", "shareable"])
async def test_an_answer_that_repeats_the_last_one_sets_a_cookie_as_that_did(stage: Stage, lines: list[str]) -> None:
    """The bytes of the app are known by then; whose cookie goes with them is another matter each time."""
    visits = [CookieVisit(f"s{n}", set_cookie=b"uuid=s%d" % n, entry=None) for n in range(3)]
    book = visitor(stage, *visits)
    client, app = await stage.asked()
    got = []
    for number in range(3):
        if number:
            client.send(GET)
            await app.head()
        app.send(response(*lines))
        got.append((await client.answer()).header("Set-Cookie") or "")
    expected = (["uuid=s0", "uuid=s1", "uuid=s2"], visits) if not lines else (["", "", ""], [])
    assert (got, book.sent) == expected


async def test_a_visitor_who_has_the_cookie_gets_no_other(stage: Stage) -> None:
    """And the app gets what it has stored."""
    book = visitor(stage, KNOWN)
    _, asked, got = await exchange(stage, response())
    assert (got.header("Set-Cookie"), book.sent) == (None, [])
    assert b"\r\nX-Wakegate-Session: known\r\nWakegate-Session-Data: cart=1\r\n" in asked


async def test_the_cookies_of_the_app_go_out_beside_ours(stage: Stage) -> None:
    """They are the app's own affair."""
    visitor(stage, NEW)
    _, _, got = await exchange(stage, response("Set-Cookie: theirs=1"))
    assert got.head.count(b"\r\nSet-Cookie: ") == 2


async def test_a_tunnel_and_an_interim_answer_carry_no_cookie(stage: Stage) -> None:
    """Nothing reads headers there that could keep it."""
    book = visitor(stage, NEW)
    upgrade = b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
    agreed = response("Connection: upgrade", "Upgrade: echo", status="101 Switching Protocols")
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nWakegate-Session-Data: x\r\n\r\n"
    client, _, first = await exchange(stage, hints + agreed, request=upgrade)
    second = await client.answer()
    assert (first.status, second.status) == (103, 101)
    assert (first.header("Set-Cookie"), second.header("Set-Cookie"), book.sent) == (None, None, [])
    assert (first.header("Wakegate-Session-Data"), second.header("Connection")) == (None, "Upgrade")
    client.close()


async def test_session_data_is_stored_and_not_shown(stage: Stage) -> None:
    """It may be what the visitor must not see, and it is safe before he sees the answer."""
    book = visitor(stage, KNOWN)
    _, _, got = await exchange(stage, response("Wakegate-Session-Data: cart=2"))
    assert book.data == [b"cart=2"]
    assert b"cart" not in got.head


async def test_session_data_over_its_limit_is_told_to_the_operator(stage: Stage) -> None:
    """The answer goes on all the same; a visitor can do nothing about it."""
    book = visitor(stage, KNOWN)
    stage.lane.spec = replace(stage.lane.spec, session=replace(stage.lane.spec.session, data_bytes_max=5))
    _, _, got = await exchange(stage, response("Wakegate-Session-Data: 123456"))
    assert (got.status, book.data) == (200, [])
    assert stage.warnings == ["session data of 6 bytes was not kept; the limit is 5 (session.data_bytes_max)"]


@pytest.mark.parametrize(
    ("asked", "kept"), [("60", [60.0]), ("9" * 40, [365 * 86_400.0]), ("-1", []), ("1.5", []), ("soon", []), ("", [])]
)
async def test_an_app_can_keep_itself_awake(stage: Stage, asked: str, kept: list[float]) -> None:
    """For work behind an answer; whatever it writes there, the answer goes on, without it."""
    _, _, got = await exchange(stage, response(f"Wakegate-Keep-Awake: {asked}"))
    assert (got.status, got.header("Wakegate-Keep-Awake"), stage.lane.keeps) == (200, None, kept)


async def test_a_client_learns_which_answer_waited(stage: Stage) -> None:
    """A cold start is told in `Server-Timing`; a warm answer has nothing to tell."""
    stage.lane.is_awake = False
    client = await stage.client()
    client.send(GET)
    await eventually(lambda: stage.lane.held, "it waits")
    stage.lane.wake()
    app = await stage.app()
    await app.head()
    app.send(response())
    assert str((await client.answer()).header("Server-Timing")).startswith("wake;dur=")
    client.send(GET)
    await app.head()
    app.send(response())
    assert (await client.answer()).header("Server-Timing") is None


UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\nX-Mine: 1\r\n\r\nhello"
IN_CHUNKS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=1\r\n\r\n"
)


async def test_what_ends_with_the_apps_connection_becomes_chunks(stage: Stage) -> None:
    """A client can tell a whole answer from one that was cut, and its connection lives on."""
    client, _, got = await exchange(stage, UNTIL_CLOSE)
    assert (got.header("Transfer-Encoding"), got.header("Connection"), got.body) == ("chunked", None, b"hello")
    client.send(GET)
    app = await stage.app()
    await app.head()
    app.send(response())
    assert (await client.answer()).body == b"ok"


@pytest.mark.parametrize("sent", [UNTIL_CLOSE, IN_CHUNKS], ids=["until close", "chunks"])
async def test_an_old_client_gets_no_chunks(stage: Stage, sent: bytes) -> None:
    """HTTP/1.0 does not know them; the close is the end."""
    client, _, got = await exchange(stage, sent, request=b"GET / HTTP/1.0\r\nHost: shop\r\n\r\n")
    assert (got.header("Transfer-Encoding"), got.header("Connection"), got.body) == (None, "close", b"hello")
    assert await client.rest() == b""


async def test_trailers_go_on_but_not_what_only_a_head_may_say(stage: Stage) -> None:
    """A cookie in a trailer is one that no check has seen."""
    client = await stage.client()
    client.send(GET)
    app = await stage.app()
    await app.head()
    app.send(IN_CHUNKS)
    assert (await client.head()).count(b"X-Request-Id") == 1
    assert await client.until(b"\r\n\r\n") == b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"

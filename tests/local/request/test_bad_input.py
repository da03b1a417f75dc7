"""What is no proper request, too large or too late: refused to the byte, and never forwarded."""

import pytest
from tests.local.request.peer import GET, HOST, OK, POST, eventually, request
from tests.local.request.stage import Stage

pytestmark = pytest.mark.anyio


BAD = {
    "no HTTP at all": (b"hello world\r\n\r\n", 400, "bad-request", "not HTTP/1.1"),
    "a tab in the request line": (request(HOST[:-2], line=b"GET\t/ HTTP/1.1"), 400, "bad-request", "not HTTP/1.1"),
    "a space before the colon": (request(HOST[:-2], b"A : b"), 400, "bad-request", "not HTTP/1.1"),
    "a folded line": (request(HOST[:-2], b"A: b", b" c"), 400, "bad-request", "not HTTP/1.1"),
    "a bare CR": (request(HOST[:-2], b"A: b\rc"), 400, "bad-request", "not HTTP/1.1"),
    "a bare LF": (b"GET / HTTP/1.1\nHost: shop\n\n", 400, "bad-request", "not HTTP/1.1"),
    "a bare LF between headers": (request(b"Host: shop\nA: b"), 400, "bad-request", "not HTTP/1.1"),
    "a NUL": (request(HOST[:-2], b"A: b\0c"), 400, "bad-request", "not HTTP/1.1"),
    "both lengths": (
        request(HOST[:-2], b"Content-Length: 5", b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.1", body=b"hello"),
        400, "bad-request", "",
    ),
    "both lengths, the other way": (
        request(HOST[:-2], b"Transfer-Encoding: chunked", b"Content-Length: 5", line=b"POST / HTTP/1.1", body=b"hello"),
        400, "bad-request", "",
    ),
    "two lengths": (
        request(HOST[:-2], b"Content-Length: 5", b"Content-Length: 6", line=b"POST / HTTP/1.1", body=b"hello"),
        400, "bad-request", "",
    ),
    "two equal lengths": (
        request(HOST[:-2], b"Content-Length: 5", b"Content-Length: 5", line=b"POST / HTTP/1.1", body=b"hello"),
        400, "bad-request", "",
    ),
    "a length with a sign": (
        request(HOST[:-2], b"Content-Length: +5", line=b"POST / HTTP/1.1", body=b"hello"), 400, "bad-request", "",
    ),
    "a length list": (
        request(HOST[:-2], b"Content-Length: 5, 5", line=b"POST / HTTP/1.1", body=b"hello"), 400, "bad-request", "",
    ),
    "chunked in HTTP/1.0": (
        request(HOST[:-2], b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.0", body=b"0\r\n\r\n"),
        400, "bad-request", "does not exist in HTTP/1.0",
    ),
    "another coding": (
        request(HOST[:-2], b"Transfer-Encoding: gzip, chunked", line=b"POST / HTTP/1.1", body=b"0\r\n\r\n"),
        501, "coding", "gzip, chunked",
    ),
    "two codings": (
        request(HOST[:-2], b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.1"),
        501, "coding", "several were given",
    ),
    "no Host": (request(b"A: b"), 400, "bad-request", "no Host header"),
    "two Hosts": (request(HOST[:-2], HOST[:-2]), 400, "bad-request", "more than one Host"),
    "a Host with a path": (request(b"Host: shop/x"), 400, "bad-request", "not a host name"),
    "a Host with a user": (request(b"Host: u@shop"), 400, "bad-request", "not a host name"),
    "CONNECT": (request(b"Host: shop:1", line=b"CONNECT shop:1 HTTP/1.1"), 400, "bad-request", "CONNECT"),
    "* without OPTIONS": (request(HOST[:-2], line=b"GET * HTTP/1.1"), 400, "bad-request", "OPTIONS only"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "bad-request", "HTTP/"),
    "HTTP/0.9": (b"GET /\r\n\r\n", 505, "version", "HTTP/0.9 is not spoken here"),
    "HTTP/3.0": (request(HOST[:-2], line=b"GET / HTTP/3.0"), 400, "bad-request", "not HTTP/1.1"),
}  # fmt: skip


@pytest.mark.parametrize("drips", [False, True], ids=["at once", "dripping"])
@pytest.mark.parametrize("what", BAD)
async def test_what_is_no_proper_request_is_refused(stage: Stage, what: str, *, drips: bool) -> None:
    """What two parsers could read differently is never forwarded, however it is cut into reads."""
    data, status, slug, said = BAD[what]
    client = await stage.client()
    if drips:
        await client.drip(data)
    else:
        client.send(data)
    assert said in await client.refusal(status=status, slug=slug)
    assert stage.lane.admissions == 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "this is TLS, and plain HTTP is spoken here: use http://"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "this is HTTP/2, and HTTP/1.1 is spoken here"),
    ],
)
async def test_who_speaks_another_protocol_is_told_which(stage: Stage, data: bytes, said: str) -> None:
    """https:// to a plain port is the commonest slip of all; "invalid method" would not help."""
    client = await stage.client()
    client.send(data)
    assert said in await client.refusal(status=400, slug="bad-request")


async def test_h2c_is_not_offered_on_and_the_request_goes_on_without_it(stage: Stage) -> None:
    """A tunnel of HTTP/2 to the app would pass every check of the gateway by."""
    client = await stage.client()
    client.send(request(HOST[:-2], b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMA"))
    app = await stage.app()
    head = await app.head()
    assert b"h2c" not in head
    assert b"HTTP2-Settings" not in head
    app.send(OK)
    assert (await client.answer()).body == b"ok"
    client.send(GET)
    await app.head()
    app.send(OK)
    assert (await client.answer()).body == b"ok"


LONG = b"A: " + b"a" * 40_000


@pytest.mark.parametrize(
    "data",
    [
        request(HOST[:-2], LONG),
        request(HOST[:-2], line=b"GET /" + b"a" * 40_000 + b" HTTP/1.1"),
        b"GET /" + b"a" * 40_000,
    ],
    ids=["header", "target", "no end"],
)
@pytest.mark.parametrize("size", [1_000_000, 5_000], ids=["at once", "dripping"])
async def test_a_head_over_the_limit_is_refused(stage: Stage, data: bytes, size: int) -> None:
    """What is checked only between reads would let the largest heads through: those that come in one."""
    client = await stage.client()
    await client.drip(data, size=size)
    assert "32768 bytes" in await client.refusal(status=431, slug="head-too-large")
    assert stage.lane.admissions == 0


async def test_a_known_head_with_a_target_over_the_limit_is_refused(stage: Stage) -> None:
    """The short way past the parser has the same limits as the long one."""
    client = await stage.client()
    client.send(GET)
    app = await stage.app()
    await app.head()
    app.send(OK)
    await client.answer()
    client.send(GET.replace(b"/ ", b"/" + b"a" * 40_000 + b" "))
    await client.refusal(status=431, slug="head-too-large")


async def test_a_body_does_not_count_as_the_head_behind_it(stage: Stage) -> None:
    """The end of an upload and the beginning of the next request may share a read."""
    client = await stage.client()
    body = b"x" * 60_000
    client.send(request(HOST[:-2], b"Content-Length: 60000", line=b"POST / HTTP/1.1", body=body) + GET[:20])
    app = await stage.app()
    assert (await app.head()).startswith(b"POST")
    assert await app.read(len(body)) == body
    app.send(OK)
    assert (await client.answer()).status == 200
    client.send(GET[20:])
    await app.head()
    app.send(OK)
    assert (await client.answer()).status == 200


async def test_trailers_without_end_are_refused(stage: Stage) -> None:
    """They are kept until the body ends: without a bound, one client could fill the memory."""
    client = await stage.client()
    client.send(request(HOST[:-2], b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.1", body=b"1\r\nx\r\n0\r\n"))
    app = await stage.app()
    await client.drip(b"A: " + b"a" * 100_000, size=20_000)
    await client.refusal(status=431, slug="head-too-large")
    await app.gone()


async def test_a_body_over_the_limit_is_refused_before_it_is_sent(stage: Stage) -> None:
    """A length that is announced needs no byte of it to be refused."""
    stage.lane.limit(body_bytes_max=10)
    client = await stage.client()
    client.send(request(HOST[:-2], b"Content-Length: 11", line=b"POST / HTTP/1.1"))
    assert "body_bytes_max = 10" in await client.refusal(status=413, slug="body-too-large")
    assert stage.lane.admissions == 0


async def test_a_chunked_body_over_the_limit_is_refused_when_it_gets_there(stage: Stage) -> None:
    """What the app has got of it is worthless, and so is the connection it came by."""
    stage.lane.limit(body_bytes_max=10)
    client = await stage.client()
    client.send(request(HOST[:-2], b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.1", body=b"6\r\n123456\r\n"))
    app = await stage.app()
    assert (await app.until(b"123456\r\n")).endswith(b"6\r\n123456\r\n")
    client.send(b"6\r\n123456\r\n")
    await client.refusal(status=413, slug="body-too-large")
    await app.gone()
    assert stage.lane.target.idle == []


async def test_a_pipelined_chunked_body_has_the_same_limit(stage: Stage) -> None:
    """It was read before its service was known."""
    stage.lane.limit(body_bytes_max=10)
    client = await stage.client()
    chunked = request(
        HOST[:-2], b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.1", body=b"b\r\n12345678901\r\n0\r\n\r\n"
    )
    client.send(GET + chunked)
    app = await stage.app()
    await app.head()
    app.send(OK)
    assert (await client.answer()).status == 200
    assert (await client.answer()).status == 413


@pytest.mark.parametrize(
    "body", [b"5\r\nhello\r\nz\r\n", b"5\r\nhelloX\r\n", b"5\r\nhello\r\n-1\r\n", b"fffffffffffffffff\r\n"]
)
async def test_a_body_found_malformed_ends_the_connection_to_the_app(stage: Stage, body: bytes) -> None:
    """Its head was forwarded already: what the app takes for the rest of this request must not be another one."""
    client = await stage.client()
    client.send(request(HOST[:-2], b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.1"))
    app = await stage.app()
    await app.head()
    client.send(body)
    assert "not HTTP/1.1" in await client.refusal(status=400, slug="bad-request")
    await app.gone()
    assert stage.lane.target.idle == []


async def test_a_head_that_does_not_come_is_given_up(stage: Stage) -> None:
    """A connection that says nothing holds memory (slowloris)."""
    client = await stage.client()
    client.send(GET[:-4])
    await eventually(lambda: any(one._in_message for one in stage.connections), "it is read")
    stage.sweep(later_s=9)
    stage.sweep(later_s=11)
    assert "after 10 s" in await client.refusal(status=408, slug="request-timeout")


async def test_an_idle_connection_is_closed_without_a_word(stage: Stage) -> None:
    """A 408 here would be read as the answer to the request that is on its way."""
    client = await stage.client()
    stage.sweep(later_s=76)
    assert await client.rest() == b""


async def test_a_body_that_does_not_come_is_given_up(stage: Stage) -> None:
    """The app would wait for it for ever, and the service would not sleep."""
    client = await stage.client()
    client.send(POST[:-3])
    app = await stage.app()
    await app.until(b"he")
    stage.sweep(later_s=61)
    assert "after 60 s" in (await client.refusal(status=408, slug="request-timeout")).replace("for", "after")
    await app.gone()


async def test_a_client_that_had_to_wait_for_the_app_is_not_blamed(stage: Stage) -> None:
    """While the app did not read, the client could not send: its time begins anew."""
    client = await stage.client()
    client.send(POST[:-3])
    app = await stage.app()
    await app.until(b"he")
    (connection,) = stage.connections
    assert connection.current is not None
    connection.current.pause_client()
    connection.last_s -= 299
    stage.sweep()
    connection.current.resume_client()
    stage.sweep(later_s=59)
    client.send(POST[-3:])
    await app.until(b"llo")
    app.send(OK)
    assert (await client.answer()).status == 200

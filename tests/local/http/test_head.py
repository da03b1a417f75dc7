"""Request heads: what is refused, what the app gets, and what a client cannot say in the gateway's name.

Over 300 lines because it is the list of what is refused, one case a line, and nobody should look for a case elsewhere.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.local.http.wire import PEER, Reader, Request, read_all, read_one

from wakegate.core.errors import BadRequestError, NotImplementedCodingError, RequestError, VersionError
from wakegate.local.http.head import Body

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 5", "Content-Length: 5"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5, 5"],
        ["Content-Length: +5"],
        ["Content-Length: -5"],
        ["Content-Length: 0x5"],
        ["Content-Length: 5 5"],
        ["Content-Length:"],
        ["Content-Length: 18446744073709551615"],
        ["Content-Length: 99999999999999999999999"],
        ["Content-Length : 5"],
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 0"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["Transfer-Encoding: identity"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding: chunked, gzip"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: chunked;x=1"],
        ["Transfer-Encoding: \x0bchunked"],
        ["Transfer-Encoding:\r\n chunked"],
        ["Transfer-Encoding : chunked"],
        ["X: a\r\n b"],
        ["X: a\n"],
        ["X: a\rContent-Length: 5"],
        ["X: a\0b"],
        ["X: \x1b[31m"],
        ["X\0: a"],
        ["X : a"],
        [" X: a"],
        [": a"],
        ["X"],
    ],
    ids=repr,
)
def test_two_parsers_cannot_read_a_request_differently(lines: list[str]) -> None:
    """What could be read in two ways smuggles a second request past one of the two: it is refused, never mended."""
    with pytest.raises(RequestError):
        read_one(*lines, first="POST / HTTP/1.1")


@pytest.mark.parametrize("framing", ["Content-Length: 5", "Transfer-Encoding: chunked"])
def test_the_body_is_where_llhttp_sees_it(framing: str) -> None:
    """Two readers of one request, us and llhttp: they must agree on where it ends."""
    request = read_one(framing, first="POST / HTTP/1.1")
    assert not request.is_complete
    assert request.head.body is (Body.CHUNKED if "chunked" in framing else Body.FIXED)
    assert request.head.length == (0 if "chunked" in framing else 5)


@pytest.mark.parametrize("framing", ["Content-Length: 5 ", "Transfer-Encoding: \tChunked "])
def test_blanks_around_a_value_are_not_part_of_it(framing: str) -> None:
    """RFC 9112, 5.1: llhttp hands out those behind it, and a length of "5 " is still five bytes."""
    assert read_one(framing, first="POST / HTTP/1.1").head.body is not Body.NONE
    assert read_one(host="shop.localhost \t").head.host == "shop.localhost"


@pytest.mark.parametrize(
    "chunk",
    [
        b"0x5\r\nhello\r\n", b"+5\r\nhello\r\n", b"-1\r\n", b"5 \r\nhello\r\n", b"5\nhello\r\n", b"\r\n",
        b"5;\nx\r\nhello\r\n", b"5;a\rb\r\nhello\r\n", b'5;a="\r\nb"\r\nhello\r\n', b"5\r\nhello\n",
        b"5\r\nhello!\r\n", b"1" + b"0" * 16 + b"\r\n", b"0\n\n", b"0\r\n X: a\r\n\r\n",
        b"0\r\nContent-Length: 5\r\n\r\n", b"0\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\nX: a\nY: b\r\n\r\n",
    ],
    ids=repr,
)  # fmt: skip
def test_a_chunk_that_is_not_to_the_letter_is_refused(chunk: bytes) -> None:
    """Sizes and ends that one parser forgives are where the next request begins for another."""
    with pytest.raises(BadRequestError):
        read_all(CHUNKED + chunk)


def test_chunk_extensions_are_read_over() -> None:
    """They are for one hop; the app gets chunks of our own."""
    (request,) = read_all(CHUNKED + b'5;a=b;c="d;e"\r\nhello\r\n0\r\n\r\n').requests
    assert (request.body, request.is_complete) == (b"hello", True)


@pytest.mark.parametrize(
    ("first", "host"),
    [
        ("GET / HTTP/1.1", ""),
        ("GET / HTTP/1.1", "a\r\nHost: b"),
        ("GET / HTTP/1.1", "a\r\nHost: a"),
        ("GET / HTTP/1.1", " "),
        ("GET / HTTP/1.1", "a/b"),
        ("GET / HTTP/1.1", "user@a"),
        ("GET / HTTP/1.1", "a:b"),
        ("GET / HTTP/1.1", "a:123456"),
        ("GET / HTTP/1.1", "a,b"),
        ("GET / HTTP/1.1", "a b"),
        ("GET / HTTP/1.1", "a;b"),
        ("GET / HTTP/1.1", 'a"b'),
        ("GET / HTTP/1.1", "[::1"),
        ("GET / HTTP/1.1", "h\xe4"),
        ("GET http://a@b/ HTTP/1.1", "a"),
        ("GET http:/// HTTP/1.1", "a"),
        ("GET http://a:b/ HTTP/1.1", "a"),
        ("GET http://a/#x HTTP/1.1", "a"),
        ("GET ftp://a/ HTTP/1.1", "a"),
        ("GET http://a/ HTTP/1.1", ""),
        ("GET /#x HTTP/1.1", "a"),
        ("GET /\xe4 HTTP/1.1", "a"),
        ("GET /a b HTTP/1.1", "a"),
        ("GET x HTTP/1.1", "a"),
    ],
)
def test_who_a_request_is_for_is_said_once_and_plainly(first: str, host: str) -> None:
    """Two readings of the host are two services: one checked, the other reached."""
    with pytest.raises(BadRequestError):
        read_one(first=first, host=host)


@pytest.mark.parametrize("version", ["0.9", "2.0"])
def test_other_versions_are_refused_by_name(version: str) -> None:
    """A client should read why, not guess."""
    with pytest.raises(VersionError, match=f"HTTP/{version}"):
        read_one(first=f"GET / HTTP/{version}")


def test_an_unknown_coding_is_not_implemented() -> None:
    """501 by the book: a client may try again without."""
    with pytest.raises(NotImplementedCodingError):
        read_one("Transfer-Encoding: gzip, chunked", first="POST / HTTP/1.1")


def test_http_10_has_no_transfer_coding() -> None:
    """An old proxy in front would not have seen the chunks (RFC 9112, 6.1)."""
    with pytest.raises(BadRequestError, match=r"HTTP/1\.0"):
        read_one("Transfer-Encoding: chunked", first="POST / HTTP/1.0")


def test_http_10_needs_no_host_and_closes() -> None:
    """Health checkers are that old; the app gets a Host all the same."""
    request = read_one("Connection: keep-alive", first="GET / HTTP/1.0", host="")
    assert (request.head.is_http11, request.head.is_keep_alive, request.head.is_memorable) == (False, False, False)
    assert (request.head.host, request.value("Host")) == ("", b"localhost")


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("http://other.example", b"/"),
        ("http://other.example/a?b", b"/a?b"),
        ("HTTPS://other.example?b=/", b"/?b=/"),
        ("http://other.example//a", b"//a"),
    ],
)
def test_an_absolute_target_names_the_host(uri: str, target: bytes) -> None:
    """RFC 9112, 3.2.2: it wins over Host, and the app gets one host, not two."""
    request = read_one(first=f"GET {uri} HTTP/1.1", host="shop.localhost")
    assert (request.target, request.head.host, request.value("Host")) == (target, "other.example", b"other.example")
    assert request.value("X-Forwarded-Host") == b"other.example"


def test_a_server_may_be_asked_for_its_options() -> None:
    """RFC 9110, 9.3.7: the target is a star."""
    assert read_one(first="OPTIONS * HTTP/1.1").target == b"*"


def test_hop_by_hop_headers_end_here() -> None:
    """They are between a client and us (RFC 9110, 7.6.1), and so is what Connection names."""
    request = read_one(
        "Connection: X-Mine, keep-alive", "Keep-Alive: timeout=5", "Proxy-Connection: close", "X-Mine: 1", "TE: gzip",
        "HTTP2-Settings: AA", "Upgrade: websocket", "Accept: */*", "X-Yours: 2",
    )  # fmt: skip
    names = [line.partition(b":")[0] for line in request.lines()]
    ours = [b"X-Forwarded-For", b"X-Forwarded-Host", b"X-Forwarded-Proto", b"Forwarded"]
    assert names == [b"Host", b"Accept", b"X-Yours", *ours]


@pytest.mark.parametrize("named", ["content-length", "Content-Length , x", "x-request-id", "host", "x-forwarded-for"])
def test_connection_cannot_name_away_what_a_request_is_read_by(named: str) -> None:
    """Without its length, a body would be the app's next request; without its id, nobody finds it in the log."""
    request = read_one(
        f"Connection: {named}", "Content-Length: 5", "X-Request-Id: r1", "X-Forwarded-For: 198.51.100.1",
        first="POST / HTTP/1.1",
    )  # fmt: skip
    assert (request.value("Content-Length"), request.head.length) == (b"5", 5)
    assert (request.value("X-Request-Id"), request.head.request_id) == (b"r1", b"r1")
    assert request.value("Host") == b"shop.localhost"
    assert request.value("X-Forwarded-For") == PEER.encode()


@pytest.mark.parametrize(
    "line",
    [
        "X-Wakegate-Session: stolen", "x-wakegate-session: stolen", "X_Wakegate_Session: stolen",
        "X-Wakegate_Session: stolen", "Wakegate-Session-Data: stolen", "Wakegate_Session_Data: stolen",
        "X_Forwarded_For: stolen", "X_Forwarded_Proto: stolen", "Content_Length: stolen", "Transfer_Encoding: stolen",
        "X_Request_Id: stolen", "X-Forwarded-Prefix: stolen", "X-Forwarded-Proto: stolen", "X-Forwarded-Host: stolen",
    ],
)  # fmt: skip
def test_a_client_cannot_speak_in_the_gateways_name(line: str) -> None:
    """Somebody else's session for the asking; a WSGI app reads "_" as "-" and could not tell the two apart."""
    assert not [line for line in read_one(line).lines() if b"stolen" in line]


def test_other_names_with_underscores_go_on() -> None:
    """They are the app's own."""
    assert read_one("My_Header: 1").value("My_Header") == b"1"


def test_the_app_learns_who_asked_and_by_which_name() -> None:
    """Both spellings: RFC 7239 and the older one that everybody reads."""
    request = read_one(host="shop.localhost:8080")
    assert request.value("X-Forwarded-For") == b"192.0.2.7"
    assert request.value("X-Forwarded-Host") == b"shop.localhost:8080"
    assert request.value("X-Forwarded-Proto") == b"http"
    assert request.value("Forwarded") == b'for=192.0.2.7;host="shop.localhost:8080";proto=http'


@pytest.mark.parametrize("peer", ["2001:db8::7", "2001:db8::7%eth0"])
def test_an_ipv6_client_is_quoted(peer: str) -> None:
    """RFC 7239, 6: in brackets and quotes; its zone is nobody else's business."""
    request = read_one(host="[::1]:8080", peer=peer)
    assert request.value("X-Forwarded-For") == b"2001:db8::7"
    assert request.value("Forwarded") == b'for="[2001:db8::7]";host="[::1]:8080";proto=http'


def test_what_a_stranger_says_of_its_client_is_replaced() -> None:
    """Anybody can write a header; an app that trusts its gateway must not be told what a client made up."""
    request = read_one(
        "X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: bank", "Forwarded: for=x",
        trusted=("10.0.0.0/8",),
    )  # fmt: skip
    assert request.value("X-Forwarded-For") == b"192.0.2.7"
    assert request.value("X-Forwarded-Host") == b"shop.localhost"
    assert request.value("Forwarded") == b'for=192.0.2.7;host="shop.localhost";proto=http'
    assert not request.head.is_https


def test_what_a_trusted_proxy_says_of_its_client_is_passed_on() -> None:
    """Both spellings say the same: the client first, with the scheme and the host that it used, then the proxies."""
    request = read_one(
        "X-Forwarded-For: 6.6.6.6, 198.51.100.1, 10.0.0.2", "X-Forwarded-Proto: https",
        "X-Forwarded-Host: shop.example",
        peer="10.0.0.1", trusted=("10.0.0.0/8",),
    )  # fmt: skip
    assert request.value("X-Forwarded-For") == b"198.51.100.1, 10.0.0.2, 10.0.0.1"
    assert request.value("X-Forwarded-Proto") == b"https"
    assert request.value("X-Forwarded-Host") == b"shop.example"
    assert request.value("Forwarded") == b'for=198.51.100.1;host="shop.example";proto=https, for=10.0.0.2, for=10.0.0.1'
    assert request.value("Host") == b"shop.localhost", "a service is found by what was asked of the gateway"
    assert request.head.is_https


@pytest.mark.parametrize("sent", ["a b", "a\tb", 'a"b', "a<b", "a" * 129, "", "\xe4"])
def test_a_request_id_that_could_mean_something_elsewhere_is_replaced(sent: str) -> None:
    """It is written into heads, pages and logs."""
    request = read_one(f"X-Request-Id: {sent}")
    assert (request.head.request_id, request.value("X-Request-Id")) == (b"", None)


def test_one_request_has_one_id() -> None:
    """The app's log and ours must agree on it."""
    request = read_one("X-Request-Id: first", "X-Request-Id: second")
    assert (request.head.request_id, request.value("X-Request-Id")) == (b"first", b"first")


@pytest.mark.parametrize(
    ("upgrade", "offered"),
    [
        ("websocket", b"websocket"), ("h2c", b""), ("H2C", b""), ("websocket, h2c", b"websocket"), ("", b""),
        ("h2c, websocket", b"websocket"), ("h2c-14", b""), (",", b""),
    ],
)  # fmt: skip
def test_h2c_is_never_offered_on(upgrade: str, offered: bytes) -> None:
    """A tunnel of it carries requests that nobody has checked."""
    request = read_one("Connection: upgrade, http2-settings", "HTTP2-Settings: AA", f"Upgrade: {upgrade}")
    assert request.head.upgrade == offered
    assert request.value("Upgrade") == (offered or None)
    assert request.value("Connection") == (b"Upgrade" if offered else None)
    assert request.head.is_memorable is not bool(offered)


@given(
    st.lists(st.sampled_from(["upgrade", "Upgrade", "close", "keep-alive", "x", "upgrade x", "upgrade;x", "", "te"])),
    st.sampled_from([",", ", ", " ,", ",\t", ",,"]),
    st.lists(st.sampled_from(["websocket", "h2c", "x/1", " "]), max_size=2),
    st.booleans(),
)
@settings(deadline=None)
def test_wherever_we_see_an_upgrade_llhttp_stops(
    tokens: list[str], comma: str, wanted: list[str], several: bool
) -> None:
    """Else it would read what the client sends into its tunnel as further requests."""
    upgrades = [f"Upgrade: {protocol}" for protocol in wanted] if several else ["Upgrade: " + ",".join(wanted)]
    lines = ["GET / HTTP/1.1", "Host: a", "Connection: " + comma.join(tokens), *upgrades, "", ""]
    reader = Reader()
    reader.feed("\r\n".join(lines).encode())
    if reader.requests[0].head.upgrade:
        assert reader.upgrade_at is not None


@pytest.mark.parametrize(
    ("line", "kept"), [("TE: trailers", b"trailers"), ("TE: gzip;q=0.5, Trailers", b"trailers"), ("TE: gzip", None)]
)
def test_of_the_codings_that_a_client_takes_only_trailers_go_on(line: str, kept: bytes | None) -> None:
    """We take the chunks apart and keep the trailers; a coding would be between the app and nobody."""
    assert read_one("Connection: te", line).value("TE") == kept


@pytest.mark.parametrize(
    ("lines", "page", "stream", "same"),
    [
        (["Accept: text/html"], True, False, True),
        (["Accept: text/html", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: none"], True, False, True),
        (["Accept: text/html", "Sec-Fetch-Mode: cors", "Sec-Fetch-Site: cross-site"], False, False, False),
        (["Accept: text/html", "Sec-Fetch-Dest: image"], False, False, True),
        (["Accept: */*"], False, False, True),
        (["Accept: text/event-stream", "Sec-Fetch-Site: same-site"], False, True, False),
        ([], False, False, True),
    ],
)
def test_what_kind_of_client_it_is(lines: list[str], page: bool, stream: bool, same: bool) -> None:
    """The waiting page is for browsers that navigate, comment lines for event streams, commands for our own pages."""
    head = read_one(*lines).head
    assert (head.is_page, head.is_stream, head.is_same_origin) == (page, stream, same)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["Cookie: uuid=abc"], "abc"),
        (["Cookie: a=1; uuid=abc; b=2"], "abc"),
        (["Cookie: a=1", "Cookie: uuid=abc"], "abc"),  # HTTP/2 fronts split the header
        (['Cookie: uuid="abc"'], "abc"),
        (["Cookie: uuid=abc; uuid=def"], "abc"),
        (["Cookie: xuuid=1; uuid2=2; =3; uuid"], None),
        (["Cookie: uuid=\xe4"], "\xe4"),
        ([], None),
    ],
)
def test_the_first_cookie_of_a_name_counts(lines: list[str], value: str | None) -> None:
    """Whatever it is: whether it is a session of ours is for its signature to say."""
    head = read_one(*lines).head
    assert head.cookie("uuid") == value
    assert head.cookie("other") is None
    assert head.cookie("uuid") == value


def test_what_asks_for_more_than_an_answer_gets_none_that_is_known() -> None:
    """That would be written from the last one alike: a body may still be on its way, and the app may say 100 first."""
    assert read_one("Accept: */*", "Connection: close").head.is_memorable
    for line in ("Expect: 100-continue", "Content-Length: 1"):
        assert not read_one(line, first="POST / HTTP/1.1").head.is_memorable


def _no_controls(request: Request) -> bool:
    return not any(byte < 32 and byte != 9 for line in request.lines() for byte in line)


@given(st.binary(max_size=60), st.integers(min_value=0, max_value=200), st.binary(max_size=2))
@settings(deadline=None)
def test_whatever_a_client_sends_is_refused_or_clean(noise: bytes, at: int, patch: bytes) -> None:
    """No byte of a client may end a line that we write, and no input may raise anything but a refusal."""
    clean = b"POST /a HTTP/1.1\r\nHost: a\r\nX-Request-Id: r\r\nForwarded: for=b\r\nContent-Length: 3\r\nX: " + noise
    data = clean + b"\r\n\r\nabc"
    data = data[:at] + patch + data[at + len(patch) :]
    reader = Reader()
    try:
        reader.feed(data)
    except RequestError:
        return
    assert all(_no_controls(request) for request in reader.requests)

"""The short way past llhttp: it knows less than the long way, and never anything else."""

from string import ascii_letters, digits

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.local.http.wire import PEER, read_all

from wakegate.local.http import known as known_module
from wakegate.local.http.head import RequestHead
from wakegate.local.http.known import BLOCK_BYTES_MAX, BLOCKS_MAX, LINE_BYTES_MAX, LINES_MAX, Blocks, read_known
from wakegate.local.http.peer import Peer

BROWSER = (
    b"GET /cart?page=2 HTTP/1.1\r\nHost: shop.localhost:8080\r\nConnection: keep-alive\r\n"
    b'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"\r\nUpgrade-Insecure-Requests: 1\r\n'
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html,*/*;q=0.8\r\nSec-Fetch-Mode: navigate\r\n"
    b"Cookie: a=1; uuid=AAAA.bbbb\r\nAccept-Language: en\r\n\r\n"
)
# What a mutation may put anywhere: ends of lines and of words, quotes, and what no head may have.
SHARP = (
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b"\x7f",
    b"\x1b",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b'"',
    b"\x80",
    b"_",
)
LINES = (
    "Host: a", "host: shop.localhost:80", "Host: [::1]", "Host: a/b", "Host: u@a", "Host:", "Host: a ",
    "Connection: keep-alive", "Connection: Keep-Alive", "Connection: close", "Connection: upgrade", "Connection: x, te",
    "Content-Length: 0", "Content-Length: 5", "Transfer-Encoding: chunked", "Upgrade: websocket", "Upgrade: h2c",
    "Expect: 100-continue", "Trailer: x", "TE: trailers", "Keep-Alive: 5", "Proxy-Connection: close",
    "X-Forwarded-For: 1.2.3.4", "Forwarded: for=x", "X-Wakegate-Session: x", "Wakegate-Keep-Awake: 5",
    "X_Wakegate_Session: x", "Content_Length: 5", "X-Request-Id: r1", "X-Request-Id: a b", "Cookie: a=1; b=2",
    "Cookie: c=3", "Accept: */*", "Accept: text/html", "User-Agent: x \xe4", "Sec-Fetch-Mode: cors", "X:",
    "X: \t y z \t", "X : y", " folded", "\tfolded", "X", ": x", "X-\xe4: 1", "X: a\rb", "X: a\nb", "", "GET / HTTP/1.1",
)  # fmt: skip
FIRSTS = (
    "GET / HTTP/1.1", "HEAD /a?b HTTP/1.1", "DELETE //x HTTP/1.1", "OPTIONS * HTTP/1.1", "POST / HTTP/1.1",
    "GET / HTTP/1.0", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", "GET http://b/ HTTP/1.1", "GET /#x HTTP/1.1", "GET /",
    "CONNECT a:1 HTTP/1.1", "get / HTTP/1.1", "GET /\xe4 HTTP/1.1", "PRI * HTTP/2.0",
)  # fmt: skip
PATCHES = st.tuples(st.floats(0, 1), st.integers(0, 3), st.sampled_from(SHARP) | st.binary(max_size=3))
NAMES = st.text(ascii_letters + digits + "-_!~.", min_size=1, max_size=12)
VALUES = st.text(st.characters(max_codepoint=255), max_size=20)


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    """Draw a head that is mostly right, with a few bytes replaced."""
    first = draw(st.just(FIRSTS[0]) | st.sampled_from(FIRSTS))
    pairs = st.tuples(NAMES, VALUES).map(": ".join)
    lines = ["Host: a", *draw(st.lists(st.sampled_from(LINES) | pairs, max_size=2))]
    data = "\r\n".join([first, *draw(st.permutations(lines)), "", ""]).encode("latin-1")
    for place, width, patch in draw(st.lists(PATCHES, max_size=1)):
        at = int(place * len(data))
        data = data[:at] + patch + data[at + width :]
    return data


def facts(head: RequestHead) -> dict[str, object]:
    """Return all that a head says."""
    names = (
        "host", "seen", "is_http11", "is_keep_alive", "is_memorable", "body", "length", "upgrade", "request_id",
        "agent", "accept", "is_page", "is_stream", "is_same_origin",
    )  # fmt: skip
    lines = [line.rstrip(b" \t") for line in head.upstream.split(b"\r\n")]
    return {"lines": lines, "cookie": head.cookie("uuid")} | {name: getattr(head, name) for name in names}


def check_same(data: bytes) -> bool:
    """If the short way knows these bytes, the long way says the same of them; say whether it knows them."""
    short = read_known(data, peer=Peer(PEER))
    if short is None:
        return False
    method, target, head = short
    reader = read_all(data)
    (request,) = reader.requests  # one request, no second one behind it
    assert request.is_complete
    assert (request.body, reader.upgrade_at) == (b"", None)
    assert (request.method, request.target) == (method, target)
    assert facts(head) == facts(request.head)
    return True


@given(heads())
@settings(deadline=None, max_examples=600)
def test_the_short_way_says_nothing_that_the_long_way_would_not(data: bytes) -> None:
    """A second parser is how requests are smuggled: it may know less than the first, and never anything else."""
    check_same(data)


@given(st.integers(0, len(BROWSER)), st.integers(0, 2), st.sampled_from(SHARP) | st.binary(max_size=2))
@settings(deadline=None, max_examples=400)
def test_a_browsers_head_with_any_byte_changed_is_read_alike(at: int, width: int, patch: bytes) -> None:
    """The nearest neighbours of what is known are where it could be mistaken."""
    check_same(BROWSER[:at] + patch + BROWSER[at + width :])


@pytest.mark.parametrize("hosts", [("Host: a",), ()], ids=["host", "none"])
@pytest.mark.parametrize("first", FIRSTS)
def test_no_line_alone_is_read_otherwise(first: str, hosts: tuple[str, ...]) -> None:
    """Each by itself, as chance may leave one out."""
    for line in LINES:
        check_same("\r\n".join([first, *hosts, line, "", ""]).encode("latin-1"))
    check_same("\r\n".join([first, *hosts, "", ""]).encode("latin-1"))


def test_a_browsers_head_is_known() -> None:
    """It is what the short way is for: were it unknown, nothing else would tell."""
    assert check_same(BROWSER)


@pytest.mark.parametrize("value", ["close", "Close", "keep-alive", "Keep-Alive"])
def test_whether_a_connection_goes_on_is_known(value: str) -> None:
    """Monitors and scripts open one for each request."""
    data = BROWSER.replace(b"Connection: keep-alive", f"Connection: {value}".encode())
    assert check_same(data)
    known = read_known(data, peer=Peer(PEER))
    assert known is not None
    assert known[2].is_keep_alive is (value.lower() != "close")


@pytest.mark.parametrize(
    "line",
    [
        "Content-Length: 0", "Content-Length: 5", "Transfer-Encoding: chunked", "Connection: close, te",
        "Connection: upgrade", "Connection: keep-alive, te", "Upgrade: websocket", "Expect: 100-continue",
        "Trailer: x", "TE: trailers",
        "X-Forwarded-For: 1.2.3.4", "X-Wakegate-Session: x", "X_Wakegate_Session: x", "Host: b", "X-Request-Id: a b",
    ],
)  # fmt: skip
def test_what_asks_for_special_treatment_is_not_known(line: str) -> None:
    """It goes the long way: a message is never delimited by anybody but llhttp."""
    head = BROWSER[:-2].replace(b"Connection: keep-alive\r\n", b"")
    assert read_known(head + b"\r\n", peer=Peer(PEER)) is not None
    assert read_known(head + line.encode() + b"\r\n\r\n", peer=Peer(PEER)) is None


@pytest.mark.parametrize(
    "data",
    [BROWSER[:-1], BROWSER[:-2], BROWSER + b"X", BROWSER + BROWSER, b"\r\n" + BROWSER, b"", b"\r\n\r\n"],
    ids=["cut", "open", "more behind it", "two", "a line before it", "nothing", "no line"],
)
def test_only_one_whole_head_and_nothing_else_is_known(data: bytes) -> None:
    """Pieces and pipelined requests are for the parser that remembers where it is."""
    assert read_known(data, peer=Peer(PEER)) is None


def test_a_line_of_blanks_costs_no_more_than_any_other() -> None:
    """With backtracking, these took minutes, and everybody else waited for it."""
    for blanks in (b"X:" + b" " * 300_000 + b"\x7f", b"X: a" + b" \t" * 150_000 + b"\x7f", b"a " * 150_000):
        assert read_known(BROWSER[:-2] + blanks + b"\r\n\r\n", peer=Peer(PEER)) is None


def test_clients_that_never_repeat_themselves_fill_no_memory() -> None:
    """What is remembered is bounded, and what was forgotten is learnt again."""
    for number in range(LINES_MAX + 10):
        assert read_known(BROWSER[:-2] + b"X-Trace: %d\r\n\r\n" % number, peer=Peer(PEER)) is not None
    assert len(known_module._known) <= LINES_MAX
    assert check_same(BROWSER)


def test_a_long_line_is_known_but_not_remembered() -> None:
    """A cookie of kilobytes is one visitor's; the lines of everybody are short."""
    before = set(known_module._known)
    assert check_same(BROWSER[:-2] + b"X-Long: " + b"x" * 2000 + b"\r\n\r\n")
    assert not [line for line in set(known_module._known) - before if line.startswith(b"X-Long")]


def block_of(number: int, *, filler: int = 0) -> bytes:
    """Return a header block that no other number makes."""
    return b"Host: shop\r\nX-Number: %d\r\nX-Filler: %b\r\n\r\n" % (number, b"a" * filler)


def head_of(block: bytes, *, peer: str = PEER) -> RequestHead:
    """Return the head of a block."""
    known = read_known(b"GET / HTTP/1.1\r\n" + block, peer=Peer(peer))
    assert known is not None
    return known[2]


def test_a_block_that_comes_again_is_the_same_head() -> None:
    """Which is what makes a page and its parts cheap."""
    head_of(block_of(1))  # its lines are learnt
    assert head_of(block_of(1)) is head_of(block_of(1))


def test_a_block_with_a_line_that_is_new_is_not_remembered() -> None:
    """A client that sends a line of its own with each request would fill the memory with heads that nobody needs."""
    known_module._known.clear()
    before = {*known_module._blocks._young, *known_module._blocks._old}
    for number in range(100):
        head_of(block_of(1_000 + number))
    assert {*known_module._blocks._young, *known_module._blocks._old} <= before


def test_a_block_with_a_line_too_long_to_be_known_is_remembered() -> None:
    """A browser's cookies may be that long, and come with all that it asks for."""
    long = block_of(4, filler=LINE_BYTES_MAX)
    head_of(long)
    assert head_of(long) is head_of(long)


def test_a_head_is_never_another_clients() -> None:
    """The forwarding headers in it name the client: the same bytes from somebody else are another head."""
    for peer in ("10.0.0.1", "10.0.0.2", "10.0.0.1"):
        assert f"X-Forwarded-For: {peer}\r\n".encode() in head_of(block_of(2), peer=peer).upstream


def test_a_head_that_came_by_tls_is_not_used_for_one_that_did_not() -> None:
    """The scheme is in it: an app would make https links for somebody who cannot follow them."""
    for scheme in (b"http", b"https", b"http"):
        known = read_known(b"GET / HTTP/1.1\r\n" + block_of(3), peer=Peer(PEER, scheme))
        assert known is not None
        assert b"X-Forwarded-Proto: " + scheme + b"\r\n" in known[2].upstream
        assert known[2].is_https == (scheme == b"https")


def test_what_is_remembered_is_bounded_and_what_is_in_use_stays() -> None:
    """A client that never sends the same twice must neither fill the memory nor push out a browser's page."""
    blocks = Blocks()
    heads = [head_of(block_of(number)) for number in range(3)]
    for number in range(5 * BLOCKS_MAX):
        blocks.put(block_of(number), heads[number % 3])
        assert blocks.get(block_of(0), peer=Peer(PEER)) is heads[0]
    kept = [number for number in range(5 * BLOCKS_MAX) if blocks.get(block_of(number), peer=Peer(PEER))]
    assert len(kept) <= 2 * BLOCKS_MAX + 1


def test_a_long_block_is_read_anew_each_time() -> None:
    """2,048 of the longest heads that clients may send would be 64 MB."""
    long = block_of(3, filler=BLOCK_BYTES_MAX)
    assert head_of(long) is not head_of(long)

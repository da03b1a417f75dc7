"""Response heads: where the body ends, what the client gets, and that no app can make us stumble."""

from contextlib import suppress

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.local.http.wire import Answers, read_answer

from wakegate.local.http.head import Body
from wakegate.local.http.response import ResponseHead

DATE = "Date: Mon, 09 Mar 2026 14:02:11 GMT"
LATER = "Expires: Mon, 09 Mar 2026 15:02:11 GMT"


def names(head: ResponseHead) -> list[bytes]:
    """Return the names of the lines for the client."""
    return [line.partition(b":")[0] for line in head.client.split(b"\r\n")[1:-1]]


@pytest.mark.parametrize(
    ("lines", "status", "is_head", "body", "length"),
    [
        (["Content-Length: 5"], "200 OK", False, Body.FIXED, 5),
        (["Content-Length: 5 \t"], "200 OK", False, Body.FIXED, 5),
        (["Content-Length: 0"], "200 OK", False, Body.FIXED, 0),
        (["Content-Length: 18446744073709551615"], "200 OK", False, Body.FIXED, 18446744073709551615),
        (["Transfer-Encoding: chunked"], "200 OK", False, Body.CHUNKED, 0),
        ([], "200 OK", False, Body.UNTIL_CLOSE, 0),
        (["Content-Length: 5"], "200 OK", True, Body.NONE, 0),
        (["Transfer-Encoding: chunked"], "200 OK", True, Body.NONE, 0),
        (["Content-Length: 5"], "304 Not Modified", False, Body.NONE, 0),
        (["Content-Length: 5"], "204 No Content", False, Body.NONE, 0),
        (["Transfer-Encoding: chunked"], "204 No Content", False, Body.NONE, 0),
        ([], "101 Switching Protocols", False, Body.NONE, 0),
    ],
)
def test_where_the_body_ends(lines: list[str], status: str, is_head: bool, body: Body, length: int) -> None:
    """RFC 9112, 6.3: one byte off and the next answer belongs to somebody else."""
    head = read_answer(*lines, status=status, is_head=is_head)
    assert (head.body, head.length) == (body, length)


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 5", "Content-Length: 5"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5, 5"],
        ["Content-Length:"],
        ["Content-Length: -1"],
        ["Content-Length: five"],
        ["Content-Length: 18446744073709551616"],
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Transfer-Encoding:"],
        ["X: a\r\n folded"],
        ["X: a\rSet-Cookie: b"],
        ["X: a\nSet-Cookie: b"],
        ["X: a\0b"],
        ["X : a"],
    ],
    ids=repr,
)
def test_an_answer_that_could_be_read_in_two_ways_is_no_answer(lines: list[str]) -> None:
    """llhttp refuses it before we look; if a release of it did not, this would tell."""
    with pytest.raises(httptools.HttpParserError):
        read_answer(*lines)


@pytest.mark.parametrize("status", ["204 No Content", "101 Switching Protocols"])
def test_an_answer_without_a_body_has_no_length(status: str) -> None:
    """RFC 9110, 8.6: a client that believes it would wait for bytes, or take them from the next answer."""
    head = read_answer("Content-Length: 5", "ETag: x", status=status)
    assert b"content-length" not in head.client.lower()
    assert b"ETag: x" in head.client


def test_what_a_304_or_head_says_of_the_body_that_it_does_not_send_is_kept() -> None:
    """It is what GET would have said."""
    assert b"Content-Length: 5\r\n" in read_answer("Content-Length: 5", status="304 Not Modified").client
    assert b"Content-Length: 5\r\n" in read_answer("Content-Length: 5", is_head=True).client


def test_hop_by_hop_headers_end_here() -> None:
    """Between the app and us; what Connection names is so too."""
    head = read_answer(
        "Connection: X-Mine, close", "Keep-Alive: timeout=5", "X-Mine: 1", "Proxy-Connection: x", "Upgrade: h2c",
        "Transfer-Encoding: chunked", "Server: x", "set-cookie: a=1", "Set-Cookie: b=2",
    )  # fmt: skip
    assert names(head) == [b"Server", b"set-cookie", b"Set-Cookie"]


def test_connection_cannot_name_the_length_away() -> None:
    """The client would read the body until the close that never comes."""
    head = read_answer("Connection: Content-Length, close", "Content-Length: 5")
    assert names(head) == [b"Content-Length"]


def test_what_is_for_the_gateway_is_taken_off() -> None:
    """A visitor must see neither the app's session data nor another request id."""
    lines = ("Wakegate-Session-Data: secret", "wakegate-keep-awake: 60", "X-Request-Id: theirs")
    head = read_answer(*lines)
    assert (head.session_data, head.keep_awake) == (b"secret", b"60")
    assert names(head) == []
    answers = Answers(is_head=False)
    answers.feed("\r\n".join(["HTTP/1.1 103 Early Hints", *lines, "Link: </a>", "", ""]).encode())
    assert answers.interims == [b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"]


def test_an_upgrade_is_agreed_to_in_our_own_words() -> None:
    """Connection and Upgrade are hop by hop, so they are written anew."""
    head = read_answer("Connection: upgrade", "Upgrade: websocket", status="101 Switching Protocols")
    assert head.client.endswith(b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")


@pytest.mark.parametrize(
    ("lines", "is_shareable"),
    [
        ([], False),
        (["Cache-Control: public"], True),
        (["Cache-Control: max-age=60"], True),
        (["cache-control: s-maxage=60"], True),
        (["Cache-Control: no-cache", "Cache-Control: public"], True),
        (["Cache-Control: no-store, max-age=60"], False),
        (["Cache-Control: private", "Cache-Control: max-age=60"], False),
        ([DATE, LATER], True),
        ([LATER], True),
        ([DATE, LATER, "Cache-Control: no-transform"], True),
        ([DATE, LATER, "Cache-Control: max-age=0"], False),
        ([DATE, LATER, "Cache-Control: Private"], False),
        ([DATE, LATER, "Cache-Control: no-store"], False),
        ([DATE, "Expires: 0"], False),
        ([DATE, "Expires: -1"], False),
        ([DATE, "Expires: Thu, 19 Nov 1981 08:52:00 GMT"], False),
        ([DATE, "Expires: Mon, 09 Mar 2026 14:02:11 GMT"], False),
        ([DATE, "Expires: Mon, 99 Mar 2026 14:02:11 GMT"], False),
        (["Date: today", LATER], True),
    ],
)
def test_what_a_shared_cache_may_keep_is_known(lines: list[str], is_shareable: bool) -> None:
    """One visitor's cookie in a shared cache is everybody's session (RFC 9111, 4.2.1)."""
    assert read_answer(*lines).is_shareable is is_shareable


@pytest.mark.parametrize(
    ("line", "is_event_stream"),
    [("Content-Type: text/event-stream; charset=utf-8", True), ("Content-Type: text/html", False)],
)
def test_an_event_stream_is_known_by_its_type(line: str, is_event_stream: bool) -> None:
    """Only one may follow the comments that kept its client waiting."""
    assert read_answer(line).is_event_stream is is_event_stream


def test_a_reason_phrase_carries_no_controls() -> None:
    """llhttp lets them through; what we write must be HTTP."""
    assert read_answer(status="200 O\0K\x1b[m\tfine").client == b"HTTP/1.1 200 OK[m\tfine\r\n"
    assert read_answer(status="200").client == b"HTTP/1.1 200 \r\n"


LINES = st.sampled_from(
    (
        "Content-Length: 5", "Content-Length: ", "Content-Length: 0 ", "Transfer-Encoding: chunked",
        "Connection: ,close", "Transfer-Encoding: gzip", "Expires: 0", LATER, DATE, "Date: \xe4",
        "Cache-Control: =,=\xe4", "Upgrade: x",
        "Connection: upgrade", "Wakegate-Keep-Awake: \xb2", "Content-Type:",
    )
) | st.text(st.characters(max_codepoint=255), max_size=20)  # fmt: skip
STATUSES = st.sampled_from(("200 OK", "204 x", "304 x", "101 x", "100 x", "099 x", "999 x", "200", "20", "\xe4"))


@given(STATUSES, st.lists(LINES, max_size=4), st.binary(max_size=12), st.booleans())
@settings(deadline=None, max_examples=500)
def test_no_app_can_raise_anything_but_a_refusal(status: str, lines: list[str], rest: bytes, is_head: bool) -> None:
    """An error of ours would look like the app's, or end a connection that somebody shares."""
    answers = Answers(is_head=is_head)
    with suppress(httptools.HttpParserError, httptools.HttpParserUpgrade):
        answers.feed("\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1") + rest)
    for head in answers.heads:
        assert not set(head.client.replace(b"\r\n", b"")) & set(b"\r\n\0")
        assert head.client.lower().count(b"\r\ncontent-length:") <= 1
        assert head.body is not Body.NONE or not answers.body or is_head
    assert all(written.startswith(b"HTTP/1.1 ") and written.endswith(b"\r\n\r\n") for written in answers.interims)

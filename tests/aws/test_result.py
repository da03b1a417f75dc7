"""What the function returns: API Gateway must make of it the very answer that the app gave, or say why it cannot."""

import json
from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.aws.conftest import load_event

from wakegate.answer.reply import Reply
from wakegate.aws.cloud import AppResponse
from wakegate.aws.payload import PAYLOAD_BYTES_MAX, Incoming, read
from wakegate.aws.result import from_app, write_reply
from wakegate.core.errors import BadResponseError

INCOMING = read(load_event("http_api_named_stage"))
TEXT, BINARY = ("Content-Type", "text/html; charset=utf-8"), ("Content-Type", "image/png")


def returned(
    *headers: tuple[str, str], status: int = 200, body: bytes = b"", incoming: Incoming = INCOMING
) -> dict[str, Any]:
    """Return what the function returns for such an answer of the app; it must be JSON."""
    response = AppResponse(status=status, headers=headers, body=body)
    payload = from_app(response, incoming, service="web")
    json.dumps(payload)
    return payload


def body_of(payload: dict[str, Any]) -> bytes:
    """Return the body that API Gateway makes of it."""
    text: str = payload["body"]
    return b64decode(text) if payload["isBase64Encoded"] else text.encode()


@pytest.mark.parametrize(
    ("headers", "body", "is_base64"),
    [
        ((TEXT,), "grüezi".encode(), False),
        ((("content-type", "application/vnd.api+json"),), b"{}", False),
        ((("Content-Type", "application/json"),), b"{}", False),
        ((("Content-Type", "IMAGE/SVG+XML"),), b"<svg/>", False),
        ((TEXT,), b"gr\xfcezi", True),  # said to be UTF-8, and is not
        ((TEXT, ("Content-Encoding", "gzip")), b"\x1f\x8b", True),
        ((TEXT, ("Content-Encoding", "br")), b"readable by chance", True),
        ((TEXT, ("Content-Encoding", "identity")), b"plain", False),
        ((BINARY,), b"\x89PNG", True),
        ((BINARY,), b"ascii by chance", True),
        ((), b"no type", True),
        ((("Content-Type", "application/octet-stream"),), b"json", True),
    ],
)
def test_the_body_goes_as_text_where_it_is_text(
    headers: tuple[tuple[str, str], ...], body: bytes, is_base64: bool
) -> None:
    """Base64 costs a third; but a byte that is no text must not become a question mark."""
    payload = returned(*headers, body=body)
    assert (payload["isBase64Encoded"], body_of(payload)) == (is_base64, body)


@given(body=st.binary(max_size=200), kind=st.sampled_from([TEXT, BINARY]))
def test_every_body_comes_back_to_the_byte(body: bytes, kind: tuple[str, str]) -> None:
    """Whatever its type claims."""
    assert body_of(returned(kind, body=body)) == body


def test_cookies_are_a_list_and_other_duplicates_one_line() -> None:
    """Payload 2.0 has one value a name; cookies joined by a comma would be one broken cookie."""
    payload = returned(
        ("Set-Cookie", "a=1; Expires=Wed, 25 Nov 2026 10:00:00 GMT"),
        ("Vary", "Accept"),
        ("set-cookie", "b=2; Path=/x"),
        ("vary", "Cookie"),
    )
    assert payload["cookies"] == ["a=1; Expires=Wed, 25 Nov 2026 10:00:00 GMT", "b=2; Path=/prod/x"]
    assert payload["headers"] == {"Vary": "Accept, Cookie", "X-Request-Id": "JKJaXmPLvHcESHA="}


def test_our_own_headers_go_along() -> None:
    """The session cookie has its path already: it is not rewritten."""
    response = AppResponse(status=200, headers=(("Set-Cookie", "a=1; Path=/"),))
    added = (("Set-Cookie", "uuid=x; Path=/"), ("Server-Timing", "wake;dur=1.0"))
    payload = from_app(response, INCOMING, service="web", added=added)
    assert payload["cookies"] == ["a=1; Path=/prod", "uuid=x; Path=/"]
    assert payload["headers"]["Server-Timing"] == "wake;dur=1.0"


def test_what_is_between_the_app_and_us_goes_no_further() -> None:
    """Hop by hop, what `Connection` names, and what the app told Wakegate."""
    payload = returned(
        ("Connection", "keep-alive, X-Hop"),
        ("Keep-Alive", "timeout=5"),
        ("Transfer-Encoding", "chunked"),
        ("Trailer", "X-Sum"),
        ("X-Hop", "1"),
        ("Content-Length", "2"),
        ("Wakegate-Keep-Awake", "60"),
        ("wakegate-session-data", "cart=3"),
        ("X-Request-Id", "of the app"),
        ("ETag", '"1"'),
        body=b"ok",
    )
    assert payload["headers"] == {"ETag": '"1"', "X-Request-Id": "JKJaXmPLvHcESHA="}


def test_redirects_stay_below_the_stage() -> None:
    """`prefix.py` has the cases; this is the header it is for."""
    payload = returned(("location", "/login"), status=302)
    assert (payload["statusCode"], payload["headers"]["location"]) == (302, "/prod/login")


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_an_answer_without_a_body_has_none(method: str, status: int) -> None:
    """Even where the app sent one against the rules."""
    payload = returned(TEXT, status=status, body=b"surplus", incoming=replace(INCOMING, method=method))
    assert (payload["body"], payload["isBase64Encoded"]) == ("", False)


def test_the_length_that_a_head_would_have_is_told() -> None:
    """It is what many clients ask HEAD for."""
    payload = returned(("Content-Length", "1234"), incoming=replace(INCOMING, method="HEAD"))
    assert payload["headers"]["Content-Length"] == "1234"


@pytest.mark.parametrize(
    "header",
    [
        ("X-Bad", "a\r\nSet-Cookie: evil=1"),
        ("X-Bad", "a\nb"),
        ("X-Bad", "a\0"),
        ("Set-Cookie", "a=1\r\n"),
        ("bad name", "1"),
        ("", "1"),
    ],
)
def test_an_app_cannot_inject_a_header(header: tuple[str, str]) -> None:
    """A value that the app took from a request and did not check would be the attacker's answer."""
    with pytest.raises(BadResponseError, match="not HTTP"):
        returned(header)


def test_a_tab_in_a_header_is_http() -> None:
    """RFC 9110 allows it, and some apps align with it."""
    assert returned(("X-Tab", "a\tb"))["headers"]["X-Tab"] == "a\tb"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (BINARY, b"\0" * (PAYLOAD_BYTES_MAX * 3 // 4)),  # less than 6 MiB, and more in base64
        (TEXT, b"x" * PAYLOAD_BYTES_MAX),
        (TEXT, "é".encode() * (PAYLOAD_BYTES_MAX // 2)),
    ],
)
def test_an_answer_over_six_megabytes_says_what_to_do(kind: tuple[str, str], body: bytes) -> None:
    """Lambda would throw it away and the client would read "Internal Server Error"."""
    with pytest.raises(BadResponseError, match=r"web: its answer takes [68]\.\d MB .* compress it"):
        returned(kind, body=body)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (BINARY, b"\0" * (PAYLOAD_BYTES_MAX * 3 // 4 - 1024)),
        (TEXT, b"x" * (PAYLOAD_BYTES_MAX - 1024)),
        (TEXT, b"\x01" * (PAYLOAD_BYTES_MAX // 2)),  # six characters each as text, so it goes as base64
        (TEXT, "é".encode() * (PAYLOAD_BYTES_MAX // 4)),
    ],
)
def test_an_answer_just_below_the_limit_goes_through(kind: tuple[str, str], body: bytes) -> None:
    """The limit is on what is returned, encoded: not one byte is given away for safety's sake but for the head."""
    payload = returned(kind, body=body)
    assert body_of(payload) == body
    assert len(json.dumps(payload)) <= PAYLOAD_BYTES_MAX


@pytest.mark.parametrize(("runtime", "fits"), [("AWS_Lambda_python3.13", True), ("AWS_Lambda_python3.11", False)])
def test_text_beyond_ascii_is_counted_as_the_runtime_writes_it(
    monkeypatch: pytest.MonkeyPatch, runtime: str, fits: bool
) -> None:
    """Five megabytes of Chinese fit as UTF-8, and neither as base64 nor as the escapes of old runtimes."""
    monkeypatch.setenv("AWS_EXECUTION_ENV", runtime)
    body = "塩".encode() * (5_000_000 // 3)
    if fits:
        assert body_of(returned(TEXT, body=body)) == body
    else:
        with pytest.raises(BadResponseError, match="at most 6 MiB"):
            returned(TEXT, body=body)


def test_a_reply_of_our_own_says_all_that_it_has() -> None:
    """The waiting page and the problems, as `answer/` made them."""
    reply = Reply(
        status=503,
        request_id="r-1",
        kind="text/html; charset=utf-8",
        body="wärmt…".encode(),
        retry_after_s=7,
        headers=(("Refresh", "7"),),
    )
    assert write_reply(reply, is_head=False) == {
        "statusCode": 503,
        "headers": {
            "Cache-Control": "no-store",
            "X-Request-Id": "r-1",
            "Content-Type": "text/html; charset=utf-8",
            "Retry-After": "7",
            "Refresh": "7",
        },
        "body": "wärmt…",
        "isBase64Encoded": False,
    }
    assert write_reply(reply, is_head=True)["body"] == ""


def test_a_reply_without_a_body_has_no_type() -> None:
    """A quiet 204."""
    payload = write_reply(Reply(status=204, request_id="r-1"), is_head=False)
    assert payload["headers"] == {"Cache-Control": "no-store", "X-Request-Id": "r-1"}

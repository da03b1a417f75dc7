"""Which answers are remembered, and what of them."""

import pytest

from wakegate.local.http.head import Body
from wakegate.local.http.response import ResponseHead
from wakegate.local.request.memo import memorize

RAW = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


def head(
    *, body: Body = Body.FIXED, length: int = 2, session_data: bytes | None = None, keep_awake: bytes | None = None
) -> ResponseHead:
    """Return a head as it was read."""
    return ResponseHead(
        status=200,
        client=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        body=body,
        length=length,
        is_shareable=False,
        is_event_stream=False,
        session_data=session_data,
        keep_awake=keep_awake,
    )


def test_an_answer_in_one_piece_is_remembered() -> None:
    """Its head to the byte, and how long it is with its body."""
    memo = memorize(RAW + b"ok", head())
    assert memo is not None
    assert (memo.raw, memo.client, memo.total) == (RAW, head().client, len(RAW) + 2)
    assert not memo.is_shareable


@pytest.mark.parametrize(
    "whole",
    [b"HTTP/1.1 100 Continue\r\n\r\n" + RAW + b"ok", RAW + b"ok" + RAW + b"ok", RAW + b"okay", RAW + b"o", b"ok"],
    ids=["interim first", "two answers", "too long", "too short", "no head"],
)
def test_more_or_less_than_one_answer_is_not_remembered(whole: bytes) -> None:
    """What is cut out of it as the head would not be one."""
    assert memorize(whole, head()) is None


def test_an_answer_without_a_length_is_not_remembered() -> None:
    """Where it ends, only the parser can say."""
    assert memorize(RAW + b"ok", head(body=Body.CHUNKED)) is None
    assert memorize(RAW, head(body=Body.NONE, length=0)) is None


def test_an_answer_that_asks_something_is_not_remembered() -> None:
    """It must be heard each time, also when it clears what was kept."""
    assert memorize(RAW + b"ok", head(session_data=b"")) is None
    assert memorize(RAW + b"ok", head(keep_awake=b"0")) is None

"""The gateway's own answers as bytes on the wire."""

import re
from email.utils import parsedate_to_datetime

import pytest

from wakegate.answer.reply import Reply
from wakegate.local.request.reply import encode


def test_a_reply_is_complete_to_the_byte() -> None:
    """A client that reads one byte less or more is out of step for the next answer."""
    reply = Reply(status=503, request_id="r1", kind="application/json", body=b"{}", retry_after_s=3)
    written = encode(reply, keep_alive=True, is_head=False)
    assert re.sub(rb"Date: [^\r]+", b"Date: D", written) == (
        b"HTTP/1.1 503 Service Unavailable\r\nDate: D\r\nCache-Control: no-store\r\nX-Request-Id: r1\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\nRetry-After: 3\r\n\r\n{}"
    )


def test_the_date_is_one_that_http_knows() -> None:
    """RFC 9110 wants it in GMT."""
    found = re.search(
        rb"Date: ([^\r]+ GMT)\r\n", encode(Reply(status=204, request_id="r"), keep_alive=True, is_head=False)
    )
    assert found is not None
    assert parsedate_to_datetime(found[1].decode()).utcoffset() is not None


def test_a_head_request_gets_the_head_of_a_get() -> None:
    """With the length that a GET would have, and no body: one would be read as the next answer."""

    def made(*, is_head: bool) -> bytes:
        reply = Reply(status=404, request_id="r", kind="text/plain", body=b"body")
        return encode(reply, keep_alive=True, is_head=is_head)

    assert made(is_head=False) == made(is_head=True) + b"body"


def test_a_204_has_neither_body_nor_length() -> None:
    """RFC 9110, 8.6 forbids the length."""
    written = encode(Reply(status=204, request_id="r"), keep_alive=True, is_head=False)
    assert written.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"Content-" not in written


@pytest.mark.parametrize(("keep_alive", "said"), [(True, 0), (False, 1)])
def test_the_last_reply_of_a_connection_says_so(*, keep_alive: bool, said: int) -> None:
    """Else a client sends its next request into a closed connection."""
    written = encode(Reply(status=400, request_id="r", kind="text/plain"), keep_alive=keep_alive, is_head=False)
    assert written.count(b"Connection: close\r\n") == said

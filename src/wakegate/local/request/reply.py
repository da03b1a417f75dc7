"""reply: an answer of the gateway's own as bytes, head and body in one piece."""

import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from wakegate.answer.reply import Reply

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


def encode(reply: Reply, *, keep_alive: bool, is_head: bool) -> bytes:
    """Write a complete HTTP/1.1 response; a HEAD gets the head that a GET would get.

    The request id must have passed the head's check: it goes into the head as it is.
    """
    head = [
        _STATUS_LINES[reply.status],
        _date_line(int(time.time())),  # the wall clock, not the port's: a stamp for others, nothing is decided by it
        b"Cache-Control: no-store\r\nX-Request-Id: %b\r\n" % reply.request_id.encode("ascii", "replace"),
    ]
    if reply.status != HTTPStatus.NO_CONTENT:
        head.append(f"Content-Type: {reply.kind}\r\nContent-Length: {len(reply.body)}\r\n".encode())
    if reply.retry_after_s is not None:
        head.append(b"Retry-After: %d\r\n" % reply.retry_after_s)
    if not keep_alive:
        head.append(b"Connection: close\r\n")
    head += (f"{name}: {value}\r\n".encode() for name, value in reply.headers)
    head += (b"\r\n", b"" if is_head else reply.body)
    return b"".join(head)


@lru_cache(maxsize=1)
def _date_line(second: int) -> bytes:
    return f"Date: {formatdate(second, usegmt=True)}\r\n".encode()

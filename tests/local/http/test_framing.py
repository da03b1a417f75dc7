"""Bodies on the wire: chunks that every parser reads alike, and trailers that change nothing."""

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.local.http.wire import read_all

from wakegate.local.http.framing import chunk, last_chunk

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@given(st.lists(st.binary(max_size=300)))
@settings(deadline=None)
def test_pieces_come_out_as_they_went_in(pieces: list[bytes]) -> None:
    """An empty one too: as a chunk it would end the body, and the rest would be read as a request."""
    (request,) = read_all(HEAD + b"".join(map(chunk, pieces)) + last_chunk([])).requests
    assert request.is_complete
    assert request.body == b"".join(pieces)


def test_trailers_go_on() -> None:
    """Checksums and grpc-status come that late."""
    (request,) = read_all(HEAD + last_chunk([(b"Grpc-Status", b"0"), (b"X-Checksum", b"")])).requests
    assert request.trailers == [(b"Grpc-Status", b"0"), (b"X-Checksum", b"")]


@pytest.mark.parametrize(
    "name",
    [
        b"Content-Length", b"transfer-encoding", b"Host", b"Connection", b"Trailer", b"Authorization", b"Cookie",
        b"Set-Cookie", b"Cache-Control", b"Content-Type", b"X-Forwarded-For", b"Forwarded", b"X-Wakegate-Session",
        b"Wakegate-Session-Data", b"Wakegate-Keep-Awake", b"X-Request-Id", b"X_Wakegate_Session", b"Content_Length",
    ],
)  # fmt: skip
def test_a_trailer_cannot_say_what_only_a_head_may(name: bytes) -> None:
    """Some servers put trailers among the headers: who sent it and how long it is would change behind our checks."""
    assert last_chunk([(name, b"1")]) == b"0\r\n\r\n"


def test_httptools_reads_the_last_chunk_as_the_end() -> None:
    """An answer that does not end holds its client's connection for ever."""
    ends: list[bool] = []

    class End:
        def on_message_complete(self) -> None:
            ends.append(True)

    parser = httptools.HttpResponseParser(End())
    parser.feed_data(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"x"))
    assert not ends
    parser.feed_data(last_chunk([(b"Cookie", b"x"), (b"X-Sum", b"1")]))
    assert ends == [True]

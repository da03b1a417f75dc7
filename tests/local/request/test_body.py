"""The body of a request on its way: sent once, framed as it came, and again only if all of it is at hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakegate.local.http.head import Body
from wakegate.local.request.body import REPLAY_BYTES_MAX, RequestBody


def test_what_was_sent_before_somebody_took_it_is_kept() -> None:
    """The client of a sleeping service does not wait with its form until it is awake."""
    body = RequestBody(Body.FIXED, is_replayable=False)
    body.add(b"one ")
    body.add(b"two")
    assert (body.received, body.take(), body.take()) == (7, b"one two", b"")


def test_a_chunked_body_goes_on_chunked_and_ends_once() -> None:
    """Its length is not known before its end; two ends would be a body and half a request."""
    body = RequestBody(Body.CHUNKED, is_replayable=False)
    body.add(b"one")
    assert body.take() == b"3\r\none\r\n"
    assert body.take() == b""
    body.add(b"two")
    body.end([(b"X-Sum", b"1"), (b"Content-Length", b"9")])
    assert (body.is_complete, body.take()) == (True, b"3\r\ntwo\r\n0\r\nX-Sum: 1\r\n\r\n")


def test_a_body_of_known_length_is_sent_as_it_is() -> None:
    """Its trailers do not exist."""
    body = RequestBody(Body.FIXED, is_replayable=True)
    body.add(b"abc")
    body.end([])
    assert body.take() == b"abc"


@given(
    st.lists(st.binary(max_size=50), max_size=6),
    st.lists(st.binary(max_size=50), max_size=6),
    st.sampled_from((Body.FIXED, Body.CHUNKED)),
    st.integers(1, 2),
)
@settings(deadline=None)
def test_what_is_sent_again_is_what_was_sent(early: list[bytes], late: list[bytes], framing: Body, times: int) -> None:
    """However much of it was there when the connection to the app was lost."""
    body = RequestBody(framing, is_replayable=True)
    for piece in early:
        body.add(piece)
        body.take()
    for _ in range(times):
        assert body.can_replay
        body.rewind()
        body.take()
    for piece in late:
        body.add(piece)
    body.rewind()
    body.end([])
    whole = b"".join(early + late)
    plain = b"%x\r\n%b\r\n" % (len(whole), whole) if whole else b""
    assert body.take() == (plain + b"0\r\n\r\n" if framing is Body.CHUNKED else whole)


def test_a_body_that_may_not_be_sent_twice_is_not_kept() -> None:
    """A POST that reached the app may have been done."""
    body = RequestBody(Body.FIXED, is_replayable=False)
    assert not body.can_replay
    with pytest.raises(AssertionError):
        body.rewind()


def test_a_body_that_is_too_large_to_keep_is_forgotten_as_it_goes() -> None:
    """An upload of a gigabyte does not fit into the gateway."""
    body = RequestBody(Body.FIXED, is_replayable=True)
    body.add(b"x" * REPLAY_BYTES_MAX)
    body.take()
    assert body.can_replay
    body.add(b"x")
    assert body.take() == b"x"
    assert not body.can_replay

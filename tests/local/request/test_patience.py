"""Requests that wait, for a wake or for the app: what they get meanwhile, and when their time is over."""

import pytest
from tests.local.request.peer import BIG, GET, OK, POST, Client, Peer, eventually
from tests.local.request.stage import Stage

from wakegate.core.errors import HoldFullError

pytestmark = pytest.mark.anyio

PUT = POST.replace(b"POST", b"PUT")
CHUNKED = b"POST /in HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_held_request_says_how_long_the_wake_took(stage: Stage) -> None:
    """A cold start is told in Server-Timing, and only there; also where the answer is one that is known."""
    client = await stage.client()
    app = await stage.warm(client)
    stage.lane.is_awake = False
    client.send(GET)
    await eventually(lambda: stage.lane.held, "it is held")
    stage.lane.wake()
    await app.head()
    app.send(OK)
    assert str((await client.answer()).header("Server-Timing")).startswith("wake;dur=")
    client.send(GET)
    await app.head()
    app.send(OK)
    assert (await client.answer()).header("Server-Timing") is None


async def test_a_held_body_stays_in_the_socket(stage: Stage) -> None:
    """Ten thousand uploads may wait for one wake: little of each is kept in memory."""
    stage.lane.is_awake = False
    client = await stage.client()
    size = 4 * 1024 * 1024
    body = bytes(range(256)) * (size // 256)
    client.send(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n" % size + body)
    await eventually(lambda: any(one.is_paused for one in stage.connections), "it is held back")
    (connection,) = stage.connections
    assert connection.current is not None
    assert connection.current.body.received < 600_000
    stage.lane.wake()
    app = await stage.app()
    await app.head()
    assert await app.read(size) == body
    app.send(OK)
    assert (await client.answer()).body == b"ok"


async def test_a_refused_upload_is_answered_before_it_is_sent(stage: Stage) -> None:
    """A client that waits for 100 need not send what nobody takes."""
    stage.lane.refusal = HoldFullError("shop", "10000 requests wait already", retry_after_s=2.5)
    client = await stage.client()
    client.send(CHUNKED.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    answer = await client.answer()
    assert (answer.status, answer.header("Retry-After"), answer.header("Connection")) == (503, "3", "close")
    assert await client.rest() == b""


async def test_a_refused_request_keeps_its_connection(stage: Stage) -> None:
    """A herd that comes back needs no new connections."""
    stage.lane.is_awake = False
    client = await stage.client()
    client.send(GET)
    await eventually(lambda: stage.lane.held, "it is held")
    stage.lane.refuse_all()
    await client.problem(status=503, slug="still-waking")
    stage.lane.is_awake = True
    await stage.warm(client)


async def test_interim_answers_reach_those_who_wait(stage: Stage) -> None:
    """A proxy between that gives up on silence does not give up on a 102; HTTP/1.0 does not know it."""
    stage.lane.is_awake = False
    new, old = await stage.client(), await stage.client()
    new.send(GET)
    old.send(b"GET / HTTP/1.0\r\nHost: shop\r\n\r\n")
    await eventually(lambda: len(stage.lane.held) == 2, "both are held")
    for waiter in stage.lane.held:
        waiter.interim()
        waiter.comment()
    assert await new.head() == b"HTTP/1.1 102 Processing\r\n\r\n"
    stage.lane.refuse_all()
    assert (await new.answer()).status == 503
    assert (await old.answer()).status == 503


EVENTS = GET.replace(b"\r\n\r\n", b"\r\nAccept: text/event-stream\r\n\r\n")


async def stream(stage: Stage) -> tuple[Client, Peer]:
    """Hold a client that waits for events, comment, and wake; return it and the app."""
    stage.lane.is_awake = False
    client = await stage.client()
    client.send(EVENTS)
    await eventually(lambda: stage.lane.held, "it is held")
    stage.lane.held[0].comment()
    head = await client.head()
    assert b"Content-Type: text/event-stream\r\n" in head
    assert await client.until(b"\n\n\r\n") == b"a\r\n: waking\n\n\r\n"
    stage.lane.wake()
    app = await stage.app()
    await app.head()
    return client, app


@pytest.mark.parametrize(
    ("framing", "body", "is_closed"),
    [
        (b"Transfer-Encoding: chunked\r\n", b"8\r\ndata: x\n\r\n0\r\n\r\n", False),
        (b"Content-Length: 8\r\n", b"data: x\n", False),
        (b"", b"data: x\n", True),
    ],
    ids=["chunked", "fixed", "until close"],
)
async def test_the_events_follow_the_comments(stage: Stage, framing: bytes, body: bytes, *, is_closed: bool) -> None:
    """The head has gone out with the first comment; however the app frames its events, they end cleanly."""
    client, app = await stream(stage)
    app.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + framing + b"\r\n" + body)
    if is_closed:
        app.close()
    assert await client.chunks() == b"data: x\n"


async def test_an_answer_that_is_no_event_stream_is_told_as_an_event(stage: Stage) -> None:
    """The client cannot be given a status any more."""
    client, app = await stream(stage)
    app.send(b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno")
    assert (await client.chunks()).startswith(b'event: error\ndata: {"detail": "shop: it answered 500')
    await app.gone()


async def test_events_that_break_off_end_with_a_cut(stage: Stage) -> None:
    """The client has seen events: one of the gateway's own could stand in the middle of another."""
    client, app = await stream(stage)
    app.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ndata:\r\n")
    await client.until(b"data:\r\n")
    app.close()
    assert await client.rest() == b""


async def test_an_app_that_does_not_answer_is_given_up(stage: Stage) -> None:
    """By default after five minutes; the connection is not used again."""
    client = await stage.client()
    client.send(GET)
    app = await stage.app()
    await app.head()
    stage.sweep(later_s=299)
    stage.sweep(later_s=301)
    assert "(forward.response_timeout)" in await client.problem(status=504, slug="response-timeout")
    await app.gone()


async def test_the_wait_for_a_wake_does_not_count(stage: Stage) -> None:
    """A cold start of five minutes is no slow answer (Knative #15352)."""
    stage.lane.is_awake = False
    client = await stage.client()
    client.send(GET)
    await eventually(lambda: stage.lane.held, "it is held")
    stage.lane.held[0].arrived_s -= 1000
    stage.lane.wake()
    app = await stage.app()
    await app.head()
    stage.sweep(later_s=299)
    app.send(OK)
    assert (await client.answer()).body == b"ok"


async def test_the_turn_of_a_pipelined_request_is_its_beginning(stage: Stage) -> None:
    """It waited for the answer before it, not for its own."""
    client = await stage.client()
    client.send(GET + GET)
    app = await stage.app()
    await app.head()
    (connection,) = stage.connections
    connection._queue[0].arrived_s -= 1000
    app.send(OK)
    await client.answer()
    await app.head()
    stage.sweep(later_s=299)
    app.send(OK)
    assert (await client.answer()).body == b"ok"


async def test_an_app_that_does_not_read_its_request_is_given_up(stage: Stage) -> None:
    """The client cannot send, so that it is not its body that is late."""
    client = await stage.client()
    client.send(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n" % BIG + b"x" * BIG)
    app = await stage.app()
    await eventually(lambda: any(one.is_paused for one in stage.connections), "it is held back")
    stage.sweep(later_s=301)
    assert "(forward.response_timeout)" in await client.problem(status=504, slug="response-timeout")
    assert stage.in_flight == 0
    app.reset()
    client.reset()


async def test_an_answer_that_stands_still_is_cut(stage: Stage) -> None:
    """Only where it is asked for: an event stream may be silent for long."""
    client = await stage.client()
    client.send(GET)
    app = await stage.app()
    await app.head()
    app.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
    await client.until(b"x\r\n")
    stage.sweep(later_s=100_000)
    stage.lane.limit(stream_timeout_s=60)
    stage.sweep(later_s=61)
    assert await client.rest() == b""
    await app.gone()


async def test_a_request_that_takes_too_long_as_a_whole_is_ended(stage: Stage) -> None:
    """Also one whose answer keeps dripping."""
    stage.lane.limit(timeout_s=60)
    client = await stage.client()
    client.send(GET)
    await (await stage.app()).head()
    stage.sweep(later_s=61)
    assert "(forward.timeout)" in await client.problem(status=504, slug="response-timeout")

"""Clients that go away in every phase, and those that only look like it."""

import asyncio

import pytest
from tests.local.request.peer import BIG, GET, HOST, OK, POST, eventually, request
from tests.local.request.stage import Stage

pytestmark = pytest.mark.anyio


async def test_a_client_that_half_closes_gets_its_answer(stage: Stage) -> None:
    """`printf … | nc` says all it has to say and then listens."""
    client = await stage.client()
    client.send(GET)
    client.end()
    app = await stage.app()
    await app.head()
    stage.sweep()
    app.send(OK)
    assert (await client.rest()).endswith(b"\r\n\r\nok")


async def test_every_request_before_a_half_close_is_answered(stage: Stage) -> None:
    """Those that wait in the pipeline too."""
    client = await stage.client()
    client.send(GET + POST + GET[:9])
    client.end()
    app = await stage.app()
    await app.head()
    app.send(OK)
    await app.until(b"hello")
    app.send(OK)
    assert (await client.rest()).count(b"\r\n\r\nok") == 2
    assert stage.lane.admissions == 2


async def test_a_held_client_that_half_closes_gets_its_answer(stage: Stage) -> None:
    """It is asked whether it is still there, by an interim answer that every HTTP/1.1 client passes over."""
    stage.lane.is_awake = False
    client = await stage.client()
    client.send(GET)
    client.end()
    await eventually(lambda: any(one.has_ended for one in stage.connections), "its end has come")
    stage.sweep(later_s=2)
    assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    stage.sweep(later_s=2)
    stage.lane.wake()
    app = await stage.app()
    await app.head()
    app.send(OK)
    answer = await client.rest()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nok")


async def test_a_held_http_1_0_client_that_half_closes_gets_its_answer(stage: Stage) -> None:
    """It knows no interim answers, so it gets none."""
    stage.lane.is_awake = False
    client = await stage.client()
    client.send(b"GET / HTTP/1.0\r\nHost: shop\r\n\r\n")
    client.end()
    await eventually(lambda: stage.lane.held, "it is held")
    stage.sweep()
    stage.lane.wake()
    app = await stage.app()
    await app.head()
    app.send(OK)
    assert (await client.rest()).startswith(b"HTTP/1.1 200 OK\r\n")


async def swept_away(stage: Stage) -> None:
    """Sweep until every client connection is gone."""

    def gone() -> bool:
        stage.sweep(later_s=2)
        return not stage.connections

    await eventually(gone, "it is noticed")


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_held_client_that_goes_away_frees_its_seat(stage: Stage, how: str) -> None:
    """A browser tab that is closed must not hold a seat until the wake is over."""
    stage.lane.is_awake = False
    client = await stage.client()
    client.send(GET)
    await eventually(lambda: stage.lane.held, "it is held")
    getattr(client, how)()
    await swept_away(stage)
    assert len(stage.lane.left) == 1


async def test_a_held_client_that_goes_away_with_its_body_unread_frees_its_seat(stage: Stage) -> None:
    """It is not read because its body is large: the event loop does not see it go."""
    stage.lane.is_awake = False
    client = await stage.client()
    client.send(request(HOST[:-2], b"Content-Length: 300000", line=b"POST / HTTP/1.1", body=b"x" * 200_000))
    await eventually(lambda: any(one._paused for one in stage.connections), "it is held back")
    client.close()
    await swept_away(stage)
    assert len(stage.lane.left) == 1


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_client_that_goes_away_ends_the_work_of_the_app(stage: Stage, how: str) -> None:
    """What nobody reads need not be computed: the app sees its connection end."""
    client = await stage.client()
    client.send(GET)
    app = await stage.app()
    await app.head()
    getattr(client, how)()
    await swept_away(stage)
    await app.gone()
    assert stage.in_flight == 0


async def test_a_client_that_goes_away_in_an_upload_the_app_does_not_read_is_noticed(stage: Stage) -> None:
    """It is not read while the app is full, and the app will never be less so."""
    client = await stage.client()
    client.send(request(HOST[:-2], b"Content-Length: %d" % BIG, line=b"POST / HTTP/1.1", body=b"x" * (BIG // 4)))
    await stage.app()
    await eventually(lambda: any(one._paused for one in stage.connections), "it is held back")
    client.reset()
    await swept_away(stage)
    assert stage.in_flight == 0


async def test_a_client_that_goes_away_in_its_answer_is_noticed_at_the_next_piece(stage: Stage) -> None:
    """An event stream without readers must not keep its service awake."""
    client = await stage.client()
    client.send(GET)
    app = await stage.app()
    await app.head()
    app.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    await client.head()
    client.close()

    def gone() -> bool:
        app.send(b"5\r\n: hi\n\r\n")
        stage.sweep()
        return not stage.connections

    await eventually(gone, "it is noticed")
    assert stage.in_flight == 0


async def test_a_body_that_is_cut_short_is_a_hang_up(stage: Stage) -> None:
    """Nothing more can come: the app must not wait for the rest."""
    client = await stage.client()
    client.send(POST[:-2])
    client.end()
    app = await stage.app()
    await app.gone()
    await eventually(lambda: not stage.connections, "it is let go of")
    assert stage.in_flight == 0


async def test_an_upload_that_was_answered_early_may_still_be_sent(stage: Stage) -> None:
    """Most clients send all before they read; a reset would take the answer away from them (KEDA #1668)."""
    client = await stage.client()
    size = 8 * 1024 * 1024
    client.send(request(HOST[:-2], b"Content-Length: %d" % size, line=b"POST / HTTP/1.1"))
    app = await stage.app()
    await app.head()
    app.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
    await eventually(lambda: stage.in_flight == 0, "the app has answered")
    client.send(b"x" * size)
    await client.writer.drain()
    answer = await client.rest()
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert answer.endswith(b"\r\n\r\nno")


async def test_a_slow_reader_gets_all_of_an_early_answer(stage: Stage) -> None:
    """The time to close begins when the answer is out, not when it was written."""
    client = await stage.client()
    client.send(POST[:-2])
    app = await stage.app()
    await app.head()
    size = 8 * 1024 * 1024
    app.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    app.send(b"x" * size)
    await client.head()
    got = 0
    while stage.in_flight:
        got += len(await client.reader.read(65_536))
    (connection,) = stage.connections
    while connection.transport.get_write_buffer_size():
        stage.sweep(later_s=3)
        got += len(await client.reader.read(65_536))
        await asyncio.sleep(0)
    assert got + len(await client.rest()) == size


async def test_a_client_that_never_closes_after_an_error_is_cut_off(stage: Stage) -> None:
    """It has had the time to read its answer."""
    client = await stage.client()
    client.send(b"nonsense\r\n\r\n")
    assert (await client.answer()).status == 400
    stage.sweep(later_s=60)
    await eventually(lambda: not stage.connections, "it is cut off")


async def test_a_client_that_half_closes_behind_nonsense_is_let_go_of_at_once(stage: Stage) -> None:
    """It sends nothing more that could be read and dropped: there is nothing to linger for."""
    client = await stage.client()
    client.send(GET + b"nonsense\r\n\r\n")
    client.end()
    app = await stage.app()
    await app.head()
    await eventually(lambda: any(one.has_ended for one in stage.connections), "its end has come")
    app.send(OK)
    assert (await client.answer()).status == 200
    await client.refusal(status=400, slug="bad-request")
    await eventually(lambda: not stage.connections, "it is let go of")

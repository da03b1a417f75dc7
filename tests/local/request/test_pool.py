"""Connections to a target that are kept: the freshest first, none that may be dead, none to a target that is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.local.request.peer import GET, OK, eventually
from tests.local.request.stage import Stage

from wakegate.local.lane import Target
from wakegate.local.request.forward import UpstreamConnection
from wakegate.local.request.pool import IDLE_TIMEOUT_S, shut, take

pytestmark = pytest.mark.anyio

NOW_S = 10_000.0


@asynccontextmanager
async def pool(*idle_s: float) -> AsyncIterator[Target]:
    """Give a target with connections that have been idle for so long, the longest first."""
    arrived: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: arrived.append(writer), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    target = Target(number=1, host=host, port=port)
    for seconds in idle_s:
        loop = asyncio.get_running_loop()
        _, upstream = await loop.create_connection(lambda: UpstreamConnection(target), host, port)
        upstream.since_s = NOW_S - seconds
        target.idle.append(upstream)
    await eventually(lambda: len(arrived) == len(idle_s), "all have been accepted")
    made = list(target.idle)
    try:
        yield target
    finally:
        for one in (*arrived, *made):
            one.transport.abort()
        server.close()


async def test_the_one_that_was_used_last_is_taken_first() -> None:
    """It is the least likely to have been forgotten; the others may grow old and go."""
    async with pool(30, 20, 10) as target:
        newest = target.idle[-1]
        assert take(target, now_s=NOW_S, used_within_s=None) is newest
        assert len(target.idle) == 2


async def test_an_empty_pool_has_nothing_to_give() -> None:
    """Then a new connection is made."""
    async with pool() as target:
        assert take(target, now_s=NOW_S, used_within_s=None) is None


async def test_one_that_may_have_been_forgotten_is_closed() -> None:
    """The app, or something between, closes what is idle for long; a request on it would be lost."""
    async with pool(2 * IDLE_TIMEOUT_S, IDLE_TIMEOUT_S) as target:
        made = list(target.idle)
        assert take(target, now_s=NOW_S, used_within_s=None) is None
        assert target.idle == []
        assert all(upstream.transport.is_closing() for upstream in made)


async def test_a_request_that_cannot_be_sent_twice_wants_a_fresh_one_and_leaves_the_others() -> None:
    """A POST a second must not close the pool that the GETs live on."""
    async with pool(20, 10) as target:
        assert take(target, now_s=NOW_S, used_within_s=1.0) is None
        assert len(target.idle) == 2
        assert not any(upstream.transport.is_closing() for upstream in target.idle)
        assert take(target, now_s=NOW_S - 9.5, used_within_s=1.0) is not None


async def test_one_that_is_being_closed_is_not_given() -> None:
    """Its end may be known before the loop has told it."""
    async with pool(20, 10) as target:
        older, newer = target.idle
        newer.close()
        assert take(target, now_s=NOW_S, used_within_s=None) is older


async def test_one_that_the_app_closes_leaves_the_pool() -> None:
    """Nobody has to find out by losing a request."""
    async with Stage() as stage:
        client = await stage.client()
        client.send(GET)
        app = await stage.app()
        await app.head()
        app.send(OK)
        assert (await client.answer()).body == b"ok"
        await stage.idle(1)
        app.close()
        await stage.idle(0)


async def test_a_target_that_goes_is_left_by_all() -> None:
    """A replica that waits for its idle connections to end would be killed by its stop grace."""
    async with pool(20, 10) as target:
        made = list(target.idle)
        shut(target)
        assert target.idle == []
        assert all(upstream.transport.is_closing() for upstream in made)


async def test_a_refused_connection_sends_the_request_back_into_the_line() -> None:
    """No byte of it has reached the app: the service knows what to do, and is told why."""
    async with Stage() as stage:
        stage.shut_app()
        client = await stage.client()
        client.send(GET)
        await eventually(lambda: stage.lane.unreached, "it is told")
        assert stage.lane.unreached == ["Connection refused"]
        assert stage.in_flight == 0
        stage.lane.refuse_all()
        assert (await client.answer()).status == 503

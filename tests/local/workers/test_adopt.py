"""What a killed keeper has left behind is found, or is nothing."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.local.workers.process import App, process
from tests.local.workers.world import cold, warm

from wakegate.local.workers.adopt import dismiss, left_behind
from wakegate.local.workers.wire import Ask

pytestmark = pytest.mark.anyio


async def test_a_worker_that_was_left_is_found_with_all_that_it_has(tmp_path: Path) -> None:
    """Its number, its process, its board and its sockets."""
    async with App() as app, process(tmp_path) as worker:
        await worker.configure(warm(app.target))
        await worker.leave()
        (left,) = await left_behind(tmp_path)
        assert (left.number, left.pid) == (1, worker.child.pid)
        assert left.met is not None
        assert worker.board.is_at(left.met.board_fd)
        assert [one.getsockname() for one in left.met.listening] == [worker.listening.getsockname()]
        left.close()


async def test_where_nobody_is_nothing_is_found(tmp_path: Path) -> None:
    """The first start, or one after a good end."""
    assert await left_behind(tmp_path) == []


async def test_those_that_are_not_wanted_any_more_finish_and_end(tmp_path: Path) -> None:
    """One process has the port then."""
    told: list[Any] = []
    async with App() as app, process(tmp_path) as worker:
        await worker.configure(warm(app.target))
        await worker.leave()
        await dismiss(tmp_path, drain_timeout_s=20, tell=lambda *what: told.append(what))
        assert await worker.ended() == 0
    assert told == [("stopped-orphan", "1 worker of an earlier gateway told to end, as workers = 1")]


async def test_who_waits_at_one_that_is_not_wanted_any_more_is_told_so(tmp_path: Path) -> None:
    """Nobody else can be asked to wake the service for it, and the start of the new gateway must not wait for it."""
    async with App() as app, process(tmp_path) as worker, asyncio.TaskGroup() as tasks:
        await worker.configure(cold(app.target))
        waiting = tasks.create_task(worker.get())
        await worker.line.next(Ask)
        await worker.leave()
        await dismiss(tmp_path, drain_timeout_s=20, tell=lambda *_: None)
        answer = await waiting
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert "what wakes services here is gone" in answer.text
        assert await worker.ended() == 0


async def test_to_dismiss_nobody_is_nothing(tmp_path: Path) -> None:
    """Every start of a gateway without workers does."""
    await dismiss(tmp_path, drain_timeout_s=20, tell=print)
    assert await left_behind(tmp_path) == []

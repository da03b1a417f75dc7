"""One worker as the keeper sees it: what it was told and has not heard, what it has in hand, and its end."""

import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.local.workers.world import Home, Line, ask, cold, eventually, line, spec, warm

from wakegate.core.spec import GatewaySpec
from wakegate.local.workers.board import Board
from wakegate.local.workers.hand import Hand
from wakegate.local.workers.wire import (
    Configure,
    Emptied,
    Finished,
    Heard,
    Here,
    Keep,
    Leave,
    Leaving,
    Look,
    Post,
    Refuse,
    Release,
    Retry,
    Told,
)

pytestmark = pytest.mark.anyio


class Desk:
    """A hand, its service, and the worker's end of the line."""

    def __init__(self, hand: Hand, home: Home, worker: Line, told: list[Any]) -> None:
        self.hand, self.home, self.worker, self.told = hand, home, worker, told

    async def hears(self, epoch: int, *, busy: int = 0) -> None:
        """Let the worker acknowledge, and the keeper take note."""
        self.worker.channel.send(Heard(epochs={"web": epoch}, busy={self.home.here.serial: busy} if busy else {}))
        count = len(self.home.told)
        await eventually(lambda: len(self.home.told) > count, "the service is told")


@asynccontextmanager
async def desk(*, is_configured: bool = True) -> AsyncIterator[Desk]:
    """Have a worker that acts by epoch 1: warm, with one target."""
    home, told = Home(), list[Any]()

    def tell(kind: str, text: str, **more: object) -> None:
        told.append((kind, text, more))

    hand = Hand(
        1,
        slot=Board.make().slot(1),
        home=lambda name: home if name == "web" else None,
        tell=tell,
        leaves=lambda hand: told.append(("leaves", hand.number, {})),
        now_s=time.monotonic,
    )
    async with line(hand.connect) as worker:
        worker.channel.send(Here(rows={"web": 4}))
        await hand.here.wait()
        here = Desk(hand, home, worker, told)
        if is_configured:
            post = Post(spec=spec(), row=0, epoch=1, outlook=warm(home.here))
            hand.configure(Configure(gateway=GatewaySpec(), posts=(post,)))
            await worker.next(Configure)
            await here.hears(1)
            home.told.clear()
        yield here
        hand.bury()


async def test_what_was_told_is_unheard_until_it_is_acknowledged() -> None:
    """In between it may let in a request by what it knew before."""
    async with desk() as here:
        hand = here.hand
        assert hand.has_heard("web")
        hand.look(Look(service="web", epoch=2, outlook=cold(here.home.here)), shut=())
        hand.look(Look(service="web", epoch=3, outlook=cold(here.home.here)), shut=())
        silent_since_s = hand.silent_since_s
        assert silent_since_s is not None
        await here.hears(2)
        assert not hand.has_heard("web")
        await here.hears(3)
        assert here.hand.has_heard("web")
        assert here.hand.silent_since_s is None


async def test_one_that_has_been_told_nothing_can_do_nothing_unless_it_was_left_by_another_keeper() -> None:
    """That one may still act by what it was told then."""
    async with desk(is_configured=False) as here:
        assert here.hand.rows_known == {"web": 4}
        assert here.hand.has_heard("web")
        here.hand.may_act = True
        assert not here.hand.has_heard("web")


async def test_a_target_that_is_shut_is_busy_until_the_worker_says_otherwise() -> None:
    """It may be stopped only when the last request has left it."""
    async with desk() as here:
        home = here.home
        here.hand.look(Look(service="web", epoch=2, outlook=cold()), shut=[home.here.serial])
        assert home.here.busy == 1
        await here.hears(2, busy=3)
        assert home.here.busy == 3
        here.worker.channel.send(Emptied(serial=home.here.serial))
        await eventually(lambda: not home.here.busy, "it is empty")
        assert home.told[-1] == ("heard", home.here.serial)


async def test_a_target_that_nobody_has_anything_at_is_free_once_that_is_acknowledged() -> None:
    """And one that is offered again is not waited for."""
    async with desk() as here:
        home = here.home
        here.hand.look(Look(service="web", epoch=2, outlook=cold()), shut=[home.here.serial])
        await here.hears(2)
        assert home.here.busy == 0
        here.hand.look(Look(service="web", epoch=3, outlook=cold()), shut=[home.here.serial])
        here.hand.look(Look(service="web", epoch=4, outlook=warm(home.here)), shut=())
        assert home.here.busy == 0


async def test_a_request_is_asked_about_and_reported() -> None:
    """It is counted where the decisions are made."""
    async with desk() as here:
        here.worker.channel.send(ask(5))
        release = await here.worker.next(Release)
        assert (release.number, release.address.serial) == (5, here.home.here.serial)
        assert here.home.here.in_flight == 1
        here.worker.channel.send(Finished(number=5))
        await eventually(lambda: not here.home.here.in_flight, "it has ended")
        here.worker.channel.send(Leave(number=5))  # too late: nothing happens
        here.worker.channel.send(ask(6, service="gone"))
        assert (await here.worker.next(Refuse)).kind == "StoppingError"


async def test_what_an_app_or_a_visitor_asks_for_is_passed_on() -> None:
    """To keep awake, to try now, and what the timeline is to show."""
    async with desk() as here:
        here.worker.channel.send(Keep(service="web", seconds=60, reason="the app asked for it"))
        here.worker.channel.send(Retry(service="web"))
        here.worker.channel.send(Told(kind="warning", text="too much data", service="web", detail=()))
        await eventually(lambda: here.told, "it is told")
        assert here.home.told == [(60, "the app asked for it"), "retry"]
        assert here.told == [("warning", "too much data", {"service": "web", "detail": ()})]


async def test_when_its_process_is_gone_nothing_of_it_waits_or_is_in_flight() -> None:
    """Whatever it was asked or told."""
    async with desk() as here:
        home = here.home
        here.worker.channel.send(ask(1))
        await here.worker.next(Release)
        home.is_awake = False
        here.worker.channel.send(ask(2))
        await eventually(lambda: home.held, "it waits")
        here.hand.look(Look(service="web", epoch=2, outlook=cold()), shut=[home.here.serial])
        here.hand.bury()
        assert (home.here.busy, home.held, here.hand.has_heard("web")) == (0, [], True)


async def test_one_that_goes_because_of_a_signal_is_told_to_the_crew() -> None:
    """Another can take its place at once."""
    async with desk() as here:
        here.worker.channel.send(Leaving())
        await eventually(lambda: ("leaves", 1, {}) in here.told, "it is told")


async def test_one_that_speaks_no_more_and_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be stopped, or its loop stuck, with connections that nobody else can serve."""
    monkeypatch.setattr("wakegate.local.workers.hand.END_S", 0.01)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])  # noqa: ASYNC220  the hand has a process, not a task
    async with desk() as here:
        here.hand.pid = child.pid
        here.worker.channel.close()
        await eventually(lambda: child.poll() is not None, "it is killed")
    assert child.wait() == -signal.SIGKILL

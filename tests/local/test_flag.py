"""The light event: everybody goes on at once, and whoever gives up is forgotten."""

import asyncio

import pytest

from wakegate.local.flag import Flag

pytestmark = pytest.mark.anyio


async def test_everybody_who_waits_goes_on_and_nobody_who_comes_later_waits() -> None:
    """Until it is cleared."""
    flag = Flag()
    waiting = [asyncio.create_task(flag.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    assert (flag.is_set(), [task.done() for task in waiting]) == (False, [False] * 3)
    flag.set()
    await asyncio.gather(*waiting, flag.wait())
    assert flag.is_set()
    assert not flag._waiters
    flag.clear()
    late = asyncio.create_task(flag.wait())
    await asyncio.sleep(0)
    assert (flag.is_set(), late.done()) == (False, False)
    flag.set()
    await late


async def test_a_moment_is_enough() -> None:
    """Who waits is told of what has happened, not of what is."""
    flag = Flag()
    waiting = asyncio.create_task(flag.wait())
    await asyncio.sleep(0)
    flag.set()
    flag.clear()
    await waiting


async def test_who_gives_up_is_forgotten_and_holds_up_nobody() -> None:
    """A tick that waits with a time limit gives up thousands of times."""
    flag = Flag()
    leaving, staying = (asyncio.create_task(flag.wait()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert flag._waiters is not None
    assert len(flag._waiters) == 1
    flag.set()
    await staying


async def test_one_that_is_cancelled_as_it_is_set_is_cancelled() -> None:
    """Both may happen in one turn of the loop."""
    flag = Flag()
    leaving, staying = (asyncio.create_task(flag.wait()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    flag.set()
    await staying
    assert leaving.cancelled()

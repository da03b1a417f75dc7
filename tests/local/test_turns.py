"""Turns: one at a time, in order of arrival, and the loop goes round between two."""

import asyncio
from itertools import pairwise

import pytest

from wakegate.local.turns import Turns

pytestmark = pytest.mark.anyio


async def test_one_that_is_alone_does_not_wait() -> None:
    """Again and again, once the loop has gone round."""
    turns = Turns()
    for _ in range(3):
        mine = turns.mine()
        with pytest.raises(StopIteration):  # it ends without having waited
            mine.send(None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_between_two_turns_the_loop_goes_round() -> None:
    """Whoever has something to do for a client comes between."""
    turns, rounds = Turns(), [0]
    seen: list[tuple[int, int]] = []
    loop = asyncio.get_running_loop()

    def go_round() -> None:
        rounds[0] += 1
        if len(seen) < 200:
            loop.call_soon(go_round)

    async def one(number: int) -> None:
        for turn in range(2):
            await turns.mine()
            seen.append((100 * turn + number, rounds[0]))

    go_round()
    await asyncio.gather(*(one(number) for number in range(100)))
    assert [number for number, _ in seen] == [0, 100, *range(1, 100), *range(101, 200)]
    at = [when for _, when in seen]
    assert all(before < after for before, after in pairwise(at))


async def test_one_that_gives_up_takes_nobodys_turn() -> None:
    """A service that is taken away while it waits."""
    turns = Turns()
    first, leaving, staying = (asyncio.create_task(turns.mine()) for _ in range(3))
    await asyncio.sleep(0)
    assert [task.done() for task in (first, leaving, staying)] == [True, False, False]
    leaving.cancel()
    await asyncio.wait_for(staying, 20)
    assert leaving.cancelled()
    await asyncio.wait_for(turns.mine(), 20)

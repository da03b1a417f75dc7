"""The real clock: it goes with the event loop's, and its stamps are aware."""

import asyncio
from datetime import UTC

import pytest

from wakegate.local.clock import SystemClock

pytestmark = pytest.mark.anyio


async def test_its_seconds_are_those_of_the_event_loop() -> None:
    """A deadline of the loop and one of ours are compared; uvloop's time is that of its last turn, in milliseconds."""
    clock = SystemClock()
    before = clock.now_s()
    await asyncio.sleep(0.005)
    loop_s = asyncio.get_running_loop().time()
    assert before < loop_s + 0.002
    assert loop_s <= clock.now_s() + 0.002


async def test_its_stamps_know_their_zone() -> None:
    """A stamp without a zone cannot be compared with a stored one."""
    assert SystemClock().utc().tzinfo is UTC

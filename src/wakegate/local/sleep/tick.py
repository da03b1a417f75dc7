"""tick: the heartbeat of one service. It sleeps exactly until its next answer can differ, or something changes."""

import asyncio
from contextlib import suppress

from wakegate.core.phase import Phase
from wakegate.local.sleep.drain import drain
from wakegate.local.sleep.idle import idle
from wakegate.local.sleep.pause import paused
from wakegate.local.sleep.sleeper import Sleeper
from wakegate.local.turns import Turns
from wakegate.ports import Clock

SAVE_INTERVAL_S = 10.0  # one coalesced write of `last_active_at` an interval; a restart may forget this much idleness


async def tick(service: Sleeper, *, clock: Clock, turns: Turns) -> None:
    """Take the service through idle, drain and stop, for ever; of many that are due at once, one after the other."""
    while True:
        await turns.mine()
        service.changed.clear()
        recheck_s = look(service, now_s=clock.now_s())
        if recheck_s == 0.0:
            continue  # the phase has changed: look again, after everybody else had a turn
        with suppress(TimeoutError):
            async with asyncio.timeout(recheck_s):
                await service.changed.wait()


def look(service: Sleeper, *, now_s: float) -> float | None:
    """Take one step; return in how many seconds the next is due, None: only an event can change anything."""
    match service.phase:
        case Phase.AWAKE:
            service.save_activity()
            recheck_s = idle(service, now_s=now_s)
            return SAVE_INTERVAL_S if recheck_s is None else min(recheck_s, SAVE_INTERVAL_S)
        case Phase.DRAINING:
            return drain(service, now_s=now_s)
        case Phase.ASLEEP:
            waits_s = (paused(service, now_s=now_s), service.wake_unasked())
            return min((wait_s for wait_s in waits_s if wait_s is not None), default=None)
        case _:
            return None

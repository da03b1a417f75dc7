"""One replica of a fleet: where it is in its life, and how long its start took."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from wakegate.local.lane import Target
from wakegate.ports import Exit, Kept, Replica


class Life(StrEnum):
    """Where one replica is."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    PAUSED = "paused"
    STOPPING = "stopping"


@dataclass(slots=True, eq=False, kw_only=True)
class Member:
    """One replica, its target and where it is in its life."""

    replica: Replica
    target: Target
    life: Life
    since_s: float
    empty: asyncio.Event  # set when a request of a draining member ends
    exit: asyncio.Future[Exit]  # done once it is gone
    pausing: asyncio.Task[None] | None = None  # the newest pause of it, done when it is frozen, or could not be
    is_resumed: bool = False  # its newest start was the end of a pause
    kept: Kept | None = None  # memory, measured when it was paused


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """How long each step of a start took, in seconds."""

    start_s: float
    listen_s: float
    settle_s: float

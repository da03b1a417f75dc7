"""The life of a service as data: phases, events, and the table that says which event leads where.

Every phase change in the program is a row of `NEXT`; the diagram in the docs is drawn from it. A paused service is
asleep: it was scaled to 0, and what is frozen is no replica that runs.
"""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Where a service is in its life."""

    ASLEEP = "asleep"
    WAKING = "waking"
    AWAKE = "awake"
    DRAINING = "draining"
    STOPPING = "stopping"


class Event(StrEnum):
    """A fact told to the table, in the past tense."""

    REQUEST_ARRIVED = "a request arrived"
    REPLICA_READY = "a replica answered its probe"
    WAKE_FAILED = "the wake timed out or its replica died"
    IDLE_PASSED = "idle for the idle timeout, none in flight, no keep"
    GRACE_PASSED = "the grace passed and it is still idle"
    STOP_ACKNOWLEDGED = "the scale call was acknowledged"
    LEASE_EXPIRED = "the owner's lease ran out and a request waits"
    TARGETS_LOST = "every target refuses, or none is left"
    REPLICAS_SEEN = "replicas are seen running"
    DESIRED_ZERO_SEEN = "desired is seen at 0"
    SLEEP_ASKED = "an operator asked it to sleep, or its gateway goes down"
    FOUND_DEAD = "its gateway came back and no replica was left"


class Action(StrEnum):
    """What a row asks its substrate to do."""

    NONE = "nothing"
    SCALE_OUT = "scale to max(1, min)"
    RELEASE = "publish the targets and release the held"
    ABANDON = "scale to 0, answer the held with the reason, back off"
    CANCEL_SLEEP = "cancel the sleep: no cold start"
    SCALE_TO_ZERO = "scale to 0"
    HOLD = "hold, then wake"
    ADOPT = "adopt what an operator started; the idle timeout ends it"


@dataclass(frozen=True, slots=True)
class Row:
    """Where an event leads, and what is to be done on the way."""

    to: Phase
    action: Action


NEXT: dict[tuple[Phase, Event], Row] = {
    (Phase.ASLEEP, Event.REQUEST_ARRIVED): Row(Phase.WAKING, Action.SCALE_OUT),
    (Phase.WAKING, Event.REPLICA_READY): Row(Phase.AWAKE, Action.RELEASE),
    (Phase.WAKING, Event.WAKE_FAILED): Row(Phase.STOPPING, Action.ABANDON),
    (Phase.AWAKE, Event.IDLE_PASSED): Row(Phase.DRAINING, Action.NONE),
    (Phase.DRAINING, Event.REQUEST_ARRIVED): Row(Phase.AWAKE, Action.CANCEL_SLEEP),
    (Phase.DRAINING, Event.GRACE_PASSED): Row(Phase.STOPPING, Action.SCALE_TO_ZERO),
    (Phase.STOPPING, Event.STOP_ACKNOWLEDGED): Row(Phase.ASLEEP, Action.NONE),
    (Phase.STOPPING, Event.REQUEST_ARRIVED): Row(Phase.STOPPING, Action.HOLD),
    (Phase.STOPPING, Event.LEASE_EXPIRED): Row(Phase.WAKING, Action.SCALE_OUT),
    (Phase.AWAKE, Event.TARGETS_LOST): Row(Phase.WAKING, Action.SCALE_OUT),
    (Phase.DRAINING, Event.TARGETS_LOST): Row(Phase.STOPPING, Action.SCALE_TO_ZERO),
    (Phase.ASLEEP, Event.REPLICAS_SEEN): Row(Phase.AWAKE, Action.ADOPT),
    (Phase.WAKING, Event.DESIRED_ZERO_SEEN): Row(Phase.WAKING, Action.SCALE_OUT),
    (Phase.AWAKE, Event.SLEEP_ASKED): Row(Phase.DRAINING, Action.NONE),
    (Phase.WAKING, Event.SLEEP_ASKED): Row(Phase.STOPPING, Action.ABANDON),
    (Phase.WAKING, Event.FOUND_DEAD): Row(Phase.ASLEEP, Action.NONE),
    (Phase.AWAKE, Event.FOUND_DEAD): Row(Phase.ASLEEP, Action.NONE),
    (Phase.DRAINING, Event.FOUND_DEAD): Row(Phase.ASLEEP, Action.NONE),
}


def after(phase: Phase, event: Event) -> Row:
    """Return the row for an event; an event that has none in this phase is a bug of the caller."""
    row = NEXT.get((phase, event))
    assert row is not None, f"no row for {event!r} while {phase}"
    return row

"""The phase table against the design's, row by row, and what must hold of any such table."""

import pytest

from wakegate.core.phase import NEXT, Action, Event, Phase, after

# DESIGN, "The state of a service", as it stands there: from, event, to, action.
DESIGN = """
asleep   | REQUEST_ARRIVED   | waking   | SCALE_OUT
waking   | REPLICA_READY     | awake    | RELEASE
waking   | WAKE_FAILED       | stopping | ABANDON
awake    | IDLE_PASSED       | draining | NONE
draining | REQUEST_ARRIVED   | awake    | CANCEL_SLEEP
draining | GRACE_PASSED      | stopping | SCALE_TO_ZERO
stopping | STOP_ACKNOWLEDGED | asleep   | NONE
stopping | REQUEST_ARRIVED   | stopping | HOLD
stopping | LEASE_EXPIRED     | waking   | SCALE_OUT
awake    | TARGETS_LOST      | waking   | SCALE_OUT
asleep   | REPLICAS_SEEN     | awake    | ADOPT
waking   | DESIRED_ZERO_SEEN | waking   | SCALE_OUT
"""

# docs/decisions/0003-phase-table.md: what one machine adds.
ONE_MACHINE = """
awake    | SLEEP_ASKED       | draining | NONE
waking   | SLEEP_ASKED       | stopping | ABANDON
waking   | FOUND_DEAD        | asleep   | NONE
awake    | FOUND_DEAD        | asleep   | NONE
draining | FOUND_DEAD        | asleep   | NONE
draining | TARGETS_LOST      | stopping | SCALE_TO_ZERO
"""


def rows(table: str) -> dict[tuple[Phase, Event], tuple[Phase, Action]]:
    """Read a table."""
    lines = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return {(Phase(start), Event[event]): (Phase(to), Action[action]) for start, event, to, action in lines}


def reachable(start: Phase) -> set[Phase]:
    """Return every phase that some events lead to."""
    found, new = {start}, {start}
    while new:
        new = {row.to for (phase, _), row in NEXT.items() if phase in new} - found
        found |= new
    return found


def test_the_table_is_the_design_and_what_one_machine_adds() -> None:
    """The design is the contract: a row more, less or changed is a decision that somebody must write down."""
    assert {key: (row.to, row.action) for key, row in NEXT.items()} == rows(DESIGN) | rows(ONE_MACHINE)


@pytest.mark.parametrize(("phase", "event"), sorted(NEXT))
def test_an_event_leads_where_its_row_says(phase: Phase, event: Event) -> None:
    """`after` is the only way to a new phase."""
    assert after(phase, event) is NEXT[phase, event]


@pytest.mark.parametrize("phase", Phase)
def test_an_event_without_a_row_is_a_bug_that_says_so(phase: Phase) -> None:
    """A silent no-op would hide that two flows disagree about the phase."""
    for event in Event:
        if (phase, event) not in NEXT:
            with pytest.raises(AssertionError, match=f"while {phase}"):
                after(phase, event)


def test_a_sleeping_service_can_reach_every_phase() -> None:
    """A phase that nothing leads to is dead code with a name."""
    assert reachable(Phase.ASLEEP) == set(Phase)


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_can_come_back_to_sleep(phase: Phase) -> None:
    """Zero means zero: there is no phase that a service cannot leave."""
    assert Phase.ASLEEP in reachable(phase)


def test_asleep_is_only_entered_when_nothing_can_follow() -> None:
    """A late stop must not overtake the next wake: the call was acknowledged, or there is nothing left to stop."""
    events = {event for (_, event), row in NEXT.items() if row.to is Phase.ASLEEP}
    assert events == {Event.STOP_ACKNOWLEDGED, Event.FOUND_DEAD}


def test_every_event_and_action_is_used() -> None:
    """The words of the table are those of the program."""
    assert {event for _, event in NEXT} == set(Event)
    assert {row.action for row in NEXT.values()} == set(Action)

"""Which target a request goes to: its session's, else the least busy; none that is full."""

from collections import Counter
from dataclasses import replace

import pytest
from tests.simulated.world import SPEC, Client, World

from wakegate.local.lane import Target
from wakegate.local.request.choose import choose, room
from wakegate.sim.clock import run

SESSIONS = [f"session-{number:03d}" for number in range(300)]


def targets(*in_flight: int) -> list[Target]:
    """Return targets that are so busy."""
    made = [Target(number=number, host="127.0.0.1", port=8000 + number) for number in range(len(in_flight))]
    for target, busy in zip(made, in_flight, strict=True):
        target.in_flight = target.unanswered = busy
    return made


def pick(among: list[Target], *session_ids: str | None) -> list[int]:
    """Return the numbers of the targets that these get."""

    async def main() -> list[int]:
        world = World()
        return [choose(Client(world, session_id=one), among).number for one in session_ids]

    return run(main())


def test_without_a_session_the_least_busy_target_is_taken() -> None:
    """A slow request must not have others queue behind it while a replica is free."""
    assert pick(targets(3, 1, 2), None) == [1]
    assert pick(targets(0, 0), None) == [0]


def test_a_session_comes_back_to_its_target_however_busy() -> None:
    """Apps keep things in memory."""
    before = pick(targets(0, 0, 0), *SESSIONS)
    assert pick(targets(9, 1, 5), *SESSIONS) == before
    assert pick(list(reversed(targets(0, 0, 0))), *SESSIONS) == before
    assert min(Counter(before).values()) > len(SESSIONS) / 6  # spread over all


def test_when_a_target_goes_only_its_sessions_move() -> None:
    """Scaling in must not log everybody out."""
    three = targets(0, 0, 0)
    before = pick(three, *SESSIONS)
    after = pick(three[:2], *SESSIONS)
    assert [new for old, new in zip(before, after, strict=True) if old != 2] == [old for old in before if old != 2]


def test_the_only_target_is_everybodys() -> None:
    """One replica is the usual case."""
    assert pick(targets(9), None, *SESSIONS[:3]) == [0] * 4


@pytest.mark.parametrize(
    ("concurrency_max", "herd_max", "free"), [(0, 64, [0, 1, 2]), (2, 64, [0]), (0, 2, [0]), (3, 3, [0, 1])]
)
def test_a_full_target_gets_no_more(concurrency_max: int, herd_max: int, free: list[int]) -> None:
    """By what the app can do at once, and by what a fresh one can be asked before its first answer."""
    spec = replace(
        SPEC,
        scale=replace(SPEC.scale, concurrency_max=concurrency_max),
        hold=replace(SPEC.hold, target_connections_max=herd_max),
    )
    assert [target.number for target in room(spec, targets(1, 2, 3))] == free


def test_an_answered_request_is_busy_but_no_herd() -> None:
    """Long downloads must not keep others out for their number alone."""
    spec = replace(SPEC, hold=replace(SPEC.hold, target_connections_max=2))
    busy = targets(50)
    busy[0].unanswered = 1
    assert room(spec, busy) == busy

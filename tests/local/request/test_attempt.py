"""One wake in the ledger: every request that it held has exactly one ending, and how long it took is learnt."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulated.world import Client, World

from wakegate.core.errors import WakeFailedError
from wakegate.core.ledger import WakeLine
from wakegate.local.member import Steps
from wakegate.local.request.attempt import Attempt, History
from wakegate.sim.clock import STARTED_AT, run
from wakegate.sim.store import SimStore

STEPS = st.tuples(st.integers(0, 4), st.sampled_from(("held", "gone", "refused", "served", "hand over", "settle")))


def line(**facts: Any) -> WakeLine:
    """Return a line of the ledger."""
    fields: dict[str, Any] = {"id": "1", "service": "web", "at": STARTED_AT, "cause": "GET /"}
    return WakeLine(**(fields | facts))


def begin(written: dict[str, WakeLine], *, id: str = "1") -> Attempt:  # noqa: A002  the ledger's own name
    """Begin an attempt that writes into this ledger."""

    def write(new: WakeLine) -> None:
        written[new.id] = new

    return Attempt(line(id=id), began_s=0.0, is_visit=True, write=write)


def crowd(count: int) -> list[Client]:
    """Return some who could wait."""

    async def main() -> list[Client]:
        world = World()
        return [Client(world) for _ in range(count)]

    return run(main())


CROWD = crowd(5)


def error() -> WakeFailedError:
    """Make the error of a failed wake."""
    return WakeFailedError("web", "it broke", retry_after_s=1.0)


def test_each_ending_is_counted_once() -> None:
    """`held = served + refused + gone`, and what is left over would be a lost request."""
    written: dict[str, WakeLine] = {}
    attempt = begin(written)
    for waiter in (people := crowd(4)):
        attempt.held(waiter)
        attempt.held(waiter)
    attempt.gone(people[0])
    attempt.refused(people[1])
    attempt.settle(outcome="ready")
    attempt.served(people[2])
    attempt.served(people[2])
    attempt.gone(people[2])
    assert (attempt.line.open, attempt.line.lost) == (1, 0)
    attempt.served(people[3])
    assert written["1"] == line(outcome="ready", held=4, served=2, refused=1, gone=1)


def test_who_has_no_ending_when_nothing_is_in_flight_is_lost() -> None:
    """The ledger's promise is that this is 0: it must be able to say otherwise."""
    written: dict[str, WakeLine] = {}
    attempt = begin(written)
    attempt.held(crowd(1)[0])
    attempt.settle(outcome="ready")
    assert (written["1"].open, written["1"].lost) == (1, 0)
    attempt.close()
    assert (written["1"].open, written["1"].lost) == (0, 1)


def test_the_line_is_written_at_its_beginning() -> None:
    """A gateway that is killed while it wakes leaves a trace of why."""
    written: dict[str, WakeLine] = {}
    begin(written)
    assert written["1"].outcome == "waking"


def test_who_was_not_held_is_not_counted() -> None:
    """A warm request that ends while others wait is none of theirs."""
    attempt = begin({})
    attempt.served(crowd(1)[0])
    assert attempt.line == line()


@given(st.lists(STEPS, max_size=30))
@settings(deadline=None)
def test_nobody_is_lost_between_two_wakes(steps: list[tuple[int, str]]) -> None:
    """Whoever is still waiting when a replica dies is answered by the next wake, and counted there alone."""
    written: dict[str, WakeLine] = {}
    attempt = begin(written, id="0")
    attempts = [attempt]
    for who, what in steps:
        if what == "settle":
            attempt.settle(outcome="ready")
        elif what == "hand over":
            later = begin(written, id=str(len(attempts)))
            attempt.hand_over(later)
            attempts.append(attempt := later)
        else:
            getattr(attempt, what)(CROWD[who])
    assert not any(one.waiting for one in attempts[:-1])
    assert [one.line.open for one in attempts] == [0] * (len(attempts) - 1) + [len(attempt.waiting)]
    for waiter in CROWD:
        attempt.gone(waiter)
    attempt.settle()
    assert all(one.lost == 0 for one in written.values())


def test_each_who_waits_for_a_failed_wake_gets_an_error_of_its_own() -> None:
    """One instance raised twice mixes the traces of two."""

    async def main() -> None:
        attempt = begin({})
        errors = [asyncio.create_task(attempt.ready()) for _ in range(2)]
        await asyncio.sleep(0)
        attempt.settle(error=error, outcome="failed")
        first, second = await asyncio.gather(*errors, return_exceptions=True)
        assert isinstance(first, WakeFailedError)
        assert isinstance(second, WakeFailedError)
        assert first is not second
        with pytest.raises(WakeFailedError):
            await attempt.ready()

    run(main())


def test_who_waits_for_a_good_wake_goes_on() -> None:
    """Also one that comes late."""

    async def main() -> None:
        attempt = begin({})
        attempt.settle(outcome="ready")
        await attempt.ready()

    run(main())


def test_the_first_replica_says_where_the_time_went() -> None:
    """A later one was not waited for."""
    written: dict[str, WakeLine] = {}
    attempt = begin(written)
    attempt.started(Steps(start_s=0.1, listen_s=0.4, settle_s=0.0))
    attempt.started(Steps(start_s=5.0, listen_s=5.0, settle_s=5.0))
    assert written["1"] == line(start_s=0.1, listen_s=0.4, settle_s=0.0)


def test_what_is_usual_is_learnt_from_good_wakes_over_restarts() -> None:
    """A failed one says nothing of how long a visitor will wait, and a resumed one nothing of a start."""
    store = SimStore()
    for number, (outcome, seconds) in enumerate((("ready", 2.0), ("failed", 90.0), ("resumed", 0.003), ("ready", 4.0))):
        at = STARTED_AT + timedelta(minutes=number)
        store.write_wake(line(id=str(number), at=at, outcome=outcome, duration_s=seconds))
    history = History(store.wakes("web", limit=9), outcome="ready")
    assert history.usual_s == 3.0
    assert history.remaining_s(elapsed_s=1.0, timeout_s=180.0) == 3.0
    history.add(10.0)
    assert history.usual_s == 4.0
    assert History(store.wakes("web", limit=9), outcome="resumed").usual_s == 0.003


def test_before_the_first_wake_nothing_is_usual() -> None:
    """Nobody is told a number that was made up."""
    assert History((), outcome="ready").usual_s is None


def test_the_newest_wakes_are_remembered() -> None:
    """An app that has become slow is slow now, not on average over its life."""
    history = History((), outcome="ready")
    for seconds in (1.0,) * 60 + (9.0,) * 60:
        history.add(seconds)
    assert history.usual_s == 9.0

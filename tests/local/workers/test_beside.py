"""The crew as one service sees it: sums over all workers, also over those that are gone."""

import time

from tests.local.workers.world import Home, cold, warm

from wakegate.local.lane import Target
from wakegate.local.workers.beside import Beside
from wakegate.local.workers.board import Board
from wakegate.local.workers.hand import Hand


class Place:
    """Two workers, and a service with row 1."""

    def __init__(self) -> None:
        board = Board.make()
        self.rows = [board.slot(number).row(1) for number in (1, 2)]
        self.hands = [
            Hand(number, slot=board.slot(number), home=lambda _: Home(), tell=print, leaves=print, now_s=time.monotonic)
            for number in (1, 2)
        ]
        self.beside = Beside("web", row=1, hands=lambda: self.hands)

    def serve(self, row: int, *, arrived_s: float, took_s: float) -> None:
        """Let one worker serve a request."""
        self.rows[row].began(arrived_s)
        self.rows[row].ended(arrived_s, now_s=arrived_s + took_s)


def test_what_all_of_them_have_let_in_is_counted() -> None:
    """The scale and the sleep are decided by the sum."""
    place = Place()
    place.rows[0].began(5.0)
    place.rows[1].began(7.0)
    place.serve(1, arrived_s=8.0, took_s=0.5)
    beside = place.beside
    assert (beside.in_flight(), beside.requests(), beside.touched_s()) == (2, 3, 8.5)


def test_the_newest_request_of_all_is_named() -> None:
    """`explain` says what keeps it awake."""
    place = Place()
    for row, name in ((0, "GET /a"), (1, "GET /b")):
        place.serve(row, arrived_s=row + 1.0, took_s=0.1)
        place.rows[row].note(name)
    assert place.beside.last() == "GET /b"


def test_durations_begin_anew_with_a_wake() -> None:
    """The p99 of a service that was slow yesterday says nothing of today."""
    place = Place()
    place.serve(0, arrived_s=1.0, took_s=9.0)
    place.beside.woke()
    assert list(place.beside.durations()) == []
    place.serve(0, arrived_s=20.0, took_s=0.5)
    place.serve(1, arrived_s=20.0, took_s=0.25)
    assert sorted(place.beside.durations()) == [0.25, 0.5]


def test_of_a_worker_that_is_gone_what_it_has_served_still_counts() -> None:
    """What it had in flight has ended, at this moment."""
    place = Place()
    place.serve(0, arrived_s=1.0, took_s=1.0)
    place.rows[0].began(3.0)
    place.beside.bury(place.hands.pop(0), now_s=9.0)
    beside = place.beside
    assert (beside.in_flight(), beside.requests(), beside.touched_s()) == (0, 2, 9.0)
    assert (place.rows[0].in_flight, place.rows[0].touched_s) == (0, 0.0)  # for the worker that takes its place


def test_a_service_that_comes_back_begins_with_no_requests() -> None:
    """Its row is the same, and what was counted there was of the one before it."""
    place = Place()
    place.serve(0, arrived_s=1.0, took_s=1.0)
    again = Beside("web", row=1, hands=lambda: place.hands)
    assert again.requests() == 0
    place.serve(0, arrived_s=2.0, took_s=1.0)
    assert again.requests() == 1


def test_an_outlook_is_told_only_when_it_is_news() -> None:
    """A service looks at itself with every change of anything."""
    place, target = Place(), Target(number=1, host="127.0.0.1", port=1)
    for outlook in (warm(target), warm(target), cold(target), cold(target)):
        place.beside.publish(outlook)
    assert place.beside.epoch == 2

"""A service as the requests of a worker meet it: what is warm goes ahead on its own, all else is asked for."""

from typing import Any

import pytest
from tests.local.workers.world import Request, address_of, cold, eventually, spec, warm

from wakegate.core.errors import WakeFailedError
from wakegate.core.phase import Phase
from wakegate.core.record import Failure
from wakegate.core.spec import HoldSpec, IgnoreSpec, SessionSpec, WakeSpec
from wakegate.local.clock import SystemClock
from wakegate.local.elsewhere import Outlook
from wakegate.local.lane import Target
from wakegate.local.workers.asks import Asks
from wakegate.local.workers.board import Board
from wakegate.local.workers.outpost import Outpost
from wakegate.local.workers.shared_book import SharedBook
from wakegate.local.workers.wire import (
    Answered,
    Ask,
    Comfort,
    Emptied,
    Finished,
    Keep,
    Leave,
    Release,
    Retry,
    Unreachable,
    refusal,
)
from wakegate.sim.store import SimStore

pytestmark = pytest.mark.anyio


class Place:
    """One service of a worker, and what is said to its keeper, who is there unless `is_away`."""

    def __init__(self, *, is_away: bool = False, **changes: Any) -> None:
        self.sent: list[Any] = []
        self.row = Board.make().slot(0).row(0)
        self.asks = Asks(self.sent.append)
        service, clock = spec(**changes), SystemClock()
        book = SharedBook(
            SessionSpec(), board=Board.make(), service="web", path="/", store=SimStore(), clock=clock, warn=print
        )
        self.lane = Outpost(service, row=self.row, book=book, asks=self.asks, send=self.sent.append, clock=clock)
        self.target = Target(number=1, host="127.0.0.1", port=4001)
        self.lane.look(cold())
        if not is_away:
            self.asks.resume()

    def mine(self) -> Target:
        """Return the target as this worker has it."""
        return self.lane.target(address_of(self.target))

    def end(self, target: Target, request: Request) -> None:
        """Serve a request that was let in."""
        self.lane.answered(target, request)
        self.lane.finished(target, request)

    def released(self, *, was_held: bool = True) -> Request:
        """Ask about a request, and let it go."""
        request = Request()
        assert self.lane.admit(request) is None
        number = self.sent[-1].number
        self.asks.hear(Release(number=number, address=address_of(self.target), was_held=was_held))
        return request


def test_a_warm_request_goes_ahead_without_a_word() -> None:
    """It is on the board, which is memory: no message, no system call."""
    place = Place()
    place.lane.look(warm(place.target))
    request = Request()
    target = place.lane.admit(request)
    assert target is place.mine()
    assert (place.row.in_flight, place.row.requests, place.row.touched_s) == (1, 1, request.arrived_s)
    place.end(target, request)
    assert (place.row.in_flight, target.in_flight, place.sent) == (0, 0, [])
    assert place.row.touched_s > request.arrived_s


def test_warm_requests_go_where_least_is_in_flight() -> None:
    """And sessions where they went before."""
    place, other = Place(), Target(number=2, host="127.0.0.1", port=4002)
    place.lane.look(warm(place.target, other))
    given = [place.lane.admit(Request()) for _ in range(4)]
    assert [target.port for target in given if target is not None] == [4001, 4002, 4001, 4002]
    visits = []
    for _ in range(3):
        request = Request()
        request.session_id = "a-session"
        visits.append(place.lane.admit(request))
    assert len(set(visits)) == 1


def test_what_is_not_warm_is_asked_for_and_counted_by_the_keeper() -> None:
    """Once each for its answer and its end."""
    place = Place()
    request = place.released()
    (asked,) = place.sent
    assert isinstance(asked, Ask)
    assert (asked.service, asked.method, asked.path, asked.agent) == ("web", "GET", "/a", "curl/8")
    assert (request.endings, place.row.in_flight) == (["held"], 0)
    assert request.target is not None
    place.end(request.target, request)
    assert place.sent[1:] == [Answered(number=asked.number), Finished(number=asked.number)]


def test_an_ignored_request_is_asked_for_though_the_service_is_warm() -> None:
    """Only the keeper may say what becomes of it, and it must not count as activity."""
    place = Place(ignore=IgnoreSpec(paths=("/healthz",)))
    place.lane.look(warm(place.target))
    assert place.lane.admit(Request("/healthz")) is None
    assert place.lane.admit(Request("/a")) is not None
    assert (len(place.sent), place.row.requests) == (1, 1)


def test_after_a_look_nothing_more_goes_ahead() -> None:
    """The acknowledgement would be a lie."""
    place = Place()
    place.lane.look(warm(place.target))
    place.lane.look(cold(place.target, phase=Phase.DRAINING))
    assert place.lane.admit(Request()) is None
    assert place.row.in_flight == 0


def test_a_target_that_is_shut_is_reported_when_its_last_request_has_ended() -> None:
    """The replica is stopped by that."""
    place, request = Place(), Request()
    place.lane.look(warm(place.target))
    target = place.lane.admit(request)
    assert target is not None
    assert place.lane.look(cold()) == {place.target.serial: 1}
    assert target.shut
    place.end(target, request)
    assert place.sent == [Emptied(serial=place.target.serial)]
    assert place.lane.look(cold()) == {}


def test_a_target_that_is_offered_again_is_the_same_one() -> None:
    """Its requests are still there, and its connections can be used again."""
    place, request = Place(), Request()
    place.lane.look(warm(place.target))
    target = place.lane.admit(request)
    assert target is not None
    place.lane.look(cold())
    assert place.lane.look(warm(place.target)) == {}
    assert (place.mine() is target, target.shut) == (True, False)
    place.end(target, request)
    assert place.sent == []


def test_a_closed_port_is_a_suspect_and_the_request_is_the_keepers() -> None:
    """It waits there, and is not counted twice."""
    place, request = Place(), Request()
    place.lane.look(warm(place.target))
    target = place.lane.admit(request)
    assert target is not None
    place.lane.unreachable(target, request, "refused")
    (asked,) = place.sent
    assert (asked.suspect, asked.reason) == (place.target.serial, "refused")
    assert (place.row.in_flight, place.row.requests, target.in_flight) == (0, 0, 0)


def test_a_released_request_that_meets_a_closed_port_waits_again() -> None:
    """As the same one, so that it is first in line."""
    place = Place()
    request = place.released()
    assert request.target is not None
    place.lane.unreachable(request.target, request, "refused")
    assert place.sent[1:] == [Unreachable(number=place.sent[0].number, reason="refused")]
    place.asks.hear(Release(number=place.sent[0].number, address=address_of(place.target), was_held=True))
    assert request.endings == ["held", "held"]


def test_a_client_that_hangs_up_is_told_and_its_release_comes_too_late() -> None:
    """Both may be on the way at once."""
    place, request = Place(), Request()
    place.lane.admit(request)
    place.lane.leave(request)
    number = place.sent[0].number
    assert place.sent[1:] == [Leave(number=number)]
    place.asks.hear(Release(number=number, address=address_of(place.target), was_held=True))
    assert request.endings == []


def test_a_refusal_and_signs_of_life_reach_the_one_who_asked() -> None:
    """With the keeper's own words."""
    place, request = Place(), Request()
    place.lane.admit(request)
    number = place.sent[0].number
    place.asks.hear(Comfort(number=number, is_interim=True))
    place.asks.hear(Comfort(number=number, is_interim=False))
    place.asks.hear(refusal(number, WakeFailedError("web", "it does not start", retry_after_s=3.0)))
    assert request.signs == ["interim", "comment"]
    assert request.endings == ["WakeFailedError: web: it does not start"]
    assert not place.asks.asked


async def test_without_a_keeper_what_it_counted_is_counted_here() -> None:
    """The next one reads it off the board; nothing is reported to nobody."""
    place = Place()
    request = place.released()
    place.asks.lose()
    assert (place.row.in_flight, request.target is not None and request.target.in_flight) == (1, 1)
    said = len(place.sent)
    assert request.target is not None
    place.end(request.target, request)
    assert (place.row.in_flight, len(place.sent)) == (0, said)


async def test_who_waits_is_asked_about_again_when_there_is_a_keeper() -> None:
    """Those who came first before those who came meanwhile; or they go ahead, where the service is warm by then."""
    place, first, second = Place(), Request("/1"), Request("/2")
    place.lane.admit(first)
    place.asks.lose()
    assert place.lane.admit(second) is None
    place.sent.clear()
    place.asks.resume()
    assert [asked.path for asked in place.sent] == ["/1", "/2"]
    place.asks.lose()
    place.lane.look(warm(place.target))
    place.asks.resume()
    assert first.endings == second.endings == ["held"]
    assert place.row.in_flight == 2


async def test_a_wait_for_the_next_keeper_is_bounded_in_number_and_time() -> None:
    """Nobody may ever come back."""
    place = Place(is_away=True, hold=HoldSpec(depth_max=1, timeout_s=0.01))
    one, request = Request(), Request()
    place.lane.admit(one)
    with pytest.raises(Exception, match="what wakes services here is being restarted"):
        place.lane.admit(request)
    await eventually(lambda: one.endings, "it is given up")
    assert one.endings == ["HoldTimeoutError: web: what wakes services here is being restarted"]
    assert not place.asks.asked


def test_another_keeper_counts_targets_by_other_serials() -> None:
    """What is open here stays open; what it does not know is shut."""
    place, request = Place(), Request()
    place.lane.look(warm(place.target))
    target = place.lane.admit(request)
    again = Target(number=1, host="127.0.0.1", port=4001)
    place.lane.rename(warm(again))
    place.lane.look(warm(again))
    assert place.lane.admit(Request()) is target
    place.lane.rename(cold())
    assert place.lane.look(cold()) == {-again.serial: 2}


def test_the_waiting_page_is_answered_from_what_is_known() -> None:
    """No message for each time that a browser asks how far it is."""
    place, clock = Place(wake=WakeSpec(backoff_min_s=60)), SystemClock()
    since_s = clock.now_s() - 2
    outlook = Outlook(
        is_warm=False, targets=(), phase=Phase.WAKING, waking_since_s=since_s, durations=(5.0,), failure=None
    )
    place.lane.look(outlook)
    told = place.lane.progress()
    assert (told.service, told.phase, told.usual_s) == ("web", Phase.WAKING, 5.0)
    assert told.elapsed_s >= 2
    assert not place.lane.retry()
    failure = Failure(reason="it does not start", count=1, at=clock.utc().replace(year=2020))
    place.lane.look(
        Outlook(is_warm=False, targets=(), phase=Phase.ASLEEP, waking_since_s=0.0, durations=(), failure=failure)
    )
    assert place.lane.progress().failure == "it does not start"
    assert place.lane.retry()
    place.lane.keep_awake(60, reason="the app asked for it")
    assert place.sent == [Retry(service="web"), Keep(service="web", seconds=60, reason="the app asked for it")]


def test_the_newest_request_is_noted_on_the_board() -> None:
    """Beside the requests, so that its name costs them nothing."""
    place = Place()
    place.lane.look(warm(place.target))
    place.lane.admit(Request("/1"))
    place.lane.admit(Request("/2"))
    place.lane.note()
    assert place.row.last == "GET /2 from curl/8"

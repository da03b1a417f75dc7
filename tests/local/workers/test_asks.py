"""What a worker has asked the keeper: nothing is left over of a request that has ended, however it did."""

import pytest
from tests.local.workers.test_outpost import Place
from tests.local.workers.world import Request, address_of, cold, warm

from wakegate.core.errors import StoppingError
from wakegate.core.spec import HoldSpec
from wakegate.local.workers.wire import Release

pytestmark = pytest.mark.anyio


async def test_nothing_is_left_of_requests_that_have_ended() -> None:
    """By their answer, by their client, or by a keeper that is gone."""
    place = Place()
    served, gone, kept = place.released(), Request(), place.released()
    place.lane.admit(gone)
    assert served.target is not None
    place.end(served.target, served)
    place.lane.leave(gone)
    assert set(place.asks.asked) == {kept}
    place.asks.lose()
    assert not place.asks.asked
    assert kept.target is not None
    place.end(kept.target, kept)
    assert (place.row.in_flight, kept.target.in_flight) == (0, 0)


async def test_a_suspect_of_another_keeper_is_not_named_to_the_next() -> None:
    """Its serials are other ones: a replica that is well would be doubted."""
    place, request = Place(), Request()
    place.lane.admit(request)
    place.asks.hear(Release(number=place.sent[0].number, address=address_of(place.target), was_held=True))
    assert request.target is not None
    place.lane.unreachable(request.target, request, "refused")
    place.asks.lose()
    place.asks.resume()
    assert (place.sent[-1].number, place.sent[-1].suspect) == (place.sent[0].number, None)


@pytest.mark.parametrize("is_first", ["the keeper", "the signal"])
async def test_one_that_is_to_end_waits_for_no_other_keeper(is_first: str) -> None:
    """Its sockets are another's already: a wait would have no end but the client's patience."""
    place, held, late = Place(), Request(), Request()
    place.lane.admit(held)
    steps = [place.asks.lose, place.asks.end]
    for step in steps if is_first == "the keeper" else reversed(steps):
        step()
    assert held.endings == ["StoppingError: web: what wakes services here is gone"]
    assert not place.asks.asked
    with pytest.raises(StoppingError):
        place.lane.admit(late)


async def test_one_that_is_to_end_asks_its_keeper_for_as_long_as_there_is_one() -> None:
    """An operator has told it to end, but nobody has told the keeper not to answer."""
    place, held = Place(), Request()
    place.asks.end()
    place.lane.admit(held)
    place.asks.hear(Release(number=place.sent[0].number, address=address_of(place.target), was_held=True))
    assert held.target is not None


@pytest.mark.parametrize("is_ending", [False, True])
async def test_one_whose_app_has_gone_while_nobody_can_be_asked_gets_an_answer(is_ending: bool) -> None:
    """The line is full, or the worker is to end: nobody would end its wait."""
    place, request = Place(hold=HoldSpec(depth_max=1)), Request()
    place.lane.look(warm(place.target))
    target = place.lane.admit(request)
    assert target is not None
    place.asks.lose()
    if is_ending:
        place.asks.end()
    else:
        place.lane.look(cold())
        place.lane.admit(Request())
    place.lane.unreachable(target, request, "refused")
    assert request.endings == [
        "StoppingError: web: what wakes services here is gone"
        if is_ending
        else "HoldFullError: web: what wakes services here is being restarted"
    ]

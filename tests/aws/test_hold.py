"""How long a request waits, how often it looks, and where it goes on waiting."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urljoin

import pytest
from tests.aws.actor import act
from tests.simulated.aws.clients import make_event
from tests.simulated.aws.world import SETTINGS, World

from wakegate.aws.hold import FORWARD_MIN_S, PAUSE_MAX_S, PAUSE_MIN_S, Hold, split_hop
from wakegate.aws.payload import read
from wakegate.core.errors import HoldTimeoutError, StillWakingError
from wakegate.core.ledger import WakeLine
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord

IN_503 = replace(SETTINGS, on_long_wait="503")


def hold(
    world: World,
    *,
    hops: int = 0,
    left_s: float = 180.0,
    is_page: bool = False,
    is_url: bool = False,
    path: str = "/",
    query: str = "",
    method: str = "GET",
) -> Hold:
    """Return the wait of a request that arrives now."""
    event = make_event(path, is_page=is_page, is_url=is_url, query=query, method=method)
    return Hold(
        read(event),
        hops=hops,
        cloud=world.cloud,
        settings=world.settings,
        arrived_at=world.hub.now(),
        left_s=left_s,
    )


def waking(world: World) -> ServiceRecord:
    """Return the record of a wake that begins now."""
    now = world.hub.now()
    wake_by = now + timedelta(seconds=SETTINGS.spec.wake.timeout_s)
    return ServiceRecord(name="web", version=1, phase=Phase.WAKING, since=now, last_active_at=now, wake_by=wake_by)


def check(world: World, one: Hold, record: ServiceRecord, *, is_owner: bool = False) -> None:
    """Ask whether it may go on waiting."""
    act(world, lambda: one.check(record, is_owner=is_owner))


def known(world: World, *durations: float) -> World:
    """Let wakes have taken so long."""
    for seconds in durations:
        line = WakeLine(id="w", service="web", at=world.hub.now(), cause="GET /", outcome="ready", duration_s=seconds)
        act(world, lambda: world.table.add_wake(line))  # noqa: B023  called at once
    return world


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ("", 0)),
        ("a=1&b=2", ("a=1&b=2", 0)),
        ("wakegate-hop=3", ("", 3)),
        ("a=1&wakegate-hop=3&b=%20", ("a=1&b=%20", 3)),
        ("wakegate-hop=x&a=1", ("a=1", 0)),
        ("wakegate-hop=99999&a", ("a", 0)),
        ("x-wakegate-hop=1", ("x-wakegate-hop=1", 0)),
    ],
)
def test_the_hop_counter_is_taken_off_the_query(query: str, expected: tuple[str, int]) -> None:
    """The app must not see it, and the rest stays as it was sent."""
    assert split_hop(query) == expected


def test_an_http_api_is_answered_before_it_gives_up() -> None:
    """After 30 s it says 503 without a word, whatever is returned then."""
    world = World(0)
    one, record = hold(world), waking(world)
    world.hub.run(26.5)
    check(world, one, record)
    world.hub.run(27.5)
    with pytest.raises(HoldTimeoutError):
        check(world, one, record)


def test_a_function_url_holds_for_the_whole_wake() -> None:
    """Its client sees one long request instead of seven hops."""
    world = World(0)
    one, record = hold(world, is_url=True), waking(world)
    world.hub.run(170)
    check(world, one, record)


def test_nobody_waits_longer_than_the_function_may_run() -> None:
    """An invocation that is cut off answers nothing."""
    assert hold(World(0), left_s=12.0).limit_s == 9.0


def test_the_hops_together_wait_as_long_as_a_wake_may_take() -> None:
    """Then the client is told, instead of being sent round for ever."""
    world = World(0)
    assert hold(world, hops=6).limit_s == pytest.approx(180 - 6 * 27)
    assert hold(world, hops=5).come_back() == "/prod/?wakegate-hop=6"
    assert hold(world, hops=6).come_back() is None
    assert hold(world, hops=999).limit_s == 0


def test_who_comes_back_asks_for_the_same() -> None:
    """Path and query as they were sent."""
    assert hold(World(0), path="/a b", query="q=1&r=%2F").come_back() == "/prod/a%20b?q=1&r=%2F&wakegate-hop=1"


@pytest.mark.parametrize("path", ["//example.org/x", "/\\example.org"])
def test_nobody_is_sent_to_another_host(path: str) -> None:
    """A path that begins with two slashes is a host to a client that follows it."""
    event, world = make_event(), World(0)
    event["rawPath"], event["requestContext"]["stage"] = path, "$default"
    one = Hold(read(event), hops=0, cloud=world.cloud, settings=world.settings, arrived_at=world.hub.now(), left_s=180)
    assert urljoin("https://ours/", one.come_back() or "").startswith("https://ours/")
    assert not (one.come_back() or "").startswith(("//", "/\\"))


def test_a_preflight_is_not_redirected() -> None:
    """Browsers follow no redirect of it."""
    event = make_event(method="OPTIONS")
    event["headers"]["access-control-request-method"] = "POST"
    world = World(0)
    one = Hold(read(event), hops=0, cloud=world.cloud, settings=world.settings, arrived_at=world.hub.now(), left_s=180)
    assert one.come_back() is None


def test_a_browser_sees_the_page_at_once_where_the_wake_takes_long() -> None:
    """A tab that spins for half a minute looks broken."""
    world = known(World(0), 40.0)
    with pytest.raises(StillWakingError) as caught:
        check(world, hold(world, is_page=True), waking(world))
    assert caught.value.retry_after_s == pytest.approx(40, abs=1)


def test_a_browser_is_held_where_the_wake_is_quick() -> None:
    """No page that flashes up and goes."""
    world = known(World(0), 1.0)
    check(world, hold(world, is_page=True), waking(world))


def test_without_hops_who_cannot_be_served_in_time_is_told_at_once() -> None:
    """It would occupy an environment for nothing; the wake's owner stays, as somebody must."""
    world = known(World(0, settings=IN_503), 60.0)
    record = waking(world)
    with pytest.raises(HoldTimeoutError) as caught:
        check(world, hold(world), record)
    assert caught.value.retry_after_s == pytest.approx(60, abs=1)
    check(world, hold(world), record, is_owner=True)
    assert hold(world).come_back() is None


def test_the_app_gets_time_to_answer() -> None:
    """What would be cut off after some seconds comes back instead: nothing of it has reached the app."""
    world = World(0)
    one = hold(world)
    one.check_time_to_forward("web")
    world.hub.run(29.0 - FORWARD_MIN_S + 0.5)
    with pytest.raises(HoldTimeoutError):
        one.check_time_to_forward("web")


def test_who_watches_looks_seldom_at_first_and_often_when_it_is_due() -> None:
    """500 of them must not throttle the table, and the last second counts."""
    world = known(World(0), 20.0)
    one, record = hold(world), waking(world)
    act(world, lambda: one.durations)
    assert one.pause_s(record, is_owner=False, jitter=0.5) == PAUSE_MAX_S
    world.hub.run(19.5)
    assert one.pause_s(record, is_owner=False, jitter=0.5) == PAUSE_MIN_S


def test_nobody_sleeps_past_its_limit() -> None:
    """Else the answer would come after the front gave up."""
    world = World(0)
    one, record = hold(world), waking(world)
    act(world, lambda: one.durations)
    world.hub.run(26.9)
    assert one.pause_s(record, is_owner=True, jitter=0.5) == pytest.approx(0.1)

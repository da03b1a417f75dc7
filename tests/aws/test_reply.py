"""What the function answers itself: the waiting page, and what it asks."""

import json
from dataclasses import replace
from typing import Any, NoReturn

from tests.aws.actor import act, ask
from tests.simulated.aws.clients import make_event
from tests.simulated.aws.world import SETTINGS, World

from wakegate.aws.cloud import UnknownOutcomeError
from wakegate.core.ledger import WakeLine
from wakegate.core.phase import Phase
from wakegate.sim.cloud_ecs import Luck

READY = Luck(ready_s=(10.0, 10.0))
NEVER = Luck(never_ready=1.0)


def status(world: World) -> dict[str, Any]:
    """Ask as the page does."""
    return dict(json.loads(ask(world, make_event("/.wakegate/status", query="path=%2F"))["body"]))


def failed(world: World) -> None:
    """Let a wake fail, watched by a page only."""
    ask(world, make_event(is_page=True))
    while world.phase() is not Phase.ASLEEP:
        world.hub.run(world.hub.now_s + 2)
        status(world)


def test_a_browser_gets_the_waiting_page() -> None:
    """With its own address and the stage before it, below which its script has to ask."""
    answer = ask(World(0), make_event("/shop", is_page=True))
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert 'data-face="waking" data-path="/shop" data-prefix="/prod"' in answer["body"]
    assert "Retry-After" in answer["headers"]
    assert "not known yet" in answer["body"]


def test_the_page_says_how_long_a_wake_usually_takes() -> None:
    """From the second wake on it is known."""
    world = World(0)
    line = WakeLine(id="1", service="web", at=world.hub.now(), cause="GET /", outcome="ready", duration_s=12.0)
    act(world, lambda: world.table.add_wake(line))
    assert "This usually takes about 12 seconds" in ask(world, make_event(is_page=True))["body"]


def test_a_preflight_wakes_nothing_where_the_front_answers_for_other_origins() -> None:
    """It comes from anybody's page, without authorization; the front puts the headers on."""
    event = make_event(method="OPTIONS")
    event["headers"]["access-control-request-method"] = "POST"
    world = World(0)
    world.settings = replace(world.settings, has_cors=True)
    assert ask(world, event)["statusCode"] == 204
    assert world.phase() is Phase.ASLEEP


def test_a_look_that_is_lost_leaves_the_wake_to_the_next_one() -> None:
    """Rule 9 holds on the reserved paths, too: whoever is held would wait for a lease to run out."""
    world = World(0, luck=READY)
    ask(world, make_event(is_page=True))
    world.hub.run(3)
    seen = world.fleet.seen

    def lose() -> NoReturn:
        world.fleet.seen = seen  # type: ignore[method-assign]  # only this one
        raise UnknownOutcomeError("no answer")

    world.fleet.seen = lose  # type: ignore[method-assign]  # the next look only
    assert status(world)["state"] == "waking"
    assert world.fleet.seen == seen, "it was looked"
    assert world.table.record is not None
    assert world.table.record.owner == ""


def test_the_page_that_is_looked_at_moves_its_wake_on() -> None:
    """Nobody holds a request for it: without this the app would be ready, and only the next tick would see it."""
    world = World(0, luck=READY)
    ask(world, make_event(is_page=True))
    states = []
    for _ in range(20):
        states.append(status(world)["state"])
        world.hub.run(world.hub.now_s + 1)
    assert states[0] == "waking"
    assert states[-1] == "ready"
    assert len(world.fleet.scales) == 1


def test_the_page_touches_nothing() -> None:
    """A tab that is left open must not keep a service awake."""
    world = World(0, luck=READY)
    assert status(world)["state"] == "asleep"
    assert world.table.record is None
    assert world.table.written == []


def test_many_pages_make_one_look() -> None:
    """While one of them watches, the others only read the record."""
    world = World(0)
    ask(world, make_event(is_page=True))
    at_s = world.hub.now_s + 1
    for _ in range(50):
        world.hub.at(1.0, lambda: world.hub.spawn(lambda: world.request(make_event("/.wakegate/status"))))
    world.hub.run(at_s + 5)
    looks = [call for run in world.runs for call in run.calls].count("platform.look")
    assert looks <= 5


def test_a_page_leaves_the_wake_to_a_request_that_is_held() -> None:
    """Two who look at ECS see no more than one."""
    world = World(0)
    world.hub.spawn(lambda: world.request(make_event()))
    world.hub.run(5)
    assert world.table.record is not None
    assert world.table.record.owner
    assert status(world)["state"] == "waking"
    assert world.runs[-1].calls == ["table.load", "table.wakes"]


def test_a_failed_wake_is_shown_with_its_reason() -> None:
    """And with the time of the next try."""
    world = World(0, luck=NEVER)
    failed(world)
    said = status(world)
    assert said["state"] == "failed"
    assert said["reason"] == "not ready after 3m: 1 task started, the probe never passed"
    assert 0 < said["retry_after_s"] <= SETTINGS.spec.wake.backoff_min_s


def test_a_failed_wake_is_not_tried_at_every_request() -> None:
    """The verdict is kept: each try costs minutes of Fargate."""
    world = World(0, luck=NEVER)
    failed(world)
    scales = len(world.fleet.scales)
    answer = ask(world, make_event())
    assert answer["statusCode"] == 503
    assert json.loads(answer["body"])["type"] == "urn:wakegate:problem:wake-failed"
    assert len(world.fleet.scales) == scales


def test_try_now_forgets_the_backoff() -> None:
    """Whoever has just mended the image should not have to wait."""
    world = World(0, luck=NEVER)
    failed(world)
    retry = make_event("/.wakegate/retry", method="POST", query="path=%2F")
    retry["headers"]["sec-fetch-site"] = "same-origin"
    assert json.loads(ask(world, retry)["body"])["retried"] is False  # it was tried a moment ago
    world.hub.run(world.hub.now_s + 3)
    assert json.loads(ask(world, retry)["body"])["retried"] is True
    assert world.phase() is Phase.WAKING
    assert json.loads(ask(world, retry)["body"])["retried"] is False


def test_another_site_cannot_press_try_now() -> None:
    """Else any page could make the account pay."""
    retry = make_event("/.wakegate/retry", method="POST")
    retry["headers"]["sec-fetch-site"] = "cross-site"
    assert ask(World(0), retry)["statusCode"] == 403


def test_other_reserved_paths_do_not_reach_the_app() -> None:
    """They are ours, and say so."""
    assert ask(World(0), make_event("/.wakegate/other"))["statusCode"] == 404

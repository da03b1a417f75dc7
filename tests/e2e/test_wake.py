"""A request wakes it, once, however many come; it falls asleep by itself, and wakes with the session it had."""

from collections import Counter

import httpx
import pytest
from tests.account.sample.made import until
from tests.e2e.deployed import HELLO, IDLE_S, Deployed
from tests.e2e.visitors import PATIENCE_S, ask, herd

CONTROL_PLANE = ("ecs:", "ec2:", "events:")


def test_the_first_request_wakes_it_with_one_scale_call(deployed: Deployed) -> None:
    """What it is all for: nothing runs, and whoever asks gets the app's own answer."""
    assert (deployed.phase, deployed.desired, deployed.is_scheduled) == ("asleep", 0, False)
    response = ask(f"{deployed.url}/")
    assert (response.status_code, response.json()["path"]) == (200, "/")
    assert "wake;dur=" in response.headers["server-timing"]
    assert len(deployed.calls("ecs:UpdateService")) == 1
    assert (deployed.phase, deployed.desired, deployed.is_scheduled) == ("awake", 1, True)


def test_the_schedule_is_on_before_anything_is_started(deployed: Deployed) -> None:
    """Whatever dies then, there is something that puts the task to sleep again."""
    ask(f"{deployed.url}/")
    names = [call.name for call in deployed.calls(by="startup")]
    assert names.index("events:EnableRule") < names.index("ecs:UpdateService")


def test_warm_requests_ask_nothing_of_the_control_plane(deployed: Deployed) -> None:
    """A look-up for each request is what the guide's handler makes: slow, and throttled by ECS under load."""
    with httpx.Client(timeout=PATIENCE_S) as visitor:
        visitor.get(f"{deployed.url}/")
        until(lambda: not any(call.status == 0 for call in deployed.calls()))  # the events of the task's start
        visitor.get(f"{deployed.url}/")
        deployed.begin()
        assert Counter(visitor.get(f"{deployed.url}/").status_code for _ in range(50)) == {200: 50}
    calls = deployed.calls(by="startup")
    assert [call.name for call in calls if call.name.startswith(CONTROL_PLANE)] == []
    assert len(calls) <= 3  # a touch, and a look at the record when the route has become old, in a few seconds


@pytest.mark.timeout(240)
def test_five_hundred_first_requests_make_one_scale_call(deployed: Deployed) -> None:
    """A page with its pictures, a crawler, a campaign: each wants the same one task."""
    assert herd(deployed.url, 500) == {200: 500}
    assert len(deployed.calls("ecs:UpdateService")) == 1
    assert deployed.denied == []


def test_an_idle_service_drains_and_then_sleeps(deployed: Deployed) -> None:
    """Nothing runs, and once an hour somebody looks: zero is zero."""
    ask(f"{deployed.url}/")
    deployed.begin()
    deployed.pass_time(IDLE_S / 2)
    deployed.tick()
    assert (deployed.phase, deployed.calls("ecs:UpdateService")) == ("awake", [])
    deployed.pass_time(IDLE_S)
    deployed.drain()
    assert (deployed.phase, deployed.desired) == ("draining", 1)
    deployed.pass_time(9)
    deployed.tick()
    assert (deployed.phase, deployed.desired) == ("asleep", 0)
    deployed.pass_time(60)
    deployed.tick()
    assert not deployed.is_scheduled
    assert [call.parameters["desiredCount"] for call in deployed.calls("ecs:UpdateService")] == [0]
    until(lambda: deployed.account.fargate.running() == [])
    assert [one.rule for one in deployed.tick(60)] == ["container-cleanup-safety-net"]


def test_a_request_during_the_drain_cancels_the_sleep(deployed: Deployed) -> None:
    """Whoever comes in the last moment gets no cold start."""
    pid = ask(f"{deployed.url}/").json()["pid"]
    deployed.pass_time(IDLE_S + 20)
    deployed.drain()
    deployed.begin()
    assert ask(f"{deployed.url}/").json()["pid"] == pid
    assert (deployed.phase, deployed.calls("ecs:UpdateService")) == ("awake", [])


def test_the_second_wake_has_the_session_of_the_first(deployed: Deployed) -> None:
    """The app sleeps, what it knows of its visitor does not."""
    deployed.push(HELLO)
    with httpx.Client(timeout=PATIENCE_S) as visitor:
        assert "visit <b>1</b>" in visitor.get(f"{deployed.url}/").text
        assert "visit <b>2</b>" in visitor.get(f"{deployed.url}/").text
        session = visitor.cookies["uuid"].partition(".")[0]
        deployed.sleep()
        assert (deployed.phase, deployed.desired) == ("asleep", 0)
        assert "visit <b>3</b>" in visitor.get(f"{deployed.url}/").text
        assert visitor.cookies["uuid"].partition(".")[0] == session


def test_an_app_that_works_is_kept_awake(deployed: Deployed) -> None:
    """Background work after a 202 is what others kill."""
    ask(f"{deployed.url}/keep?s=3600")
    deployed.begin()
    deployed.pass_time(IDLE_S + 20)
    deployed.tick()
    assert (deployed.phase, deployed.calls("ecs:UpdateService")) == ("awake", [])
    deployed.pass_time(3600)
    deployed.sleep()
    assert deployed.desired == 0


def test_the_safety_net_finds_what_no_wake_has_armed(deployed: Deployed) -> None:
    """An operator scales by hand and forgets it: an hour later it is seen, and put to sleep when nobody comes."""
    where = {"cluster": deployed.outputs["Cluster"], "service": deployed.outputs["Service"]}
    deployed.account.client("ecs").update_service(**where, desiredCount=1)
    until(lambda: deployed.account.fargate.running() != [])
    deployed.account.client("events").disable_rule(Name=deployed.outputs["CleanupRule"])
    deployed.tick(60)
    assert deployed.is_scheduled
    deployed.sleep()
    assert (deployed.phase, deployed.desired) == ("asleep", 0)


def test_events_that_come_twice_change_nothing(deployed: Deployed) -> None:
    """EventBridge promises at least once."""
    deployed.account.schedule.deliver(copies=2, retries=0)
    ask(f"{deployed.url}/")
    deployed.begin()
    deployed.sleep()
    assert (deployed.phase, deployed.desired, deployed.is_scheduled) == ("asleep", 0, False)
    assert [call.parameters["desiredCount"] for call in deployed.calls("ecs:UpdateService")] == [0]

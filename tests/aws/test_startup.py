"""The startup function as its front sees it: warm, cold, and with everything that may be wrong.

Over 300 lines because the tables that lose and refuse, each for one test, stand beside the test that needs them.
"""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.aws.actor import ask
from tests.simulated.aws.clients import Client, make_event
from tests.simulated.aws.world import SETTINGS, World

from wakegate.aws.change import read_change
from wakegate.aws.cloud import RefusedError, UnknownOutcomeError
from wakegate.core.phase import Event, Phase
from wakegate.core.record import ServiceRecord
from wakegate.core.session import Session
from wakegate.sim.cloud_ecs import Luck
from wakegate.sim.cloud_table import SimTable

READY = Luck(ready_s=(10.0, 10.0))


def awake(*, tasks: int = 1, **world: Any) -> World:
    """Return a world whose service is awake, and has been asked once."""
    made = World(0, luck=READY, settings=replace(SETTINGS, replicas_on_wake=tasks), **world)
    made.start_schedule()
    made.hub.spawn(Client(made).run)
    made.hub.run(30)
    assert made.phase() is Phase.AWAKE
    if tasks > 1:
        made.hub.run(130)
        ask(made, make_event())
        made.hub.run(140)
    return made


def of(answer: dict[str, Any], name: str) -> str | None:
    """Return a header of an answer."""
    return {key.lower(): value for key, value in answer["headers"].items()}.get(name)


def test_a_warm_request_makes_no_call_but_that_of_the_app() -> None:
    """The number of issue 4: the hand-written one makes four calls to the control plane."""
    world = awake()
    ask(world, make_event())
    ask(world, make_event())
    assert world.runs[-1].calls == ["network.forward", "table.put_session"]


def test_a_visitor_with_a_cookie_and_nothing_new_makes_no_write() -> None:
    """Touches and counts are coalesced."""
    world = awake()
    event = make_event(cookie="x.y")
    ask(world, event)
    world.network.stores = False
    ask(world, event)
    assert world.runs[-1].calls == ["network.forward"]


def test_a_touch_is_written_once_an_interval() -> None:
    """A busy environment makes six writes a minute, not six thousand."""
    world = awake()
    before, began_s = len(world.table.written), world.hub.now_s
    for _ in range(50):
        ask(world, make_event())
        world.hub.run(world.hub.now_s + 0.5)
    assert len(world.table.written) - before <= 1 + (world.hub.now_s - began_s) / SETTINGS.coalesce_s


class DoubtfulTable(SimTable):
    """The first touch is written, and nobody hears of it."""

    doubts = 1

    def _touch(self, at: Any) -> ServiceRecord | None:
        if self.doubts:
            self.doubts -= 1
            raise UnknownOutcomeError("no answer")
        return super()._touch(at)


def test_a_touch_whose_outcome_is_not_known_is_written_again() -> None:
    """Rule 1: if it was not written, the service would be put to sleep under the request."""
    world = awake(table=DoubtfulTable)
    world.hub.run(world.hub.now_s + SETTINGS.coalesce_s + 1)
    ask(world, make_event())
    assert len(world.table.written) == 1
    assert world.runs[-1].calls.count("table.touch") == 2


def test_a_touch_of_one_environment_stands_for_those_that_read_it() -> None:
    """A herd that was held, or that comes to many new environments at once, writes one touch and not one each."""
    world = awake()
    world.hub.run(world.hub.now_s + SETTINGS.coalesce_s + 1)
    for _ in range(20):
        world.hub.spawn(lambda: world.request(make_event()))
        world.hub.run(world.hub.now_s + 0.005)  # each is still at work when the next one comes
    world.hub.run(world.hub.now_s + 1)
    assert len({run.environment for run in world.runs}) > 5
    assert len(world.table.written) < 5, "only those that looked before the first touch was written"


def test_each_change_of_phase_is_one_line_of_the_log_and_a_warm_request_none() -> None:
    """Whoever looks for why it woke last night finds it; whoever pays for logs does not pay for each request."""
    world = awake()
    changes = [read_change(line) for line in world.lines]
    assert [(one.before, one.to, one.event, one.reason) for one in changes if one] == [
        (Phase.ASLEEP, Phase.WAKING, Event.REQUEST_ARRIVED, "GET /"),
        (Phase.WAKING, Phase.AWAKE, Event.REPLICA_READY, "10.0.0.0:80"),
    ]
    slept, woke = changes
    assert slept is not None
    assert woke is not None
    assert (slept.version, slept.duration_s) == (1, None), "nobody knows since when it slept"
    assert woke.duration_s == pytest.approx(READY.ready_s[0], abs=8)
    for _ in range(5):
        ask(world, make_event())
    assert len(world.lines) == len(changes)


class RefusingTable(SimTable):
    """From some moment on AWS refuses what comes after an answer: a token has expired, a permission was taken."""

    refuses = ""

    def _touch(self, at: Any) -> ServiceRecord | None:
        self._refuse("touch")
        return super()._touch(at)

    def _put_session(self, session: Session, *, requests: int, with_data: bool) -> None:
        self._refuse("data" if with_data else "")
        super()._put_session(session, requests=requests, with_data=with_data)

    def _keep(self, until: Any, reason: str) -> None:
        self._refuse("keep")
        super()._keep(until, reason)

    def _refuse(self, what: str) -> None:
        if what and what == self.refuses:
            raise RefusedError(f"{what}: ExpiredTokenException")


@pytest.mark.parametrize(("what", "query"), [("touch", "takes=12"), ("data", ""), ("keep", "keep=60")])
def test_an_answer_that_is_there_survives_a_refusal(what: str, query: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The app has done the POST: a 503 with "come back" would make the client do it again. The log says it."""
    world = awake(table=RefusingTable)
    ask(world, make_event())
    assert isinstance(world.table, RefusingTable)
    world.table.refuses = what
    answer = ask(world, make_event(method="POST", query=query))
    assert answer["statusCode"] == 200
    assert f"{what}: ExpiredTokenException" in capsys.readouterr().err


class RefusingReads(SimTable):
    """Nobody may read the record any more, once the app has answered."""

    def load(self) -> ServiceRecord | None:
        """Refuse it then."""
        if self.written or (self.record is not None and self.record.phase is Phase.AWAKE and self.sessions):
            raise RefusedError("read the table: AccessDeniedException")
        return super().load()


def test_an_owner_that_cannot_hand_on_still_answers(capsys: pytest.CaptureFixture[str]) -> None:
    """It has made the wake and got the app's answer; what follows is for the log."""
    world = World(0, luck=READY, table=RefusingReads)
    assert ask(world, make_event(method="POST"))["statusCode"] == 200
    assert "AccessDeniedException" in capsys.readouterr().err


def test_a_moment_without_connections_does_not_scale_in() -> None:
    """Three tasks whose accept queues are full for two seconds, or that a deployment replaces: one would be cut to."""
    world = awake()
    world.start_task_events()
    world.fleet.operator_scales(3)
    for _ in range(26):
        world.hub.run(world.hub.now_s + 5)
        ask(world, make_event())
    assert world.table.record is not None
    assert len(world.table.record.targets) == 3
    before = len(world.fleet.scales)
    for _ in range(6):
        world.hub.spawn(Client(world, method="POST", takes_s=20).run)
    world.hub.run(world.hub.now_s + 1)
    world.fleet.is_full, until_s = True, world.hub.now_s + 2
    answers: list[dict[str, Any] | None] = []
    world.hub.spawn(lambda: answers.append(world.request(make_event())))
    world.hub.run(until_s)
    world.fleet.is_full = False
    assert world.phase() is Phase.WAKING
    world.hub.run(until_s + 30)
    assert world.phase() is Phase.AWAKE
    assert (world.fleet.scales[before:], world.fleet.desired, world.errors) == ([], 3, [])
    assert answers[0] is not None
    assert answers[0]["statusCode"] == 200


def test_a_target_that_takes_no_connection_is_tried_once_by_each_route() -> None:
    """A host that is lost answers with silence: two seconds of a request, and not of every one that follows."""
    world = awake()
    world.fleet.operator_scales(2)
    world.hub.run(world.hub.now_s + 60)
    record, real = world.table.record, world.fleet.at
    assert record is not None
    lost = record.targets[0]
    world.table.record = replace(record, targets=(lost, max(task.target for task in world.fleet.tasks.values())))
    world.fleet.at = lambda target: None if target == lost else real(target)  # type: ignore[method-assign]  # it is lost
    world.hub.run(world.hub.now_s + 10)
    began_s, before = world.hub.now_s, len(world.runs)
    while world.hub.now_s < began_s + 4:
        ask(world, make_event())
    tries = [run.calls.count("network.forward") for run in world.runs[before:]]
    assert len(tries) > 6
    assert tries.count(2) == 1
    assert sum(tries) == len(tries) + 1


def test_a_wake_that_takes_nearly_all_of_a_function_url_leaves_the_request_for_the_next_try() -> None:
    """Delivered with seconds left it would be cut in the middle, and a POST may not be repeated."""
    world = World(0, luck=Luck(ready_s=(170.0, 170.0)))
    answer = ask(world, make_event(method="POST", query="takes=20", is_url=True))
    assert (answer["statusCode"], world.network.deliveries) == (503, [])
    assert of(answer, "retry-after") == "1"


def test_a_cold_start_is_told() -> None:
    """In Server-Timing, where browsers show it; and not on a warm answer."""
    world = World(0, luck=READY)
    cold = ask(world, make_event())
    warm = ask(world, make_event())
    assert str(of(cold, "server-timing")).startswith("wake;dur=1")
    assert of(warm, "server-timing") is None


def test_a_client_goes_on_waiting_by_a_redirect_to_itself() -> None:
    """Its method and body are kept by a 307, and the app sees neither the hops nor a second request."""
    world = World(0, luck=Luck(ready_s=(40.0, 40.0)))
    client = Client(world, method="POST", takes_s=0.5)
    world.hub.spawn(client.run)
    world.hub.run(60)
    assert client.statuses == [307, 200]
    assert [delivery.method for delivery in world.network.deliveries] == ["POST"]


def test_where_hops_are_off_the_client_hears_when_to_come_back() -> None:
    """503 with the estimate, as some clients follow no redirect."""
    world = World(0, luck=Luck(ready_s=(40.0, 40.0)), settings=replace(SETTINGS, on_long_wait="503"))
    answer = ask(world, make_event())
    assert answer["statusCode"] == 503
    assert int(str(of(answer, "retry-after"))) >= 1
    assert json.loads(answer["body"])["type"] == "urn:wakegate:problem:still-waking"


def test_a_function_url_answers_in_one_piece() -> None:
    """It holds for as long as the wake may take."""
    world = World(0, luck=Luck(ready_s=(100.0, 100.0)))
    assert ask(world, make_event(is_url=True))["statusCode"] == 200


def test_a_target_that_refuses_is_passed_over() -> None:
    """The others serve; nobody wakes anything, and the client hears nothing of it."""
    world = awake(tasks=2)
    number = min(world.fleet.tasks)
    world.fleet.crash(number)
    scales = len(world.fleet.scales)
    for _ in range(6):
        assert ask(world, make_event())["statusCode"] == 200
    assert len(world.fleet.scales) == scales


def test_a_service_whose_every_target_refuses_is_woken_again() -> None:
    """An error that waiting could avoid is none that the client should see."""
    world = awake()
    world.fleet.crash(min(world.fleet.tasks))
    answer = ask(world, make_event())
    assert answer["statusCode"] == 200
    assert of(answer, "server-timing") is not None


@pytest.mark.parametrize(("method", "status", "deliveries"), [("GET", 200, 2), ("POST", 502, 1)])
def test_a_request_that_was_lost_in_the_app_is_repeated_if_it_is_idempotent(
    method: str, status: int, deliveries: int
) -> None:
    """Invariant 6: a second order is worse than an error."""
    world = awake()
    before = len(world.network.deliveries)
    world.hub.at(5.0, lambda: world.fleet.crash(min(world.fleet.tasks)))
    answer = ask(world, make_event(method=method, query="takes=6"))
    assert (answer["statusCode"], len(world.network.deliveries) - before) == (status, deliveries)


def test_the_visits_of_a_session_go_to_the_same_task() -> None:
    """What the app keeps in memory is found again."""
    world = awake(tasks=3)
    cookie = ask(world, make_event())["cookies"][0].partition(";")[0].partition("=")[2]
    world.network.stores = False
    for _ in range(8):
        ask(world, make_event(cookie=cookie))
    assert len({delivery.task for delivery in world.network.deliveries[-8:]}) == 1
    for _ in range(12):
        ask(world, make_event())
    assert len({delivery.task for delivery in world.network.deliveries[-12:]}) == 3


def test_a_route_that_is_some_seconds_old_does_not_outlive_a_drain() -> None:
    """The request that comes with it touches, hears that it is draining, and cancels the sleep."""
    world = awake()
    world.hub.run(365)
    assert world.phase() is Phase.DRAINING
    assert ask(world, make_event())["statusCode"] == 200
    assert world.phase() is Phase.AWAKE
    assert [desired for _, desired, _ in world.fleet.scales] == [1]


def test_an_app_that_asks_to_be_kept_awake_is() -> None:
    """Work after the answer would be cut off by the sleep."""
    world = awake()
    ask(world, make_event(query="keep=1000"))
    answer = ask(world, make_event(query="keep=1000"))
    assert of(answer, "wakegate-keep-awake") is None
    assert [call for run in world.runs for call in run.calls].count("table.keep") == 1
    world.hub.run(900)
    assert world.phase() is Phase.AWAKE
    world.hub.run(1500)
    assert world.phase() is Phase.ASLEEP


def test_an_event_that_is_no_request_is_answered() -> None:
    """With what is wrong, not with a traceback."""
    answer = ask(World(0), {"version": "1.0", "requestContext": {"domainName": ""}})
    assert answer["statusCode"] == 400
    assert "payload format 2.0" in answer["body"]


class Refusing(SimTable):
    """A table that this role may not read."""

    def load(self) -> ServiceRecord | None:
        """See `Table.load`."""
        raise RefusedError("dynamodb:GetItem: AccessDeniedException")


def test_what_aws_refuses_is_said_at_once_and_logged(capfd: pytest.CaptureFixture[str]) -> None:
    """To hold the request for it would be waiting for nothing; the public does not read what AWS said."""
    answer = ask(World(0, table=Refusing), make_event())
    assert answer["statusCode"] == 503
    assert "AccessDenied" not in answer["body"]
    assert "AccessDeniedException" in capfd.readouterr().err


class Deaf(SimTable):
    """A table that does not answer."""

    def load(self) -> ServiceRecord | None:
        """See `Table.load`."""
        self._hub.call("table.load", lambda: None, takes_s=(1.0, 1.0))
        raise UnknownOutcomeError("no answer")


def test_a_table_that_does_not_answer_makes_a_come_back_not_an_error() -> None:
    """It may be back in a moment; the front must not give up first."""
    world = World(0, table=Deaf)
    answer = ask(world, make_event())
    assert answer["statusCode"] == 307
    assert world.runs[0].ended_s < 29

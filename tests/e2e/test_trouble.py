"""What goes wrong: a start that takes longer than the front waits, a crash, a broken image, a silent app."""

import sys
import threading
from collections.abc import Iterator

import httpx
import pytest
from tests.account.sample.made import until
from tests.e2e.deployed import APP, WAKE_S, Deployed
from tests.e2e.visitors import BROWSER, PATIENCE_S, ask, insist_on

BROKEN = [*APP, "broken"]
SILENT = [sys.executable, "-c", "import signal; signal.sigwait([signal.SIGTERM])"]
SLOW_S = 31.0  # longer than the 30 s of an HTTP API


@pytest.fixture
def short_hold(deployed: Deployed) -> Iterator[Deployed]:
    """Yield the stack with a function timeout that leaves it four seconds to hold a request, of 27 s."""
    change(deployed, timeout_s=7)
    yield deployed
    change(deployed, timeout_s=int(WAKE_S))


def change(deployed: Deployed, *, timeout_s: int | None = None, **variables: str) -> None:
    """Change the function as somebody does in the console."""
    functions = deployed.account.client("lambda")
    found = functions.get_function_configuration(FunctionName=deployed.startup)
    known = found["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=deployed.startup,
        Timeout=timeout_s or found["Timeout"],
        Environment={"Variables": {name: str(value) for name, value in known.items()} | variables},
    )


def test_a_start_that_takes_longer_than_the_front_waits_loses_nobody(deployed: Deployed) -> None:
    """A browser gets the page at once, curl is led back and a Function URL holds: one wake for all three."""
    deployed.account.fargate.start_delay_s = SLOW_S
    with httpx.Client(timeout=PATIENCE_S) as visitor:
        page = visitor.get(f"{deployed.url}/shop?x=1", headers=BROWSER)
        held: list[httpx.Response] = []
        holder = threading.Thread(target=lambda: held.append(ask(f"{deployed.long_url}/held")), name="held")
        holder.start()
        response, before = insist_on(f"{deployed.url}/shop?x=1")
        holder.join()
        assert (page.status_code, page.headers["cache-control"]) == (503, "no-store")
        assert page.headers["content-type"].startswith("text/html")
        assert int(page.headers["retry-after"]) > 0
        assert (response.status_code, response.json()["path"]) == (200, "/shop?x=1")
        assert set(before) == {307}
        assert (held[0].status_code, held[0].json()["path"]) == (200, "/held")
        assert visitor.get(f"{deployed.url}/shop?x=1", headers=BROWSER).status_code == 200
    assert len(deployed.calls("ecs:UpdateService")) == 1


def test_whoever_wants_no_redirect_is_told_when_to_come_back(short_hold: Deployed) -> None:
    """Some clients follow none, and POST a body that is not to be sent again and again."""
    change(short_hold, ON_LONG_WAIT="503")
    try:
        short_hold.account.fargate.start_delay_s = 8
        response = ask(f"{short_hold.url}/")
        assert (response.status_code, response.headers["cache-control"]) == (503, "no-store")
        assert response.headers["content-type"] == "application/problem+json"
        assert int(response.headers["retry-after"]) > 0
        assert insist_on(f"{short_hold.url}/")[0].status_code == 200
    finally:
        change(short_hold, ON_LONG_WAIT="307")


def test_the_body_of_a_post_is_sent_again_by_whoever_follows(short_hold: Deployed) -> None:
    """A 307 keeps the method and the body, and the app gets it once."""
    short_hold.account.fargate.start_delay_s = 6
    with httpx.Client(timeout=PATIENCE_S, follow_redirects=True) as visitor:
        response = visitor.post(f"{short_hold.url}/cart?item=7", content=b"\xff" * 100_000)
    assert [one.status_code for one in response.history][:1] == [307]
    seen = response.json()
    assert (response.status_code, seen["method"], seen["length"]) == (200, "POST", 100_000)
    assert seen["path"] == "/cart?item=7"  # the counter of the come-backs is taken off


def test_a_crashed_task_is_known_at_once(deployed: Deployed) -> None:
    """Its event takes it out of the routes; ECS starts another, and nobody gets an error."""
    first = ask(f"{deployed.url}/").json()["pid"]
    (task,) = deployed.account.fargate.running()
    target = deployed.record["targets"]["L"][0]["S"]
    deployed.pass_time(60)  # what is younger than a read may be old is not corrected
    deployed.begin()
    deployed.account.crash(task)
    until(lambda: target not in str(deployed.record["targets"]))
    assert deployed.calls(by="cleanup") != []
    response = ask(f"{deployed.url}/")
    assert response.status_code == 200
    assert response.json()["pid"] != first


def test_a_crash_that_no_event_told_of_costs_nobody_an_error(deployed: Deployed) -> None:
    """A connection that is refused has brought no byte to the app: it is woken again, and the request goes on."""
    with httpx.Client(timeout=PATIENCE_S) as visitor:
        first = visitor.get(f"{deployed.url}/").json()["pid"]
        events = deployed.account.client("events")
        events.disable_rule(Name="container-cleanup-tasks")
        try:
            (task,) = deployed.account.fargate.running()
            deployed.account.crash(task)
            until(lambda: task.is_over)
            response = visitor.get(f"{deployed.url}/")
        finally:
            events.enable_rule(Name="container-cleanup-tasks")
    assert response.status_code == 200
    assert response.json()["pid"] != first


def test_a_crash_while_it_answers_is_told(deployed: Deployed) -> None:
    """The request may have done its work: sending it again is the client's to decide."""
    ask(f"{deployed.url}/")
    response = ask(f"{deployed.url}/exit", "POST")
    assert (response.status_code, response.headers["content-type"]) == (502, "application/problem+json")
    assert ask(f"{deployed.url}/").status_code == 200


def test_a_task_that_is_never_ready_backs_off(deployed: Deployed) -> None:
    """It runs and does not listen: that is known only when the wake timeout is over."""
    deployed.push(SILENT)
    ask(f"{deployed.url}/", headers=BROWSER)
    until(lambda: len(deployed.account.fargate.running()) == 1)
    deployed.pass_time(WAKE_S + 1)
    deployed.tick()
    assert (deployed.phase, deployed.desired) == ("asleep", 0)
    assert "not ready after 3m: 1 task started, the probe never passed" in ask(f"{deployed.url}/").json()["detail"]


@pytest.mark.parametrize(
    ("image", "reason"),
    [(BROKEN, "the app ended with exit code 1"), ([], "CannotPullContainerError: pull image manifest")],
    ids=["it ends at once", "there is none"],
)
def test_a_broken_image_is_given_up_early_and_backs_off(deployed: Deployed, image: list[str], reason: str) -> None:
    """Each try costs minutes of Fargate: it ends when its tasks keep ending, and each next one waits longer."""
    deployed.push(image)
    page = ask(f"{deployed.url}/", headers=BROWSER)
    assert page.status_code == 503
    for count in (1, 2):
        until(lambda: deployed.phase == "asleep" and deployed.record["failure_count"]["N"] == str(count))  # noqa: B023  called at once
        assert deployed.desired == 0
        deployed.begin()
        refused = [ask(f"{deployed.url}/") for _ in range(3)]
        assert {one.status_code for one in refused} == {503}
        assert f"ended before they were ready, the newest: {reason}" in refused[0].json()["detail"]
        assert int(refused[0].headers["retry-after"]) > 5 * count
        assert deployed.calls("ecs:UpdateService") == []
        deployed.pass_time(60)
        ask(f"{deployed.url}/", headers=BROWSER)
        assert [one.parameters["desiredCount"] for one in deployed.calls("ecs:UpdateService")] == [1]
    deployed.push(APP)
    assert insist_on(f"{deployed.url}/")[0].status_code == 200
    assert "failure_count" not in deployed.record


def test_garbage_of_the_app_is_a_bad_gateway(deployed: Deployed) -> None:
    """It is said whose fault it is, and the function lives on."""
    response = ask(f"{deployed.url}/garbage")
    assert (response.status_code, response.headers["content-type"]) == (502, "application/problem+json")
    assert ask(f"{deployed.url}/").status_code == 200


def test_an_app_that_does_not_answer_in_time_is_a_gateway_timeout(short_hold: Deployed) -> None:
    """The front would cut it without a word."""
    ask(f"{short_hold.url}/")
    response = ask(f"{short_hold.url}/slow?s=9")
    assert (response.status_code, response.headers["content-type"]) == (504, "application/problem+json")


def test_throttled_calls_are_repeated(deployed: Deployed) -> None:
    """ECS and DynamoDB throttle an account as a whole: it is nobody's error."""
    for name in ("dynamodb:GetItem", "dynamodb:PutItem", "ecs:UpdateService", "ecs:ListTasks"):
        deployed.fail(name, "throttle", by="startup", times=2)
    assert ask(f"{deployed.url}/").status_code == 200
    assert len([one for one in deployed.calls("ecs:UpdateService") if one.status == 200]) == 1

"""steps: what is found out about a service, in virtual time and against answers of every kind."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.verify.server import Asked, Reply, Scripted, problem, status
from tests.verify.test_visitor import Time

from wakegate.verify.steps import Outcome, Plan, Step, say_latency, verify
from wakegate.verify.visitor import VisitError, Visitor

IDLE_S = 20.0


class World:
    """A service that sleeps and wakes, with whatever is wrong with it; its time is the visitor's."""

    def __init__(
        self,
        *,
        idle_s: float = IDLE_S,
        awake: bool = False,
        broken: str = "",
        forgets: bool = False,
        cookies: bool = True,
        failing: int = 0,
    ) -> None:
        self.time = Time()
        self.idle_s, self.broken, self.forgets, self.cookies, self.failing = idle_s, broken, forgets, cookies, failing
        self.touched_s: float | None = 0.0 if awake else None
        self.wakes = 0
        self.warm = 0

    @property
    def is_awake(self) -> bool:
        """Say whether it has been used lately."""
        return self.touched_s is not None and self.time.now_s() - self.touched_s < self.idle_s

    def answer(self, asked: Asked) -> Reply:
        """Answer as a Wakegate in front of an app does."""
        if asked.path.startswith("/.wakegate/"):
            return status("awake" if self.is_awake else "asleep")
        if self.broken:
            return problem(503, "wake-failed", self.broken, **{"Retry-After": "5"})
        headers = {}
        if not self.is_awake:
            self.wakes += 1
            headers["Server-Timing"] = "wake;dur=0.5"
        elif self.warm < self.failing:
            self.warm += 1
            return 502, {}, b""
        self.touched_s = self.time.now_s()
        session = f"s{self.wakes if self.forgets else 1}"
        if self.cookies and session not in asked.cookie:
            headers["Set-Cookie"] = f"uuid={session}.mac; Path=/"
        return 200, headers, b"hello"


def run(world: World, plan: Plan) -> list[Step]:
    """Verify the world to the end."""
    with Scripted(world.answer) as server:
        visitor = Visitor(server.url, now_s=world.time.now_s, sleep=world.time.sleep)
        steps = list(verify(visitor, plan))
        visitor.close()
    return steps


def outcomes(steps: list[Step]) -> str:
    """Return the outcomes as marks."""
    return "".join({Outcome.PASSED: "+", Outcome.FAILED: "x", Outcome.SKIPPED: "-"}[step.outcome] for step in steps)


PLAN = Plan(requests=5, idle_timeout_s=IDLE_S, slack_s=5.0)


def test_a_good_service_passes_every_step() -> None:
    """The guide's step 9, from asleep to the second wake."""
    steps = run(World(), PLAN)
    assert outcomes(steps) == "++++++"
    assert [step.name for step in steps] == [
        "asleep", "first request", "warm", "session", "asleep again", "second wake"
    ]  # fmt: skip
    assert steps[3].detail == "kept across 6 requests"
    assert steps[5].detail.endswith("· same session")
    assert steps[1].facts["wake_s"] == pytest.approx(0.0005)


def test_one_that_is_awake_is_given_the_time_to_sleep_first() -> None:
    """Somebody has just looked at it: that is no failure, and the cold start has to be a cold one."""
    world = World(awake=True)
    steps = run(world, PLAN)
    assert outcomes(steps) == "++++++"
    assert steps[0].detail.startswith("web sleeps, 20")
    assert world.wakes == 2


def test_one_that_never_sleeps_fails_once_and_is_not_waited_for_again() -> None:
    """The other steps still say something; to wait the whole limit twice does not."""
    world = World(awake=True, idle_s=1e9)
    steps = run(world, PLAN)
    assert outcomes(steps) == "x+++--"
    assert steps[0].detail == "web was not asleep within 25 s; is somebody using it?"
    assert sum(world.time.slept) < 27


def test_one_that_does_not_sleep_again_fails() -> None:
    """Idle to zero is what all of it is for."""
    world = World(idle_s=1e9)
    steps = run(world, PLAN)
    assert outcomes(steps) == "++++x-"
    assert steps[4].detail.startswith("not within 25 s after the last request")


def test_one_that_sleeps_too_soon_fails_where_its_idle_timeout_was_said() -> None:
    """It would sleep under a visitor who reads a page; without a timeout that was said nobody can tell."""
    steps = run(World(idle_s=3.0), PLAN)
    assert outcomes(steps) == "++++x-"
    assert "sooner than 20 s" in steps[4].detail
    assert outcomes(run(World(idle_s=3.0), Plan(requests=1))) == "++++++"


def test_an_app_that_does_not_start_is_told_with_its_reason() -> None:
    """The reason is what one needs; the rest is not tried, and counts as not passed."""
    steps = run(World(broken="web: exited with status 3"), PLAN)
    assert outcomes(steps) == "+x----"
    assert steps[1].detail == "503: The title: web: exited with status 3"


def test_a_session_that_does_not_outlive_the_sleep_fails() -> None:
    """What none of the peers keeps, and what a new signing key at every start would lose."""
    steps = run(World(forgets=True), PLAN)
    assert outcomes(steps) == "+++++x"
    assert steps[5].detail.endswith("another session: ours was lost in the sleep")


def test_no_session_at_all_fails_unless_none_is_expected() -> None:
    """The sentence says what to do where the cookie has another name, or there is none."""
    steps = run(World(cookies=False), PLAN)
    assert outcomes(steps) == "+++x++"
    assert "--cookie" in steps[3].detail
    without = Plan(requests=5, idle_timeout_s=IDLE_S, slack_s=5.0, with_session=False)
    assert outcomes(run(World(cookies=False), without)) == "+++++"


def test_warm_requests_that_fail_are_counted_with_the_first_reason() -> None:
    """One in fifty is a failure, too."""
    steps = run(World(failing=2), PLAN)
    assert outcomes(steps)[2] == "x"
    assert steps[2].detail == "2 of 5 failed; the first: 502 in 0 s"
    assert steps[2].facts == {"requests": 5, "failed": 2}


def test_a_cold_start_while_it_should_be_awake_is_a_failure() -> None:
    """It was answered, but a visitor has waited for it: the service does not stay awake."""
    steps = run(World(idle_s=0.0), PLAN)
    assert outcomes(steps)[2] == "x"
    assert steps[2].detail.startswith("5 of 5 failed; the first: a cold start of ")


def test_the_backoff_of_an_earlier_failure_is_waited_for() -> None:
    """Whoever has just mended the app verifies that, and not the failure of before."""
    time = Time()
    replies: Iterator[Reply] = iter([status(state="failed", reason="exited", retry_after_s=4.0)])
    with Scripted(lambda asked: next(replies) if "wakegate" in asked.path else (200, {}, b"")) as server:
        visitor = Visitor(server.url, now_s=time.now_s, sleep=time.sleep)
        steps = verify(visitor, PLAN)
        first = next(steps)
        visitor.close()
    assert (first.outcome, time.slept) == (Outcome.PASSED, [4.0])
    assert first.detail == "web sleeps; its last wake failed: exited"


def test_what_is_no_wakegate_ends_it_before_it_begins() -> None:
    """There is nothing to verify: an error, and no list of failed steps."""
    with (
        Scripted(lambda _: (404, {}, b"")) as server,
        closing(Visitor(server.url)) as visitor,
        pytest.raises(VisitError, match="is no Wakegate"),
    ):
        next(verify(visitor, PLAN))


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0004, "0.4 ms"), (0.012, "12 ms"), (0.00999, "10 ms"), (1.5, "1.5 s")]
)
def test_latencies_are_said_in_milliseconds(seconds: float, said: str) -> None:
    """Two figures are enough."""
    assert say_latency(seconds) == said

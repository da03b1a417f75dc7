"""steps: asleep -> first request -> warm -> session -> asleep again -> second wake, each with what was seen."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from typing import Any

from wakegate.core.say import say_count, say_duration
from wakegate.verify.visitor import Visit, VisitError, Visitor

POLL_MIN_S, POLL_MAX_S = 0.1, 2.0
IDLE_TIMEOUT_S = 300.0  # where nobody said another
EARLY_S = 1.0  # a clock that is read elsewhere

Tell = Callable[[str, str], None]


class Outcome(StrEnum):
    """How a step ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the timeline; `facts` are its numbers for programs."""

    name: str
    outcome: Outcome
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked for. An idle timeout that was said is also checked: it must not sleep sooner."""

    requests: int = 50
    idle_timeout_s: float | None = None
    slack_s: float = 15.0  # after the idle timeout: the grace, the stop, a tick or two
    wake_timeout_s: float = 180.0
    with_session: bool = True

    @property
    def sleep_limit_s(self) -> float:
        """Return how long it may take until it sleeps."""
        return (IDLE_TIMEOUT_S if self.idle_timeout_s is None else self.idle_timeout_s) + self.slack_s


def verify(visitor: Visitor, plan: Plan, *, tell: Tell = lambda _step, _progress: None) -> Iterator[Step]:
    """Take the steps one by one; raise `VisitError` if there is nothing to verify at all. `tell` hears of waits."""
    return Verification(visitor, plan, tell=tell).steps()


class Verification:
    """One run of the steps."""

    def __init__(self, visitor: Visitor, plan: Plan, *, tell: Tell) -> None:
        self._visitor = visitor
        self._plan = plan
        self._tell = tell
        self._requests = 0
        self._ended_s = visitor.now_s()  # of the last request

    def steps(self) -> Iterator[Step]:
        """Take them in their order; what an earlier failure makes senseless is skipped with the reason."""
        asleep = self._asleep()
        yield asleep
        first = self._request("first request")
        yield first
        rest = ["warm", "session", "asleep again", "second wake"]
        if not self._plan.with_session:
            rest.remove("session")
        if first.outcome is Outcome.FAILED:
            yield from (_skipped(name, "the first request was not answered") for name in rest)
            return
        yield self._warm()
        if self._plan.with_session:
            yield self._session()
        if asleep.outcome is Outcome.FAILED:
            yield from (_skipped(name, "it did not sleep the first time") for name in rest[-2:])
            return
        again = self._asleep_again()
        yield again
        if again.outcome is Outcome.FAILED:
            yield _skipped("second wake", "it does not sleep")
            return
        yield self._second_wake()

    def _asleep(self) -> Step:
        """See that it sleeps; one that somebody has used a moment ago is given the time to."""
        name = "asleep"
        status = self._visitor.status()
        service, limit_s = status["service"], self._plan.sleep_limit_s
        waited_s = 0.0
        if status["phase"] != "asleep":
            waited = self._wait_for_sleep(name, since_s=self._visitor.now_s(), limit_s=limit_s)
            if waited is None:
                return _failed(name, f"{service} was not asleep within {say_duration(limit_s)}; is somebody using it?")
            waited_s, status = waited
        detail = f"{service} sleeps" + (f", {say_duration(waited_s)} after we came" if waited_s else "")
        if status["state"] == "failed":
            detail += f"; its last wake failed: {status.get('reason')}"
            retry_s = min(float(status.get("retry_after_s", 0.0)), self._plan.wake_timeout_s)
            self._tell(name, f"waits {say_duration(retry_s)} for the next try")
            self._visitor.sleep(retry_s)
        return _passed(name, detail, service=service, waited_s=round(waited_s, 3))

    def _request(self, name: str) -> Step:
        """Send a request that has to wake it."""
        self._tell(name, "waits for the app")
        try:
            visit = self._visit()
        except VisitError as error:
            return _failed(name, str(error))
        facts = {"status": visit.status, "took_s": round(visit.took_s, 4), "comebacks": visit.comebacks}
        facts |= {} if visit.wake_s is None else {"wake_s": round(visit.wake_s, 4)}
        detail = _say_visit(visit)
        if not visit.is_answered:
            return _failed(name, detail, **facts)
        return _passed(name, detail, **facts)

    def _warm(self) -> Step:
        """Send one request after the other on a kept connection."""
        name, took, failures = "warm", list[float](), list[str]()
        for number in range(1, self._plan.requests + 1):
            self._tell(name, f"{number} of {self._plan.requests}")
            try:
                visit = self._visit()
            except VisitError as error:
                failures.append(str(error))
                continue
            if not visit.is_answered:
                failures.append(_say_visit(visit))
            elif visit.wake_s is not None:
                failures.append(f"a cold start of {say_duration(visit.wake_s)} while it should have been awake")
            else:
                took.append(visit.took_s)
        facts = {"requests": self._plan.requests, "failed": len(failures)}
        if failures:
            return _failed(name, f"{len(failures)} of {self._plan.requests} failed; the first: {failures[0]}", **facts)
        p50_s, p99_s = _percentile(took, 0.5), _percentile(took, 0.99)
        detail = f"{say_count(len(took), 'request')}, p50 {say_latency(p50_s)}, p99 {say_latency(p99_s)}"
        return _passed(name, detail, **facts, p50_s=round(p50_s, 6), p99_s=round(p99_s, 6))

    def _session(self) -> Step:
        """See that all requests so far were one session."""
        name, sessions = "session", self._visitor.sessions
        if not sessions:
            return _failed(
                name,
                "no session cookie came; one of another name is given with --cookie, none with --cookie ''"
                " (an answer that shared caches may keep carries none)",
            )
        if len(sessions) > 1:
            return _failed(name, f"lost: {len(sessions)} sessions in {say_count(self._requests, 'request')}")
        return _passed(name, f"kept across {say_count(self._requests, 'request')}", requests=self._requests)

    def _asleep_again(self) -> Step:
        """See that it goes to sleep by itself, neither too late nor too soon."""
        name, limit_s, idle_s = "asleep again", self._plan.sleep_limit_s, self._plan.idle_timeout_s
        try:
            waited = self._wait_for_sleep(name, since_s=self._ended_s, limit_s=limit_s)
        except VisitError as error:
            return _failed(name, str(error))
        if waited is None:
            return _failed(
                name,
                f"not within {say_duration(limit_s)} after the last request; is the idle timeout longer,"
                " or does somebody use it or keep it awake?",
            )
        after_s = waited[0]
        if idle_s is not None and after_s < idle_s - EARLY_S:
            too_soon = f"{say_duration(after_s)} after the last request, sooner than {say_duration(idle_s)}"
            return _failed(name, too_soon, after_s=round(after_s, 3))
        return _passed(name, f"{say_duration(after_s)} after the last request", after_s=round(after_s, 3))

    def _second_wake(self) -> Step:
        """Wake it again, as the same visitor."""
        known = list(self._visitor.sessions)
        step = self._request("second wake")
        if step.outcome is Outcome.FAILED or not self._plan.with_session or len(known) != 1:
            return step
        if self._visitor.sessions != known:
            return _failed(step.name, f"{step.detail} · another session: ours was lost in the sleep", **step.facts)
        return _passed(step.name, f"{step.detail} · same session", **step.facts)

    def _visit(self) -> Visit:
        try:
            visit = self._visitor.visit(within_s=self._plan.wake_timeout_s)
        finally:
            self._ended_s = self._visitor.now_s()
        self._requests += 1
        return visit

    def _wait_for_sleep(self, name: str, *, since_s: float, limit_s: float) -> tuple[float, dict[str, Any]] | None:
        """Ask until it sleeps; return after how long, or None when it takes longer than it may."""
        while True:
            status = self._visitor.status()
            waited_s = self._visitor.now_s() - since_s
            if status["phase"] == "asleep":
                return waited_s, status
            if waited_s > limit_s:
                return None
            self._tell(name, f"{status['phase']}, {say_duration(waited_s)} of at most {say_duration(limit_s)}")
            self._visitor.sleep(min(POLL_MAX_S, max(POLL_MIN_S, limit_s / 100)))


def say_latency(seconds: float) -> str:
    """Say how long a warm request took: "0.4 ms"."""
    if seconds >= 1:
        return say_duration(seconds)
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 9.95 else f"{milliseconds:.1f} ms"


def _say_visit(visit: Visit) -> str:
    comebacks = f", after {say_count(visit.comebacks, 'come-back')}" if visit.comebacks else ""
    if visit.why:
        return f"{visit.status}{comebacks}: {visit.why}"
    wake = "" if visit.wake_s is None else f" ({say_duration(visit.wake_s)} of it the app's own start)"
    return f"{visit.status} in {say_duration(visit.took_s)}{wake}{comebacks}"


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def _passed(name: str, detail: str, **facts: Any) -> Step:
    return Step(name=name, outcome=Outcome.PASSED, detail=detail, facts=facts)


def _failed(name: str, detail: str, **facts: Any) -> Step:
    return Step(name=name, outcome=Outcome.FAILED, detail=detail, facts=facts)


def _skipped(name: str, detail: str) -> Step:
    return Step(name=name, outcome=Outcome.SKIPPED, detail=detail)

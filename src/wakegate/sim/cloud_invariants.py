"""What must always hold in the account, checked against what happened there."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

CONTROL_PLANE = "platform."


def check_answer(answer: dict[str, Any], *, took_s: float, front_s: float) -> str:
    """Invariant 1, for one answer: the app's own, one that says how to come back, or an error naming its cause."""
    if took_s > front_s:
        return f"I1: answered after {took_s:.1f} s, the front gave up after {front_s:.0f} s"
    status, headers = answer["statusCode"], {name.lower(): value for name, value in answer["headers"].items()}
    if status == 200 or (status == 307 and "wakegate-hop=" in headers.get("location", "")):
        return ""
    if status == 503 and int(headers.get("retry-after", "0")) >= 1:
        return ""
    if status in (502, 504) and answer["body"]:
        return ""
    return f"I1: an answer that is none of the three: {answer}"


def check_endings(endings: Iterable[Sequence[str]]) -> list[str]:
    """Invariant 1, for clients: each ends once."""
    return [f"I1: a client ended {list(one)}" for one in endings if len(one) != 1]


def check_single_scale(
    scales: Sequence[tuple[float, int, str]], begun: Sequence[float], *, may_repair: bool
) -> list[str]:
    """Invariant 2: a wake makes one scale call; where calls are lost or their makers die, as many as mend that."""
    if may_repair:
        return []
    calls: Counter[float] = Counter()
    for at_s, desired, _ in scales:
        if desired:
            calls[max((began_s for began_s in begun if began_s <= at_s), default=-1.0)] += 1
    return [f"I2: {count} scale calls in the wake of {began_s:.2f}" for began_s, count in calls.items() if count > 1]


def check_repeats(deliveries: Iterable[tuple[str, str, bool]], *, idempotent: frozenset[str]) -> list[str]:
    """Invariant 6: of one request, only an idempotent method reaches the app twice, and only without an answer.

    A delivery is who sent it, its method, and whether an answer came back; in order.
    """
    found: list[str] = []
    seen: dict[str, bool] = {}
    for by, method, has_answered in deliveries:
        before = seen.get(by)
        if before is True:
            found.append(f"I6: {by} was sent again after its answer had come")
        if before is False and method not in idempotent:
            found.append(f"I6: {by} sent a {method} again that may have reached the app")
        seen[by] = has_answered
    return found


def check_warm(calls: Sequence[str]) -> str:
    """Invariant 7, for a request that was served and never waited: no control plane, one state write at each end."""
    if any(call.startswith(CONTROL_PLANE) for call in calls):
        return f"I7: a warm request called {[call for call in calls if call.startswith(CONTROL_PLANE)]}"
    return ""


def check_coalesced(touches: Iterable[tuple[int, float]], *, interval_s: float) -> list[str]:
    """Invariant 7: an environment touches once an interval. A touch is the environment's number and when."""
    found = []
    newest: dict[int, float] = {}
    for environment, at_s in touches:
        before_s = newest.get(environment)
        if before_s is not None and at_s - before_s < interval_s:
            found.append(f"I7: environment {environment} touched {at_s - before_s:.2f} s after its last touch")
        newest[environment] = at_s
    return found

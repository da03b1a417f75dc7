"""The checkers of the account see what they are there for."""

from typing import Any

import pytest

from wakegate.sim import cloud_invariants as invariants


def reply(status: int, body: str = "x", **headers: str) -> dict[str, Any]:
    """Return an answer of the function."""
    return {"statusCode": status, "headers": headers, "body": body}


@pytest.mark.parametrize(
    ("answer", "took_s", "is_good"),
    [
        (reply(200), 1.0, True),
        (reply(200), 31.0, False),
        (reply(307, Location="/?wakegate-hop=1"), 27.0, True),
        (reply(307, Location="/elsewhere"), 1.0, False),
        (reply(503, **{"Retry-After": "3"}), 1.0, True),
        (reply(503), 1.0, False),
        (reply(502, '{"detail": "the app closed the connection"}'), 1.0, True),
        (reply(504, ""), 1.0, False),
        (reply(500), 1.0, False),
    ],
)
def test_an_answer_is_the_apps_or_says_how_to_come_back_or_why_not(
    answer: dict[str, Any], took_s: float, is_good: bool
) -> None:
    """Invariant 1, before the front gives up."""
    assert (invariants.check_answer(answer, took_s=took_s, front_s=30) == "") is is_good


def test_a_client_ends_once() -> None:
    """Invariant 1."""
    assert invariants.check_endings([["served"]]) == []
    assert len(invariants.check_endings([[], ["served", "gone"]])) == 2


def test_a_second_scale_call_in_a_wake_is_seen() -> None:
    """Invariant 2; stops do not count."""
    once = [(1.0, 1, "a"), (5.0, 0, "b"), (9.0, 1, "c")]
    assert invariants.check_single_scale(once, [0.9, 8.9], may_repair=False) == []
    assert len(invariants.check_single_scale(once, [0.9], may_repair=False)) == 1
    assert invariants.check_single_scale(once, [0.9], may_repair=True) == []


@pytest.mark.parametrize(
    ("deliveries", "count"),
    [
        ([("a", "GET", False), ("a", "GET", True)], 0),
        ([("a", "POST", False), ("a", "POST", True)], 1),
        ([("a", "GET", True), ("a", "GET", True)], 1),
        ([("a", "POST", True), ("b", "POST", True)], 0),
    ],
)
def test_a_request_that_is_sent_again_is_seen(deliveries: list[tuple[str, str, bool]], count: int) -> None:
    """Invariant 6."""
    assert len(invariants.check_repeats(deliveries, idempotent=frozenset(("GET",)))) == count


def test_a_warm_request_that_asks_the_platform_is_seen() -> None:
    """Invariant 7."""
    assert invariants.check_warm(["table.touch", "network.forward"]) == ""
    assert "platform.look" in invariants.check_warm(["platform.look", "network.forward"])


def test_touches_that_follow_one_another_too_soon_are_seen() -> None:
    """Invariant 7: in one environment."""
    assert invariants.check_coalesced([(1, 0.0), (2, 1.0), (1, 10.0)], interval_s=9.5) == []
    assert len(invariants.check_coalesced([(1, 0.0), (1, 5.0)], interval_s=9.5)) == 1

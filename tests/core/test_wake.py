"""May this request wake the service, and may the service be tried now?"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.values import NOW, record

from wakegate.core.record import Failure
from wakegate.core.spec import WakeSpec
from wakegate.core.wake import decide_wake, may_wake

SPEC = WakeSpec(backoff_min_s=1, backoff_max_s=300)


@pytest.mark.parametrize(
    ("prefix", "path", "expected"),
    [
        ("/api", "/api", True),
        ("/api", "/api/orders", True),
        ("/api", "/apis", False),
        ("/api", "/", False),
        ("/api/", "/api", True),
        ("/api/", "/api/orders", True),
        ("/", "/anything", True),
    ],
)
def test_a_path_wakes_on_segment_boundaries(prefix: str, path: str, expected: bool) -> None:
    """ "/api" covers what is below it, not what begins with the same letters."""
    assert may_wake(WakeSpec(on_paths=(prefix,)), method="GET", path=path) is expected


def test_without_restrictions_everything_wakes() -> None:
    """The default has to work for everybody."""
    assert may_wake(WakeSpec(), method="PROPFIND", path="/x")


@pytest.mark.parametrize("path", ["/favicon.ico", "/shop/favicon.ico", "/apple-touch-icon.png"])
def test_an_icon_alone_wakes_nothing_unless_its_path_is_listed(path: str) -> None:
    """A browser that restores its tabs would wake every service that it ever showed."""
    assert not may_wake(WakeSpec(), method="GET", path=path)
    assert may_wake(WakeSpec(on_paths=("/",)), method="GET", path=path)


def test_path_and_method_must_both_fit() -> None:
    """Each list restricts; neither opens what the other shuts."""
    spec = WakeSpec(on_paths=("/api", "/app"), on_methods=("GET", "POST"))
    assert may_wake(spec, method="POST", path="/app")
    assert not may_wake(spec, method="HEAD", path="/app")
    assert not may_wake(spec, method="GET", path="/other")


def test_a_service_that_never_failed_is_woken() -> None:
    """There is nothing to wait for."""
    verdict = decide_wake(SPEC, record(), now=NOW)
    assert (verdict.wake, verdict.reason, verdict.retry_after_s) == (True, "first request", 0.0)


def test_a_refusal_says_what_failed_and_when_the_next_try_is() -> None:
    """The reason is the answer that the client gets."""
    failed = record(failure=Failure(reason="exited with status 3 after 0.4 s", count=4, at=NOW))
    verdict = decide_wake(SPEC, failed, now=NOW + timedelta(seconds=3))
    assert not verdict.wake
    assert verdict.reason == "exited with status 3 after 0.4 s; next try in 5 s"
    assert verdict.retry_after_s == 5.0


@given(st.integers(min_value=1, max_value=100), st.floats(min_value=0, max_value=1000))
def test_whoever_comes_back_when_told_is_let_in_and_nobody_before(count: int, later_s: float) -> None:
    """`Retry-After` is exact: a client that keeps to it never hears the same refusal twice."""
    failed = record(failure=Failure(reason="exited", count=count, at=NOW))
    now = NOW + timedelta(seconds=later_s)
    verdict = decide_wake(SPEC, failed, now=now)
    if verdict.wake:
        assert later_s >= min(2.0 ** min(count - 1, 20), 300) - 1e-6
    else:
        told = now + timedelta(seconds=verdict.retry_after_s)
        assert decide_wake(SPEC, failed, now=told).wake
        assert not decide_wake(SPEC, failed, now=told - timedelta(microseconds=1)).wake


def test_a_clock_that_was_set_back_does_not_lock_a_service() -> None:
    """A wall clock a year off at boot must not make people wait for a year."""
    failed = record(failure=Failure(reason="exited", count=1, at=NOW + timedelta(days=365)))
    assert decide_wake(SPEC, failed, now=NOW).wake

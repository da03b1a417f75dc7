"""Why is it awake, what woke it, who keeps it awake, when will it sleep: whole answers, as people read them."""

from collections.abc import Sequence
from datetime import timedelta, timezone
from typing import Any

import pytest
from tests.core.values import NOW, NOW_S, activity, record, service, wake_line

from wakegate.core.explain import explain
from wakegate.core.ledger import WakeLine
from wakegate.core.pause import Paused
from wakegate.core.phase import Phase
from wakegate.core.record import Failure
from wakegate.core.spec import IgnoreSpec, ScaleSpec, SleepSpec, WakeSpec

ROBOT = "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)"


def said(wakes: Sequence[WakeLine] = (), *, after_s: float = 0.0, **changes: Any) -> tuple[str, ...]:
    """Explain a service some time after NOW."""
    facts: dict[str, Any] = {
        "spec": service(), "record": record(), "activity": activity(), "now": NOW + timedelta(seconds=after_s),
        "now_s": NOW_S + after_s, "last_request": "GET /orders from curl/8.5.0",
    }  # fmt: skip
    return explain(wakes=wakes, **(facts | changes))


def test_a_service_that_was_never_used_has_little_to_say() -> None:
    """And invents nothing: it was not used yesterday."""
    assert said() == ("web is asleep since 14:02 (0 s).", "The next request wakes it.", "Nothing woke it today.")


def test_an_awake_service_says_what_woke_it_and_when_it_sleeps() -> None:
    """The questions in the order in which they are asked."""
    woke = wake_line(agent="curl/8.5.0", held=3, served=3, duration_s=0.84)
    assert said([woke], record=record(Phase.AWAKE), after_s=108) == (
        "web is awake since 14:02 (1m 48s); GET / 14:02 (curl/8.5.0) woke it.",
        "It sleeps in 3m 12s unless a request comes: last activity 1m 48s ago, GET /orders from curl/8.5.0.",
        "Woken once today: GET / 14:02 (curl/8.5.0). 3 requests held, 3 served, 0 lost.",
    )


def test_where_nobody_counts_the_requests_nothing_is_said_of_them() -> None:
    """Functions in AWS know their own requests only: "0 held" would be a lie."""
    wakes = [wake_line(agent=ROBOT), wake_line(duration_s=12.0, at=NOW - timedelta(days=1))]
    waking = record(Phase.WAKING, wake_by=NOW + timedelta(seconds=180))
    assert said(wakes, record=waking, is_counted=False)[1:] == (
        "A wake usually takes 12 s; it is given up in 3m.",
        "Woken once today: GET / 14:02 (UptimeRobot/2.0).",
        "Monitors wake it: 1 of the last 2 wakes. To look without waking it: /.wakegate/status",
    )
    assert said(record=waking, is_counted=False)[1] == "It is given up in 3m."


def test_a_wake_whose_duration_is_not_known_says_nothing_about_the_next() -> None:
    """It was ended by somebody who could not write how long it took."""
    assert said([wake_line(duration_s=0.0, outcome="ready")])[1] == "The next request wakes it."


def test_a_sleeping_service_says_since_when_and_how_long_a_wake_takes() -> None:
    """So that nobody is surprised by the next request."""
    wakes = [wake_line(duration_s=0.84, at=NOW - timedelta(minutes=30), held=1, served=1)]
    lines = said(wakes, record=record(last_active_at=NOW - timedelta(minutes=5)), after_s=7800)
    assert lines[:2] == (
        "web is asleep since 14:02 (2h 10m); last used 13:57.",
        "The next request wakes it, usually in 0.84 s.",
    )


def test_a_paused_service_says_what_it_keeps_and_how_long_a_resume_takes() -> None:
    """Not how long a start takes: the next request needs none."""
    wakes = [wake_line(outcome="resumed", duration_s=0.003), wake_line(duration_s=12.0)]
    spec = service(sleep=SleepSpec(mode="pause", then_stop_after_s=3600))
    paused = Paused(since_s=NOW_S, kept_bytes=84_000_000, before_bytes=96_000_000)
    assert said(wakes, spec=spec, paused=paused, after_s=360)[1:3] == (
        "It is paused, keeps 84 MB (was 96 MB), uses no CPU; stops in 54m.",
        "The next request wakes it, usually in 3 ms.",
    )


@pytest.mark.parametrize("restricted", [WakeSpec(on_paths=("/app",)), WakeSpec(on_methods=("GET",))])
def test_where_not_everything_wakes_it_says_so(restricted: WakeSpec) -> None:
    """ "The next request wakes it" would be a lie."""
    assert said(spec=service(wake=restricted))[1] == "The next request that may wakes it."


def test_a_waking_service_says_who_waits_and_until_when() -> None:
    """Somebody looks at it because it takes long."""
    wakes = [wake_line(outcome="waking", held=3), wake_line(duration_s=12.0, at=NOW - timedelta(days=1))]
    lines = said(
        wakes, record=record(Phase.WAKING, wake_by=NOW + timedelta(seconds=180)), activity=activity(held=3), after_s=30
    )
    assert lines == (
        "web is waking since 14:02 (30 s); GET / 14:02 woke it.",
        "3 requests wait for it; a wake usually takes 12 s; it is given up in 2m 30s.",
        "Woken once today: GET / 14:02. 3 requests held, 0 served, 0 lost.",
    )


@pytest.mark.parametrize(
    ("phase", "sentence"),
    [
        (Phase.DRAINING, "Nothing is stopped yet: a request that comes now finds it awake."),
        (Phase.STOPPING, "A request that comes now is held until it is awake again."),
    ],
)
def test_a_service_on_its_way_to_sleep_says_what_a_request_would_meet(phase: Phase, sentence: str) -> None:
    """Not when it sleeps: it does."""
    assert said(record=record(phase), after_s=301)[1] == sentence


@pytest.mark.parametrize(
    ("changes", "after_s", "sentence"),
    [
        (
            {"activity": activity(in_flight=3)},
            4000,
            "It stays awake: 3 in flight (last activity 1h 6m ago, GET /orders from curl/8.5.0).",
        ),
        (
            {"activity": activity(keep_until_s=NOW_S + 3660, keep_reason="demo"), "last_request": ""},
            120,
            "It stays awake: kept awake for 59m more (demo); without that it would sleep in 3m (last activity 2m ago).",
        ),
        (
            {"activity": activity(keep_until_s=NOW_S + 7200, keep_reason="demo"), "last_request": ""},
            3600,
            "It stays awake: kept awake for 1h more (demo); without that it would sleep (last activity 1h ago).",
        ),
        (
            {"spec": service(scale=ScaleSpec(replicas_min=2)), "last_request": ""},
            3600,
            "It stays awake: always awake (scale.min = 2); without that it would sleep (last activity 1h ago).",
        ),
        ({"last_request": ""}, 300, "It is about to sleep: last activity 5m ago."),
    ],
)
def test_it_says_who_keeps_it_awake(changes: dict[str, Any], after_s: float, sentence: str) -> None:
    """In the words of the decision itself."""
    assert said(record=record(Phase.AWAKE), after_s=after_s, **changes)[1] == sentence


def test_a_service_that_keeps_failing_says_why_and_when_it_is_tried_again() -> None:
    """The answer that clients get, with the history that they do not."""
    failure = Failure(reason="exited with status 3 after 0.4 s", count=3, at=NOW)
    wakes = [wake_line(outcome="failed", agent="curl", held=1, refused=1)]
    assert said(wakes, record=record(failure=failure), after_s=1) == (
        "web is asleep since 14:02 (1 s).",
        "Its last wake failed; the next try is in 3 s at the earliest.",
        "It failed 3 times in a row, the last time 14:02: exited with status 3 after 0.4 s.",
        "Woken once today: GET / 14:02 (curl, failed). 1 request held, 0 served, 1 told when to come back, 0 lost.",
    )


def test_a_backoff_that_has_passed_is_not_announced() -> None:
    """The next request tries again, and says so."""
    failure = Failure(reason="exited", count=1, at=NOW)
    lines = said(record=record(failure=failure), after_s=60)
    assert lines[1:3] == ("The next request wakes it.", "It failed once, 14:02: exited.")


def test_a_wake_that_failed_did_not_wake_it() -> None:
    """An adopted service, or one that somebody started by hand."""
    lines = said([wake_line(outcome="failed")], record=record(Phase.AWAKE))
    assert lines[0] == "web is awake since 14:02 (0 s)."


def test_a_wake_before_the_one_that_failed_did_not_wake_it_either() -> None:
    """The newest wake made it awake, or none did."""
    lines = said([wake_line(outcome="failed"), wake_line()], record=record(Phase.AWAKE))
    assert lines[0] == "web is awake since 14:02 (0 s)."


def test_one_request_waits_and_two_wait() -> None:
    """It is a sentence for people."""
    waking = record(Phase.WAKING)
    assert said(record=waking, activity=activity(held=1))[1] == "1 request waits for it."
    assert said(record=waking, activity=activity(held=2))[1] == "2 requests wait for it."


def test_five_wakes_are_all_listed() -> None:
    """ "And 0 more" is how programs talk."""
    assert said([wake_line()] * 5)[2].startswith("Woken 5 times today: " + ", ".join(["GET / 14:02"] * 5) + ". ")


def test_two_failures_are_in_a_row() -> None:
    """One is bad luck, two are a pattern."""
    lines = said(record=record(failure=Failure(reason="exited", count=2, at=NOW)))
    assert lines[2] == "It failed 2 times in a row, the last time 14:02: exited."


def test_the_wakes_of_today_are_listed_and_the_rest_is_counted() -> None:
    """Today is the day of whoever asks; five are enough to see who it is."""
    wakes = [wake_line(at=NOW - timedelta(hours=number), held=1, served=1) for number in range(20)]
    line = said(wakes)[2]
    assert line == (
        "Woken 15 times today: GET / 14:02, GET / 13:02, GET / 12:02, GET / 11:02, GET / 10:02, and 10 more. "
        "15 requests held, 15 served, 0 lost."
    )


def test_clock_times_are_those_of_whoever_asks() -> None:
    """UTC in the store, local time in a sentence; another day has its date."""
    zone = timezone(timedelta(hours=11))  # where it is past midnight already
    lines = said([wake_line(at=NOW - timedelta(hours=2))], now=NOW.astimezone(zone), record=record(Phase.AWAKE))
    assert lines[0] == "web is awake since 01:02 (0 s); GET / 2026-03-09 23:02 woke it."
    assert lines[2] == "Nothing woke it today."


def test_a_request_that_was_lost_is_not_hidden() -> None:
    """It would be a bug, and this is where it is seen; while a wake runs, its requests are not lost yet."""
    wakes = [wake_line(outcome="waking", held=5), wake_line(held=3, served=1, refused=1)]
    assert said(wakes)[2].endswith("8 requests held, 1 served, 1 told when to come back, 1 lost.")


def monitored() -> list[WakeLine]:
    """Return 14 wakes by a monitor among 25, five of which are too old to matter."""
    return [wake_line(cause="GET /health", agent=ROBOT)] * 14 + [wake_line(agent="curl/8.5.0")] * 11


def test_monitors_that_wake_it_are_named_with_the_cure() -> None:
    """The commonest reason for a bill."""
    assert said(monitored())[-1] == (
        'Monitors wake it: 14 of the last 20 wakes. To answer them asleep: [service.web.ignore] agents = ["monitors"]'
    )


@pytest.mark.parametrize("cured", [IgnoreSpec(agents=("monitors",)), IgnoreSpec(paths=("/health",))])
def test_a_cure_that_is_in_place_is_not_advised(cured: IgnoreSpec) -> None:
    """Those wakes were before it."""
    assert not any("Monitors" in line for line in said(monitored(), spec=service(ignore=cured)))

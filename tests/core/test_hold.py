"""How long a request may wait, and what its client sees when that is not long enough."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wakegate.core.hold import AFTER_WAKE_S, GRAIN_S, Answer, HoldVerdict, decide_hold, hold_timeout_s
from wakegate.core.spec import HoldSpec

SECONDS = st.floats(min_value=0, max_value=1000)
USUAL = st.none() | SECONDS
SPECS = st.builds(
    HoldSpec,
    on_cold=st.sampled_from(("auto", "hold", "page")),
    page_after_s=st.floats(min_value=0, max_value=30),
    timeout_s=st.none() | st.floats(min_value=0.001, max_value=1000),
)


def decide(spec: HoldSpec, **changes: Any) -> HoldVerdict:
    """Decide for a client that is no browser, has waited a little, and knows of no wake before."""
    facts: dict[str, Any] = {
        "held": 0, "waited_s": 0.0, "is_waking": True, "is_navigation": False, "usual_s": None, "elapsed_s": 0.0,
        "wake_timeout_s": 180.0,
    }  # fmt: skip
    return decide_hold(spec, **(facts | changes))


@pytest.mark.parametrize(
    ("timeout_s", "usual_s", "expected_s"),
    [
        (None, None, 180),  # nobody knows: the first wake of a slow framework must not be refused
        (None, 0.84, 10),
        (None, 10, 35),
        (None, 100, 180),
        (25, None, 25),
        (25, 100, 25),
        (500, None, 180),
    ],
)
def test_a_request_may_wait_for_a_wake_that_is_slower_than_usual(
    timeout_s: float | None, usual_s: float | None, expected_s: float
) -> None:
    """The larger of 10 s and 3.5 usual wakes, up to the wake timeout; or what the setting says."""
    assert hold_timeout_s(HoldSpec(timeout_s=timeout_s), usual_s=usual_s, wake_timeout_s=180) == expected_s


@given(SPECS, USUAL, st.floats(min_value=1, max_value=1000))
def test_no_hold_is_longer_than_the_wake_may_take(spec: HoldSpec, usual_s: float | None, wake_timeout_s: float) -> None:
    """Beyond it there is nothing to wait for; and without a setting it is never less than 10 s for want of history."""
    timeout_s = hold_timeout_s(spec, usual_s=usual_s, wake_timeout_s=wake_timeout_s)
    assert 0 < timeout_s <= wake_timeout_s
    if spec.timeout_s is None:
        assert timeout_s >= min(10, wake_timeout_s)


def test_a_newcomer_finds_the_line_full() -> None:
    """Bounded in number: beyond it 503 at once, not a place in a line that never moves."""
    verdict = decide(HoldSpec(depth_max=3), held=3)
    assert verdict.answer is Answer.FULL
    assert "3 requests wait already" in verdict.reason


def test_the_last_seat_is_taken() -> None:
    """`depth_max` may wait, not one less."""
    assert decide(HoldSpec(depth_max=3), held=2).answer is Answer.HOLD


def test_whoever_waits_already_is_not_sent_away_by_a_full_line() -> None:
    """The bound is for newcomers: a seat that was given is not taken back."""
    assert decide(HoldSpec(depth_max=3), held=3, waited_s=0.1).answer is Answer.HOLD


def test_a_browser_gets_the_page_at_once_when_the_wake_takes_long() -> None:
    """Nobody should look at a blank tab for twelve seconds that were foreseen."""
    verdict = decide(HoldSpec(), is_navigation=True, usual_s=12.0, elapsed_s=3.0)
    assert (verdict.answer, verdict.reason) == (Answer.PAGE, "waking up, for 3 s so far")


def test_a_browser_waits_for_a_wake_that_is_nearly_done() -> None:
    """A page that is replaced in a blink is worse than a moment of patience."""
    verdict = decide(HoldSpec(page_after_s=2), is_navigation=True, usual_s=12.0, elapsed_s=11.0)
    assert (verdict.answer, verdict.recheck_s) == (Answer.HOLD, 2.0)


def test_a_wait_that_ends_with_the_patience_is_not_foreseen_to_be_longer() -> None:
    """`page_after` is how long a browser may be held, so it is held for that."""
    assert decide(HoldSpec(page_after_s=2), is_navigation=True, usual_s=5.0, elapsed_s=3.0).answer is Answer.HOLD


def test_a_browser_gets_the_page_when_its_patience_ends() -> None:
    """The wake was expected to be short and is not."""
    verdict = decide(HoldSpec(page_after_s=2), is_navigation=True, usual_s=0.8, elapsed_s=2.5, waited_s=2.0)
    assert verdict.answer is Answer.PAGE


@pytest.mark.parametrize("usual_s", [None, 0.1, 60.0])
def test_on_cold_page_shows_every_browser_the_page_at_once(usual_s: float | None) -> None:
    """As the setting says, however short the wake."""
    verdict = decide(HoldSpec(on_cold="page"), is_navigation=True, usual_s=usual_s)
    assert verdict.answer is Answer.PAGE


@given(USUAL, SECONDS, SECONDS)
def test_on_cold_hold_never_shows_a_page(usual_s: float | None, elapsed_s: float, waited_s: float) -> None:
    """An app that is framed in another must not see ours."""
    spec = HoldSpec(on_cold="hold")
    verdict = decide(spec, is_navigation=True, usual_s=usual_s, elapsed_s=elapsed_s, waited_s=waited_s)
    assert verdict.answer is not Answer.PAGE


@given(SPECS, USUAL, SECONDS, SECONDS)
def test_only_browsers_get_the_page(spec: HoldSpec, usual_s: float | None, elapsed_s: float, waited_s: float) -> None:
    """A program that asked for JSON cannot read it."""
    assert decide(spec, usual_s=usual_s, elapsed_s=elapsed_s, waited_s=waited_s).answer is not Answer.PAGE


def test_a_client_is_told_when_it_has_waited_long_enough() -> None:
    """Bounded in time, and the wake goes on without it."""
    verdict = decide(HoldSpec(timeout_s=25), waited_s=25.0)
    assert (verdict.answer, verdict.reason) == (Answer.TIMEOUT, "still waking after 25 s; the wake goes on")


def test_who_may_wait_for_all_of_the_wake_hears_from_the_wake_how_it_ended() -> None:
    """Both end at the same moment: "still waking" would win over the reason why it failed."""
    assert decide(HoldSpec(), waited_s=180.0).answer is Answer.HOLD
    assert decide(HoldSpec(), waited_s=180.0 + AFTER_WAKE_S).answer is Answer.TIMEOUT


@given(SPECS, USUAL, SECONDS, SECONDS, st.booleans())
def test_the_answer_changes_exactly_when_it_was_said_to(
    spec: HoldSpec, usual_s: float | None, elapsed_s: float, waited_s: float, is_navigation: bool
) -> None:
    """The gateway sets one timer a waiter and looks at nobody in between."""

    def after(seconds: float) -> HoldVerdict:
        return decide(
            spec,
            waited_s=waited_s + seconds,
            elapsed_s=elapsed_s + seconds,
            usual_s=usual_s,
            is_navigation=is_navigation,
        )

    verdict = after(0)
    assume(verdict.answer is Answer.HOLD)
    assert verdict.recheck_s is not None
    assert verdict.recheck_s > 0
    assert after(verdict.recheck_s).answer is not Answer.HOLD
    if verdict.recheck_s > 3 * GRAIN_S:
        assert after(verdict.recheck_s - 3 * GRAIN_S).answer is Answer.HOLD


@given(SPECS, USUAL, st.floats(min_value=0, max_value=1e6), st.booleans())
def test_a_timer_that_rings_a_rounding_early_is_not_set_again(
    spec: HoldSpec, usual_s: float | None, arrived_s: float, is_navigation: bool
) -> None:
    """`now - arrived` loses digits on a machine that is up for long: time must not stand still for that."""
    verdict = decide(spec, usual_s=usual_s, is_navigation=is_navigation)
    assume(verdict.recheck_s is not None)
    assert verdict.recheck_s is not None
    waited_s = (arrived_s + verdict.recheck_s) - arrived_s
    late = decide(spec, waited_s=max(waited_s, 1e-9), elapsed_s=waited_s, usual_s=usual_s, is_navigation=is_navigation)
    assert late.answer is not Answer.HOLD

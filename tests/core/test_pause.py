"""May a service be paused instead of stopped, and when is a paused one stopped after all."""

from math import nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.values import NOW_S

from wakegate.core.pause import Paused, PauseVerdict, decide_pause
from wakegate.core.spec import SleepSpec

SPEC = SleepSpec(mode="pause", then_stop_after_s=3600)
WINDOWS = st.floats(min_value=0.001, max_value=30 * 86_400)


def decided(spec: SleepSpec = SPEC, *, can_pause: bool = True, after_s: float = 0.0) -> PauseVerdict:
    """Decide some time after it was paused."""
    return decide_pause(spec, can_pause=can_pause, since_s=NOW_S, now_s=NOW_S + after_s)


def test_without_being_asked_for_nothing_is_paused() -> None:
    """Memory that nobody uses is not kept unless somebody wants a wake in milliseconds."""
    assert decided(SleepSpec()) == PauseVerdict(pause=False, reason='sleep.mode is "stop"')


def test_a_mode_that_is_taken_back_ends_the_pause() -> None:
    """A reload is heard by what sleeps already."""
    assert not decided(SleepSpec(mode="stop", then_stop_after_s=0), after_s=10).pause


def test_what_cannot_be_paused_is_stopped() -> None:
    """To sleep is asked for; how, is only a wish."""
    assert decided(can_pause=False) == PauseVerdict(pause=False, reason="it cannot be paused here")


def test_it_says_when_it_will_be_stopped() -> None:
    """The tick sleeps exactly until then, and `status` shows the reason."""
    assert decided(after_s=360) == PauseVerdict(pause=True, reason="stops in 54m", recheck_s=3240)


def test_after_the_second_window_it_is_stopped() -> None:
    """The memory of an app that nobody has used for so long is worth more than a quick wake."""
    assert decided(after_s=3600) == PauseVerdict(pause=False, reason="paused for 1h")


def test_without_a_second_window_it_stays_until_it_is_used() -> None:
    """Then no timer is set at all."""
    spec = SleepSpec(mode="pause", then_stop_after_s=0)
    assert decided(spec, after_s=1e9) == PauseVerdict(pause=True, reason="paused until it is used")


def test_a_clock_that_runs_backwards_is_a_bug() -> None:
    """As for the first window."""
    with pytest.raises(AssertionError, match="monotonic"):
        decided(after_s=-1)


@given(WINDOWS, st.floats(min_value=0, max_value=60 * 86_400), st.floats(min_value=0, max_value=1e6))
def test_it_changes_once_and_exactly_when_it_was_said_to(window_s: float, after_s: float, since_s: float) -> None:
    """No sooner (a wake would be cold) and no later (memory would be kept), on a clock of any age."""
    spec = SleepSpec(mode="pause", then_stop_after_s=window_s)
    now_s, rounds = since_s + after_s, 0
    while (verdict := decide_pause(spec, can_pause=True, since_s=since_s, now_s=now_s)).pause:
        assert verdict.recheck_s is not None
        assert now_s + verdict.recheck_s > now_s, "time would stand still"
        deadline_s = since_s + window_s
        before_s = min(nextafter(now_s + verdict.recheck_s, 0), nextafter(deadline_s, 0))
        assert decide_pause(spec, can_pause=True, since_s=since_s, now_s=max(now_s, before_s)).pause
        now_s += verdict.recheck_s
        rounds += 1
    assert now_s >= since_s + window_s
    assert verdict.recheck_s is None
    assert rounds <= 2  # the second is for the one rounding in two additions


@pytest.mark.parametrize(
    ("kept_bytes", "before_bytes", "said"),
    [
        (84_000_000, 96_000_000, "paused, keeps 84 MB (was 96 MB), uses no CPU"),
        (84_000_000, 84_000_000, "paused, keeps 84 MB, uses no CPU"),
        (84_000_000, 84_100_000, "paused, keeps 84 MB, uses no CPU"),
        (84_000_000, 0, "paused, keeps 84 MB, uses no CPU"),
        (0, 0, "paused, uses no CPU"),
    ],
)
def test_it_says_what_it_keeps_and_what_it_saves(kept_bytes: int, before_bytes: int, said: str) -> None:
    """Only what was measured: nothing is claimed where the system gave nothing back, or nobody could look."""
    assert str(Paused(since_s=0, kept_bytes=kept_bytes, before_bytes=before_bytes)) == said

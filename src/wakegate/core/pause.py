"""pause: may a service that goes to sleep be frozen instead of stopped, and when is a frozen one stopped after all."""

from dataclasses import dataclass

from wakegate.core.say import say_bytes, say_duration
from wakegate.core.spec import SleepSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseVerdict:
    """Whether it may be paused now; a "yes" carries when it could become "no" (None: only an event can change it)."""

    pause: bool
    reason: str
    recheck_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """A service that sleeps paused: since when (monotonic), and its memory in bytes; 0: not known (yet)."""

    since_s: float
    kept_bytes: int = 0
    before_bytes: int = 0

    def __str__(self) -> str:
        """Say what it keeps and what it saves: "paused, keeps 84 MB (was 96 MB), uses no CPU"."""
        keeps = f", keeps {say_bytes(self.kept_bytes)}" if self.kept_bytes else ""
        kept, was = say_bytes(self.kept_bytes), say_bytes(self.before_bytes)
        gave = f" (was {was})" if self.before_bytes > self.kept_bytes and was != kept else ""
        return f"paused{keeps}{gave}, uses no CPU"


def decide_pause(spec: SleepSpec, *, can_pause: bool, since_s: float, now_s: float) -> PauseVerdict:
    """Decide for a service that goes to sleep (`since_s` is now), or that is paused since then.

    Deadlines are compared, as in `idle`: `now_s + recheck_s` is the deadline, and not one rounding before it.
    """
    assert now_s >= since_s, "the clock must be monotonic"
    if spec.mode != "pause":
        return PauseVerdict(pause=False, reason=f'sleep.mode is "{spec.mode}"')
    if not can_pause:
        return PauseVerdict(pause=False, reason="it cannot be paused here")
    if not spec.then_stop_after_s:
        return PauseVerdict(pause=True, reason="paused until it is used")
    left_s = since_s + spec.then_stop_after_s - now_s
    if left_s > 0:
        return PauseVerdict(pause=True, reason=f"stops in {say_duration(left_s)}", recheck_s=left_s)
    return PauseVerdict(pause=False, reason=f"paused for {say_duration(now_s - since_s)}")

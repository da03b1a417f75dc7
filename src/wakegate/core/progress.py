"""How far a wake is: what the waiting page and its status answer show, read from the record alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wakegate.core.backoff import retry_at
from wakegate.core.estimate import remaining_s, usual_wake_s
from wakegate.core.phase import Phase
from wakegate.core.record import Failure
from wakegate.core.spec import WakeSpec

RETRY_GAP_S = 2.0  # "try now" is heard at most this often


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A wake at one moment; `usual_s` is the usual wake (median), None until one has been seen."""

    service: str
    phase: Phase
    elapsed_s: float  # since the wake began; 0 where none is under way
    usual_s: float | None
    retry_after_s: float  # p75 of what remains of the wake, or of the backoff
    failure: str = ""  # why the last wake failed; empty where it did not


def progress(
    service: str,
    spec: WakeSpec,
    *,
    phase: Phase,
    elapsed_s: float,
    durations: Sequence[float],
    failure: Failure | None,
    now: datetime,
) -> Progress:
    """Say how far it is; `durations` are those of good wakes, the newest first."""
    failed = failure if phase is Phase.ASLEEP else None
    retry_s = remaining_s(durations, elapsed_s=elapsed_s, timeout_s=spec.timeout_s)
    if failed is not None:
        retry_s = max(0.0, (retry_at(failed, spec) - now).total_seconds())
    return Progress(
        service=service,
        phase=phase,
        elapsed_s=elapsed_s,
        usual_s=usual_wake_s(durations),
        retry_after_s=retry_s,
        failure="" if failed is None else failed.reason,
    )


def may_retry(failure: Failure | None, *, phase: Phase, now: datetime) -> bool:
    """Say whether "try now" is heard: a wake failed, and not only just."""
    if failure is None or phase is not Phase.ASLEEP:
        return False
    age_s = (now - failure.at).total_seconds()
    return not 0 <= age_s < RETRY_GAP_S  # below 0: the clock was set back

"""How far a wake is: what the waiting page and its status answer show, read from the record alone."""

from dataclasses import dataclass

from wakegate.core.phase import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A wake at one moment; `usual_s` is the usual wake (median), None until one has been seen."""

    service: str
    phase: Phase
    elapsed_s: float  # since the wake began; 0 where none is under way
    usual_s: float | None
    retry_after_s: float  # p75 of what remains of the wake, or of the backoff
    failure: str = ""  # why the last wake failed; empty where it did not

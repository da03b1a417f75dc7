"""How long and how often each claim is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    seconds: float = 2.0  # of load, for each subject and round
    rounds: int = 3
    soak_s: float = 45.0

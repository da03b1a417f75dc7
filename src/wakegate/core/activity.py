"""How busy a service is: what the idle and hold decisions read."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A reading of one service at one moment; times are monotonic seconds."""

    in_flight: int
    held: int
    touched_s: float  # the newest request start or end
    keep_until_s: float = 0.0  # somebody or the app asked to be kept awake until then
    keep_reason: str = ""
    users: tuple[str, ...] = ()  # services that need it awake
    unheard: int = 0  # processes that may still let a request in: they have not acknowledged what they were told last
    cpu_percent: float | None = None  # of one core, over all replicas; None where it is not measured


def used_by(users: Iterable[str]) -> str:
    """Say which services need it awake: "used by web"."""
    return f"used by {', '.join(users)}"

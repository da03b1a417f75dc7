"""wake: may this request wake the service, and may the service be tried now?"""

from dataclasses import dataclass
from datetime import datetime

from wakegate.core.backoff import retry_at
from wakegate.core.record import ServiceRecord
from wakegate.core.say import say_duration
from wakegate.core.spec import WakeSpec

# Browsers ask for these by themselves, for a bookmark or a tab of last week: nobody is waiting for the app.
ICONS = ("/favicon.ico", "/apple-touch-icon.png", "/apple-touch-icon-precomposed.png")


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeVerdict:
    """Whether to wake now; if not, in how many seconds it could be yes."""

    wake: bool
    reason: str
    retry_after_s: float = 0.0


def may_wake(spec: WakeSpec, *, method: str, path: str) -> bool:
    """Say whether a request with this method and path (without query) is one that wakes."""
    if spec.on_methods and method not in spec.on_methods:
        return False
    if spec.on_paths:
        return any(_is_under(path, prefix) for prefix in spec.on_paths)
    return not path.endswith(ICONS)


def decide_wake(spec: WakeSpec, record: ServiceRecord, *, now: datetime) -> WakeVerdict:
    """Refuse while the backoff of the last failure has not passed."""
    failure = record.failure
    if failure is None:
        return WakeVerdict(wake=True, reason="first request")
    left_s = (retry_at(failure, spec) - now).total_seconds()
    # A failure in the future: the wall clock was set back, perhaps by a year, and nobody should wait for that.
    if left_s <= 0 or failure.at > now:
        return WakeVerdict(wake=True, reason=f"tried again after: {failure.reason}")
    reason = f"{failure.reason}; next try in {say_duration(left_s)}"
    return WakeVerdict(wake=False, reason=reason, retry_after_s=left_s)


def _is_under(path: str, prefix: str) -> bool:
    """Compare on segment boundaries: "/api" covers "/api/x", not "/apis"."""
    bare = prefix.rstrip("/")
    return path == bare or path.startswith(bare + "/")

"""stop: scale to zero, and write `asleep` only after the call was acknowledged."""

from wakegate.core.phase import Event
from wakegate.local.sleep.sleeper import Sleeper


def stop(service: Sleeper, *, event: Event = Event.GRACE_PASSED) -> None:
    """Stop every replica of a drained service; `event` says why the drain is over."""
    text = service.asleep_text()
    service.go(event, kind="stopping", text="stopping")
    service.stop_replicas()
    service.go(Event.STOP_ACKNOWLEDGED, kind="asleep", text=f"asleep · {text}")

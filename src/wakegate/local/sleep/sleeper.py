"""What the way to sleep may ask of its service."""

from typing import Protocol

from wakegate.core.activity import Activity
from wakegate.core.pause import Paused
from wakegate.core.phase import Event, Phase
from wakegate.core.spec import ServiceSpec
from wakegate.local.flag import Flag


class Sleeper(Protocol):
    """A service as tick, idle, drain and stop see it."""

    spec: ServiceSpec
    changed: Flag  # set whenever the phase, the spec or a keep changes

    @property
    def phase(self) -> Phase:
        """The phase now."""
        ...

    @property
    def phase_since_s(self) -> float:
        """When it began, monotonic."""
        ...

    def activity(self) -> Activity:
        """Return a reading for the decisions."""
        ...

    def go(self, event: Event, *, kind: str, text: str) -> None:
        """Make the phase change of this event and tell the timeline."""
        ...

    def stop_replicas(self) -> None:
        """Ask every replica to end; the call is acknowledged when this returns."""
        ...

    @property
    def can_pause(self) -> bool:
        """Whether its replicas can be frozen here."""
        ...

    def pause_replicas(self) -> None:
        """Freeze one replica and ask the others to end; the call is acknowledged when this returns."""
        ...

    def paused(self) -> Paused | None:
        """Say what is kept paused, None where nothing is."""
        ...

    def stop_paused(self, reason: str) -> None:
        """Ask what is paused to end, and tell why."""
        ...

    def wake_unasked(self) -> float | None:
        """Wake a sleeping service that must be awake without a request: a minimum, its schedule, a user of it.

        Return in how many seconds to ask again, None: only an event can change the answer.
        """
        ...

    def save_activity(self) -> None:
        """Write the newest activity to the store if it is newer than what is there."""
        ...

    def asleep_text(self) -> str:
        """Say how long it was awake and what it did: "was awake 5m 08s · 214 requests · 0 lost"."""
        ...

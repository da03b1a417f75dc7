"""keep: keep a service awake for a while, or end that."""

from datetime import timedelta

from wakegate.aws.operate.remote import Remote
from wakegate.core.errors import ConflictError, WakegateError
from wakegate.core.phase import Phase

SECONDS_MAX = 366 * 86_400.0
TRIES = 20  # under load every touch makes another version


def keep(remote: Remote, seconds: float, *, reason: str) -> Phase:
    """Keep the service awake for this long from now, whatever was said before; 0 ends that. It does not wake.

    Return how it is: where it sleeps, the keep holds only once something has woken it.
    """
    if not 0 <= seconds <= SECONDS_MAX:
        raise WakegateError("a service can be kept awake for 366 days at most")
    for _ in range(TRIES):
        record = remote.keeper.load()
        until = remote.clock.now() + timedelta(seconds=seconds) if seconds else None
        try:
            remote.keeper.write(record, keep_until=until, keep_reason=reason if seconds else "")
        except ConflictError:
            continue
        return record.phase
    raise WakegateError(f"{remote.stack.service}: its record changes too fast just now; try again")

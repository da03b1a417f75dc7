"""sleep: asked for by an operator; drain -> stop, by the same rows of the table as any other sleep."""

from datetime import timedelta

from wakegate.aws.operate.remote import Remote
from wakegate.core.errors import ConflictError, WakegateError
from wakegate.core.phase import Event, Phase
from wakegate.core.record import ServiceRecord

PAUSE_S = 0.5
GIVE_UP_S = 150.0


def sleep(remote: Remote, *, force: bool = False) -> None:
    """Return when the service is asleep; a request during the drain cancels that, unless it is forced.

    It also ends a keep: who says "sleep now" means now.
    """
    has_drained = False
    give_up_at = remote.clock.now() + timedelta(seconds=GIVE_UP_S)
    while remote.clock.now() < give_up_at:
        try:
            record = remote.keeper.load()
            if record.phase is Phase.ASLEEP:
                return
            if record.phase is Phase.AWAKE and has_drained and not force:
                raise WakegateError(f"{record.name}: a request came while it was draining; with --force it is cut")
            has_drained = has_drained or record.phase is Phase.DRAINING
            _advance(remote, record, force=force)
        except ConflictError:
            continue  # somebody else has moved it on
    raise WakegateError(f"{remote.stack.service} is still not asleep; see: wakegate doctor {remote.stack.name}")


def _advance(remote: Remote, record: ServiceRecord, *, force: bool) -> None:
    keeper, waker = remote.keeper, remote.waker
    if record.phase is Phase.AWAKE:
        keeper.go(record, Event.SLEEP_ASKED, keep_until=None, keep_reason="")
    elif record.phase is Phase.WAKING:
        until = waker.lease(remote.settings.life_s)
        waker.stop(keeper.go(record, Event.SLEEP_ASKED, targets=(), wake_by=None, owner=remote.me, owner_until=until))
    elif record.phase is Phase.DRAINING and force:
        remote.cleanup.stop(record, Event.GRACE_PASSED)
    elif record.phase is Phase.DRAINING or waker.is_free(record):
        remote.cleanup.tick({})
    else:
        remote.clock.sleep(PAUSE_S)

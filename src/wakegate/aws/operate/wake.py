"""wake: begin it as a request does, leave it to the functions, and watch the record until it is awake."""

from wakegate.aws.operate.remote import Remote
from wakegate.core.errors import ConflictError, WakegateError
from wakegate.core.phase import Event, Phase
from wakegate.core.record import ServiceRecord

PAUSE_S = 1.0
SLACK_S = 90.0  # a function that has to give up may first have to be called by its schedule


def wake(remote: Remote) -> bool:
    """Return when the service is awake, and whether that took a wake; a failed wake is an error.

    A backoff does not hold it up: an operator who asks again has perhaps mended it.
    """
    began = False
    give_up_at = remote.waker.lease(remote.settings.spec.wake.timeout_s + SLACK_S)
    while remote.clock.now() < give_up_at:
        try:
            record = remote.keeper.load()
            if record.phase is Phase.AWAKE and record.targets:
                return began
            if record.phase is Phase.ASLEEP and began and record.failure is not None:
                raise WakegateError(f"{record.name}: {record.failure.reason}; see: wakegate doctor {remote.stack.name}")
            _advance(remote, record)
            began = True
        except ConflictError:
            continue  # somebody else has moved it on
    raise WakegateError(f"{remote.stack.service} is still not awake; see: wakegate doctor {remote.stack.name}")


def _advance(remote: Remote, record: ServiceRecord) -> None:
    """Do the next thing; the functions, which reach the tasks, do the watching."""
    waker = remote.waker
    if record.phase is Phase.ASLEEP:
        waker.hand_on(waker.begin(record, Event.REQUEST_ARRIVED, is_forced=True))
    elif record.phase is Phase.AWAKE:
        waker.hand_on(waker.begin(record, Event.TARGETS_LOST, is_forced=True))
    elif record.phase is Phase.DRAINING:
        active_at = max(remote.clock.now(), record.last_active_at)
        remote.keeper.go(record, Event.REQUEST_ARRIVED, last_active_at=active_at)
    elif record.phase is Phase.STOPPING and waker.is_free(record):
        waker.hand_on(waker.begin(record, Event.LEASE_EXPIRED, is_forced=True))
    else:
        if record.phase is Phase.WAKING:
            remote.tick()
        remote.clock.sleep(PAUSE_S)

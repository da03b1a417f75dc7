"""Which target a request goes to: where its session went before, else where least is in flight."""

from wakegate.core.session import rendezvous
from wakegate.core.spec import ServiceSpec
from wakegate.local.lane import Target, Waiter


def choose(waiter: Waiter, targets: list[Target]) -> Target:
    """Return the target for this request; a session moves only when its target is gone or full."""
    if len(targets) == 1:
        return targets[0]
    if waiter.session_id is None:
        return min(targets, key=lambda target: target.in_flight)
    key = rendezvous(waiter.session_id, [target.key for target in targets])
    return next(target for target in targets if target.key == key)


def room(spec: ServiceSpec, targets: list[Target]) -> list[Target]:
    """Return the targets that may get one more: a herd must not fell what it has just woken."""
    herd_max, busy_max = spec.hold.target_connections_max, spec.scale.concurrency_max
    return [
        target for target in targets if target.unanswered < herd_max and (not busy_max or target.in_flight < busy_max)
    ]

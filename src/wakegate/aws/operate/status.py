"""status: how a deployed service is, by its record and by what ECS runs, and what will happen to it next."""

from dataclasses import dataclass
from datetime import datetime

from wakegate.aws.operate.ask import AskError
from wakegate.aws.operate.remote import WallClock, remote_table
from wakegate.aws.operate.stack import Stack
from wakegate.aws.record import NEVER, activity_of
from wakegate.aws.settings import Settings
from wakegate.core import ledger
from wakegate.core.backoff import retry_at
from wakegate.core.estimate import remaining_s, usual_wake_s
from wakegate.core.idle import decide_idle
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.core.say import say_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedStatus:
    """One row; what only a function's memory knows (requests in flight) is not in it."""

    stack: str
    name: str
    url: str
    phase: Phase
    since: datetime | None  # None: nobody has come yet
    replicas_ready: int  # targets that requests go to
    replicas_running: int
    replicas_wanted: int
    replicas_max: int
    last_active_at: datetime | None
    usual_wake_s: float | None
    keep_until: datetime | None
    failure: str
    is_scheduled: bool | None  # whether the cleanup is called each minute; None: not to be found out
    next: str


def status(stack: Stack, *, clock: WallClock | None = None) -> DeployedStatus:
    """Return how the service of a stack is."""
    clock = clock or WallClock()
    table = remote_table(stack, clock=clock)
    record, durations = table.load(), ledger.durations(table.wakes())
    if record is None:
        record = ServiceRecord(name=stack.service, version=0, phase=Phase.ASLEEP, since=NEVER, last_active_at=NEVER)
    seen = stack.describe_service()
    return DeployedStatus(
        stack=stack.name,
        name=record.name,
        url=stack.url,
        phase=record.phase,
        since=None if record.since == NEVER else record.since,
        replicas_ready=len(record.targets),
        replicas_running=int(seen.get("runningCount", 0)),
        replicas_wanted=int(seen.get("desiredCount", 0)),
        replicas_max=stack.replicas_max,
        last_active_at=None if record.last_active_at == NEVER else record.last_active_at,
        usual_wake_s=usual_wake_s(durations),
        keep_until=record.keep_until if record.keep_until and record.keep_until > clock.now() else None,
        failure="" if record.failure is None else record.failure.reason,
        is_scheduled=is_scheduled(stack),
        next=say_next(record, stack.settings, durations=durations, now=clock.now()),
    )


def say_next(record: ServiceRecord, settings: Settings, *, durations: tuple[float, ...], now: datetime) -> str:
    """Say what will happen to it next."""
    spec, usual_s = settings.spec, usual_wake_s(durations)
    if record.phase is Phase.WAKING:
        assert record.wake_by is not None, "a wake has an end"
        elapsed_s = max(0.0, spec.wake.timeout_s - (record.wake_by - now).total_seconds())
        left_s = remaining_s(durations, elapsed_s=elapsed_s, timeout_s=spec.wake.timeout_s)
        return f"ready in ≈ {say_duration(left_s)}"
    if record.phase is Phase.ASLEEP:
        failed = "" if record.failure is None else f"; the last wake failed: {record.failure.reason}"
        if record.failure is not None and (left_s := (retry_at(record.failure, spec.wake) - now).total_seconds()) > 0:
            return f"next try in {say_duration(left_s)}{failed}"
        about = "" if usual_s is None else f" in ≈ {say_duration(usual_s)}"
        return f"wakes{about} on the first request{_kept(record, now=now)}{failed}"
    if record.phase is not Phase.AWAKE:
        return "goes to sleep"
    verdict = decide_idle(spec, activity_of(record, now=now), now_s=now.timestamp())
    if verdict.sleep:
        return "sleeps at the next look of the cleanup"
    if verdict.recheck_s is None or "kept" in verdict.reason:
        return verdict.reason
    return f"sleeps in {say_duration(verdict.recheck_s)}"


def _kept(record: ServiceRecord, *, now: datetime) -> str:
    """Say how long it will then be kept awake; nothing where nobody has asked for it."""
    left_s = 0.0 if record.keep_until is None else (record.keep_until - now).total_seconds()
    return f", then kept awake for {say_duration(left_s)} more ({record.keep_reason})" if left_s > 0 else ""


def is_scheduled(stack: Stack) -> bool | None:
    """Say whether the cleanup is called each minute; None: not to be found out."""
    try:
        rule = stack.asker.ask("events", "describe_rule", Name=stack.output("CleanupRule"))
    except AskError:
        return None
    return bool(rule.get("State") == "ENABLED")

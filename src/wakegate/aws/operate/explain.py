"""explain: why a deployed service is awake or asleep, from its record and the wakes that its table remembers."""

from dataclasses import replace

from wakegate.aws.operate.remote import WallClock, remote_table
from wakegate.aws.operate.stack import Stack
from wakegate.aws.operate.status import is_scheduled
from wakegate.aws.record import activity_of
from wakegate.core.explain import explain as sentences
from wakegate.core.ledger import WakeLine, line_of
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord

UNSCHEDULED = (
    "Nothing looks at it each minute, so that only the hourly look puts it to sleep: "
    "its schedule is off, which wakegate doctor mends."
)


def explain(stack: Stack, *, clock: WallClock | None = None) -> tuple[str, ...]:
    """Return the sentences; clock times are said in the zone of this machine."""
    clock = clock or WallClock()
    table = remote_table(stack, clock=clock)
    record = table.load()
    if record is None:
        return (f"{stack.service} is asleep: nobody has come yet.", "The first request wakes it.")
    now = clock.now().astimezone()
    if record.phase is Phase.WAKING and record.woken is not None:
        record = replace(record, since=record.woken.at)  # there it says which tasks may be trusted
    said = sentences(
        spec=stack.settings.spec,
        record=record,
        activity=activity_of(record, now=now),
        wakes=wakes_of(record, table.wakes()),
        now=now,
        now_s=now.timestamp(),
        last_request="",
        is_counted=False,
    )
    is_forgotten = record.phase is not Phase.ASLEEP and is_scheduled(stack) is False
    return (*said, UNSCHEDULED) if is_forgotten else said


def wakes(stack: Stack, *, limit: int, clock: WallClock | None = None) -> tuple[WakeLine, ...]:
    """Return its newest wakes, the newest first."""
    table = remote_table(stack, clock=clock or WallClock())
    record, lines = table.load(), table.wakes()
    return (lines if record is None else wakes_of(record, lines))[:limit]


def wakes_of(record: ServiceRecord, lines: tuple[WakeLine, ...]) -> tuple[WakeLine, ...]:
    """Return the wakes that are over, and before them the one that the record tells of and that is not among them.

    It still goes on; or somebody else has started the tasks; or whoever ended it could not write its line.
    """
    woken = record.woken
    if woken is None or any(line.at >= woken.at for line in lines):
        return lines
    failure = record.failure
    if record.phase is Phase.WAKING:
        outcome = "waking"
    elif failure is not None and failure.at >= woken.at:
        outcome = "failed"
    else:
        outcome = "ready"
    reason = failure.reason if failure is not None and outcome == "failed" else ""
    return (line_of(woken, service=record.name, outcome=outcome, reason=reason), *lines)

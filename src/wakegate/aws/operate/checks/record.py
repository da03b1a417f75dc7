"""Does the record say what ECS does, and did the last wake end well?"""

from datetime import UTC, datetime

from wakegate.aws.operate.check import Check, fail, ok, warn
from wakegate.aws.operate.remote import WallClock, remote_table
from wakegate.aws.operate.stack import Stack
from wakegate.core.phase import Phase
from wakegate.core.say import say_duration

NAME = "record"
LATE_S = 120.0  # two looks of the cleanup


def check_record(stack: Stack) -> list[Check]:
    """Compare the record with the service; what the functions mend by themselves is given the time to."""
    record = remote_table(stack, clock=WallClock()).load()
    service = stack.describe_service()
    desired, running = int(service.get("desiredCount", 0)), int(service.get("runningCount", 0))
    tasks = f"{running} of {desired} tasks run"
    if record is None:
        return [ok(NAME, f"nobody has come yet; {tasks}")]
    now = datetime.now(UTC)
    age_s = (now - record.since).total_seconds()
    wake = f"wakegate wake --aws {stack.name}"
    if record.phase is Phase.WAKING and record.wake_by is not None and (now - record.wake_by).total_seconds() > LATE_S:
        late = say_duration((now - record.wake_by).total_seconds())
        return [fail(NAME, f"waking since long: it should have been given up {late} ago; {tasks}", wake)]
    if record.phase in (Phase.DRAINING, Phase.STOPPING) and age_s > LATE_S:
        return [fail(NAME, f"{record.phase} for {say_duration(age_s)}; {tasks}", f"wakegate sleep --aws {stack.name}")]
    if record.phase is Phase.AWAKE and desired == 0 and age_s > LATE_S:
        return [warn(NAME, f"awake, but {tasks}; the next request wakes it again", wake)]
    if record.phase is Phase.ASLEEP and desired > 0 and age_s > LATE_S:
        saw = f"asleep, but {tasks}; the cleanup adopts them within the hour, until then they cost"
        return [warn(NAME, saw, wake)]
    if record.failure is not None:
        count = record.failure.count
        times = "the last wake" if count == 1 else f"the last {count} wakes"
        return [warn(NAME, f"{record.phase}; {times} failed: {record.failure.reason}")]
    return [ok(NAME, f"{record.phase}; {tasks}")]

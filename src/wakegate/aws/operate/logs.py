"""logs: the newest lines of the app and of both functions, and those that follow."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from wakegate.aws.change import read_change, say_change
from wakegate.aws.operate.ask import AskError
from wakegate.aws.operate.stack import Stack
from wakegate.core.errors import WakegateError

WINDOWS_S = (600, 7_200, 86_400, 14 * 86_400)  # looked back in turn until there are enough lines
LATE_S = 20.0  # CloudWatch shows a line some seconds after it was written
PAUSE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line: when, of what ("app", "startup", "cleanup"), and what it says."""

    at: datetime
    source: str
    text: str
    id: str


def newest(stack: Stack, sources: tuple[str, ...], *, lines: int, now_s: float | None = None) -> list[LogLine]:
    """Return the newest lines of these, the oldest first."""
    end_s = time.time() if now_s is None else now_s
    found: list[LogLine] = []
    for window_s in WINDOWS_S:
        if lines <= 0:
            break
        found = _read(stack, sources, since_s=end_s - window_s)
        if len(found) >= lines:
            break
    return found[-lines:] if lines > 0 else []


def follow(
    stack: Stack,
    sources: tuple[str, ...],
    *,
    lines: int,
    now_s: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[LogLine]:
    """Yield the newest lines, and then each as it comes; it has no end."""
    first = newest(stack, sources, lines=lines, now_s=now_s())
    yield from first
    since_s = now_s() - LATE_S
    seen = {line.id for line in _read(stack, sources, since_s=since_s)} | {line.id for line in first}
    for _ in count():
        sleep(PAUSE_S)
        began_s = now_s()
        recent = _read(stack, sources, since_s=since_s)
        yield from (line for line in recent if line.id not in seen)
        seen |= {line.id for line in recent}
        since_s = max(since_s, began_s - LATE_S)


def say(line: LogLine) -> str:
    """Return what is shown of a line: a change of phase in words, with the time of this machine's zone, else itself."""
    change = read_change(line.text)
    return line.text if change is None else f"{line.at.astimezone():%Y-%m-%d %H:%M:%S}  {say_change(change)}"


def recent(stack: Stack, source: str, *, since_s: float) -> list[LogLine]:
    """Return what one of them has written since then, the oldest first."""
    return _read(stack, (source,), since_s=since_s)


def _read(stack: Stack, sources: tuple[str, ...], *, since_s: float) -> list[LogLine]:
    groups = stack.log_groups
    unknown = [source for source in sources if source not in groups]
    if unknown:
        raise WakegateError(f'nothing here is called "{unknown[0]}"; there is {", ".join(groups)}')
    found: list[LogLine] = []
    for source in sources:
        try:
            events = stack.asker.every(
                "logs",
                "filter_log_events",
                "events",
                logGroupName=groups[source],
                startTime=int(since_s * 1000),
            )
        except AskError as error:
            if not error.is_missing:
                raise
            raise AskError(f"the log group {groups[source]} is gone", code=error.code) from error
        found += [
            LogLine(
                at=datetime.fromtimestamp(event["timestamp"] / 1000, tz=UTC),
                source=source,
                text=event["message"].rstrip("\n"),
                id=f"{source}:{event.get('eventId')}:{event['timestamp']}",
            )
            for event in events
        ]
    return sorted(found, key=lambda line: line.at)

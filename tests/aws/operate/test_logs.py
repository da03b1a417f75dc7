"""logs: the newest lines of the app and of the functions, and those that follow."""

import time

import pytest
from tests.account.account import Account
from tests.aws.operate.conftest import visit

from wakegate.aws.operate.logs import follow, newest, recent
from wakegate.aws.operate.stack import Stack
from wakegate.core.errors import WakegateError

NOW_S = time.time()


def write(account: Account, group: str, *lines: tuple[float, str]) -> None:
    """Write lines of so many seconds ago."""
    logs = account.client("logs")
    stream = f"stream-{time.monotonic_ns()}"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    events = [{"timestamp": int((NOW_S - ago_s) * 1000), "message": text} for ago_s, text in lines]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def test_the_newest_lines_of_several_groups_stand_in_order(deployed: Account, stack: Stack) -> None:
    """What the app says is understood by what the functions said before."""
    write(deployed, stack.log_groups["app"], (50_000.0, "long ago\n"), (30.0, "app starts"), (10.0, "app listens"))
    write(deployed, stack.log_groups["cleanup"], (20.0, "cleanup looks"))
    found = newest(stack, ("app", "cleanup"), lines=3, now_s=NOW_S)
    assert [(line.source, line.text) for line in found] == [
        ("app", "app starts"), ("cleanup", "cleanup looks"), ("app", "app listens")
    ]  # fmt: skip
    assert newest(stack, ("app", "cleanup"), lines=4, now_s=NOW_S)[0].text == "long ago"
    assert newest(stack, ("app",), lines=0) == []
    assert [line.text for line in recent(stack, "app", since_s=NOW_S - 15)] == ["app listens"]


def test_what_follows_comes_once_even_when_it_comes_late(deployed: Account, stack: Stack) -> None:
    """CloudWatch shows a line seconds after it was written: by its stamp alone it would be missed, or shown twice."""
    group = stack.log_groups["startup"]
    write(deployed, group, (5.0, "before"))
    later = iter([((4.0, "late"), (1.0, "first")), (), ((0.5, "last"),)])

    def sleep(_: float) -> None:
        if lines := next(later):
            write(deployed, group, *lines)

    lines = follow(stack, ("startup",), lines=1, now_s=lambda: NOW_S, sleep=sleep)
    assert sorted(next(lines).text for _ in range(4)) == ["before", "first", "last", "late"]


def test_what_is_not_there_is_said(deployed: Account, stack: Stack) -> None:
    """A misspelt source, and a group that somebody has deleted."""
    with pytest.raises(WakegateError, match='nothing here is called "web"; there is app, startup, cleanup'):
        newest(stack, ("web",), lines=1)
    assert visit(deployed) == 200
    deployed.client("logs").delete_log_group(logGroupName=stack.log_groups["app"])
    with pytest.raises(WakegateError, match="the log group /ecs/my-scaling-task is gone"):
        newest(stack, ("app",), lines=1)

"""sessions: the live ones, by a scan of the table: it has no index of them, which would cost at every request."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor
from typing import Any

from wakegate.aws.items import binary, session_of_item
from wakegate.aws.operate.stack import Stack
from wakegate.core.session import Session

ITEMS_MAX = 20_000  # that are read; each page of 1 MB costs half a read unit per 4 KB


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """What was found, the most recently seen first; not all where the table has more items than are read."""

    sessions: tuple[Session, ...]
    is_complete: bool


def sessions(stack: Stack, *, limit: int, now: datetime | None = None, items_max: int = ITEMS_MAX) -> Sessions:
    """Return the newest of the live sessions; this reads the table, so not for a monitor that asks each minute."""
    now_s = floor((now or datetime.now(UTC)).timestamp())
    found: list[Session] = []
    read, start = 0, dict[str, Any]()
    while True:
        answer = stack.asker.ask(
            "dynamodb",
            "scan",
            TableName=stack.table,
            FilterExpression="begins_with(#uuid, :session) AND #service = :service AND #expires > :now",
            ExpressionAttributeNames={"#uuid": "uuid", "#service": "service", "#expires": "expires"},
            ExpressionAttributeValues={
                ":session": {"S": "session#"}, ":service": {"S": stack.service}, ":now": {"N": str(now_s)},
            },
            Limit=min(1000, items_max),
            **start,
        )  # fmt: skip
        found += [_session(item) for item in answer["Items"]]
        read += answer["ScannedCount"]
        if "LastEvaluatedKey" not in answer or read >= items_max:
            break
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    found.sort(key=lambda one: one.last_seen_at, reverse=True)
    return Sessions(sessions=tuple(found[:limit]), is_complete="LastEvaluatedKey" not in answer)


def _session(item: dict[str, Any]) -> Session:
    """Read an item as the SDK has it: bytes are bytes there already."""
    return session_of_item(item | ({"data": binary(item["data"]["B"])} if "data" in item else {}))

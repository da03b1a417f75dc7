"""items: records, sessions and the signing key as DynamoDB items, and back; one table has them all, by `uuid`.

Stamps are ISO 8601 in UTC with microseconds: of one length, so that DynamoDB compares them as text.
"""

from base64 import b64decode, b64encode
from datetime import UTC, datetime
from math import ceil
from typing import Any

from wakegate.core.ledger import WakeLine
from wakegate.core.phase import Phase
from wakegate.core.record import Failure, ServiceRecord, Woken
from wakegate.core.session import Session

Item = dict[str, Any]

SECRET = "secret"  # noqa: S105  the key of the item, not what is in it
TOKEN = "written_by"  # noqa: S105  the attribute that says which write made the record what it is


def service_key(service: str) -> Item:
    """Return the key of a service's record."""
    return {"uuid": {"S": f"service#{service}"}}


def session_key(session_id: str) -> Item:
    """Return the key of a session."""
    return {"uuid": {"S": f"session#{session_id}"}}


def wakes_key(service: str) -> Item:
    """Return the key of the service's newest wakes."""
    return {"uuid": {"S": f"wakes#{service}"}}


def secret_key() -> Item:
    """Return the key of the signing key."""
    return {"uuid": {"S": SECRET}}


def stamp(at: datetime) -> str:
    """Write a moment."""
    assert at.tzinfo is not None, "stamps are aware"
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def epoch(at: datetime) -> str:
    """Write a moment as DynamoDB's TTL reads it: whole seconds, rounded up."""
    return str(ceil(at.timestamp()))


def moment(text: str) -> datetime:
    """Read a moment."""
    return datetime.fromisoformat(text)


def binary(data: bytes) -> Item:
    """Write bytes."""
    return {"B": b64encode(data).decode()}


def octets(attribute: Item) -> bytes:
    """Read bytes."""
    return b64decode(attribute["B"])


def item_of_record(record: ServiceRecord, *, token: str) -> Item:
    """Write a record; what is unset has no attribute."""
    item: Item = service_key(record.name) | {
        "version": {"N": str(record.version)},
        "phase": {"S": str(record.phase)},
        "since": {"S": stamp(record.since)},
        "last_active_at": {"S": stamp(record.last_active_at)},
        "targets": {"L": [{"S": target} for target in record.targets]},
        TOKEN: {"S": token},
    }
    for name, at in (
        ("wake_by", record.wake_by), ("owner_until", record.owner_until), ("keep_until", record.keep_until)
    ):  # fmt: skip
        if at is not None:
            item[name] = {"S": stamp(at)}
    for name, text in (("owner", record.owner), ("keep_reason", record.keep_reason)):
        if text:
            item[name] = {"S": text}
    if record.failure is not None:
        item["failure_reason"] = {"S": record.failure.reason}
        item["failure_count"] = {"N": str(record.failure.count)}
        item["failure_at"] = {"S": stamp(record.failure.at)}
    if record.woken is not None:
        item["woken_by"] = {"S": record.woken.cause}
        item["woken_agent"] = {"S": record.woken.agent}
        item["woken_at"] = {"S": stamp(record.woken.at)}
    return item


def record_of_item(item: Item) -> ServiceRecord:
    """Read a record."""
    failure = None
    if "failure_at" in item:
        failure = Failure(
            reason=_text(item, "failure_reason"),
            count=int(item["failure_count"]["N"]),
            at=moment(item["failure_at"]["S"]),
        )
    woken = None
    if "woken_at" in item:
        woken = Woken(cause=_text(item, "woken_by"), agent=_text(item, "woken_agent"), at=moment(item["woken_at"]["S"]))
    return ServiceRecord(
        name=item["uuid"]["S"].removeprefix("service#"),
        version=int(item["version"]["N"]),
        phase=Phase(item["phase"]["S"]),
        since=moment(item["since"]["S"]),
        last_active_at=moment(item["last_active_at"]["S"]),
        targets=tuple(target["S"] for target in item["targets"]["L"]),
        wake_by=_moment(item, "wake_by"),
        owner=_text(item, "owner"),
        owner_until=_moment(item, "owner_until"),
        failure=failure,
        keep_until=_moment(item, "keep_until"),
        keep_reason=_text(item, "keep_reason"),
        woken=woken,
    )


def item_of_wake(line: WakeLine) -> Item:
    """Write a wake as an entry of the service's list of them."""
    return {
        "M": {
            "at": {"S": stamp(line.at)},
            "cause": {"S": line.cause},
            "agent": {"S": line.agent},
            "outcome": {"S": line.outcome},
            "reason": {"S": line.reason},
            "duration_s": {"N": f"{line.duration_s:.3f}"},
        }
    }


def wake_of_item(entry: Item, *, service: str) -> WakeLine:
    """Read a wake; its beginning is its name, as a service has one wake at a time."""
    item = entry["M"]
    return WakeLine(
        id=item["at"]["S"],
        service=service,
        at=moment(item["at"]["S"]),
        cause=_text(item, "cause"),
        agent=_text(item, "agent"),
        outcome=_text(item, "outcome"),
        reason=_text(item, "reason"),
        duration_s=float(item["duration_s"]["N"]),
    )


def session_of_item(item: Item) -> Session:
    """Read a session."""
    return Session(
        id=item["uuid"]["S"].removeprefix("session#"),
        service=item["service"]["S"],
        created_at=moment(item["created_at"]["S"]),
        last_seen_at=moment(item["last_seen_at"]["S"]),
        requests=int(item["requests"]["N"]),
        expires=datetime.fromtimestamp(int(item["expires"]["N"]), tz=UTC),
        data=octets(item["data"]) if "data" in item else b"",
    )


def _text(item: Item, name: str) -> str:
    return str(item[name]["S"]) if name in item else ""


def _moment(item: Item, name: str) -> datetime | None:
    return moment(item[name]["S"]) if name in item else None

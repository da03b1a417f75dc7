"""table: the record, the sessions and the signing key in DynamoDB; implements `cloud.Table`.

A write that came through and whose answer was lost is told from a conflict by the token it leaves in the record.
"""

import os
from datetime import datetime

from wakegate.aws.call import Caller, ConditionError
from wakegate.aws.cloud import Clock, UnknownOutcomeError
from wakegate.aws.dynamo import DynamoClient
from wakegate.aws.items import (
    TOKEN,
    Item,
    binary,
    epoch,
    item_of_record,
    item_of_wake,
    octets,
    record_of_item,
    secret_key,
    service_key,
    session_key,
    session_of_item,
    stamp,
    wake_of_item,
    wakes_key,
)
from wakegate.core.errors import ConflictError
from wakegate.core.ledger import WakeLine, newest
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.core.session import Session

SECRET_BYTES = 32
WITHIN_S = 5.0  # a call and its repeats: DynamoDB answers in milliseconds, or something is wrong

# Aliases throughout: half the dictionary is reserved in expressions.
_VERSION = {"#version": "version"}
_TOUCH = {**_VERSION, "#at": "last_active_at"}
_REFRESH = {**_VERSION, "#targets": "targets", "#phase": "phase", "#since": "since"}
_KEEP = {**_VERSION, "#until": "keep_until", "#reason": "keep_reason"}
_SESSION = {
    "#service": "service", "#created": "created_at", "#seen": "last_seen_at", "#expires": "expires",
    "#requests": "requests",
}  # fmt: skip
_ONE: Item = {":one": {"N": "1"}}


class DynamoTable:
    """See `cloud.Table`; every read is consistent."""

    def __init__(self, client: DynamoClient, *, table: str, service: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._service = service
        self._caller = Caller(clock, within_s=WITHIN_S)
        self._secret = b""

    def close(self) -> None:
        """Close the connection; a function never does."""
        self._client.close()

    def load(self) -> ServiceRecord | None:
        """See `cloud.Table.load`."""
        item = self._get(service_key(self._service))
        return None if item is None else record_of_item(item)

    def save(self, record: ServiceRecord, *, expected_version: int) -> None:
        """See `cloud.Table.save`."""
        assert record.name == self._service
        assert record.version == expected_version + 1, "every write adds one to the version"
        token = os.urandom(8).hex()
        item = item_of_record(record, token=token)
        try:
            if expected_version == 0:
                self._put(item, "attribute_not_exists(#version)", _VERSION)
            else:
                self._put(item, "#version = :expected", _VERSION, {":expected": {"N": str(expected_version)}})
        except ConditionError as error:
            self._explain(error, token=token, expected_version=expected_version)

    def touch(self, at: datetime) -> ServiceRecord | None:
        """See `cloud.Table.touch`; a second write only where the record is ahead of `at`."""
        try:
            return self._touch("SET #at = :at ADD #version :one", "#at < :at", _TOUCH, {":at": {"S": stamp(at)}})
        except ConditionError:
            pass
        try:
            return self._touch("ADD #version :one", "attribute_exists(#version)", _VERSION, {})
        except ConditionError:
            return None

    def refresh(self, targets: tuple[str, ...], *, phase: Phase, since: datetime) -> None:
        """See `cloud.Table.refresh`."""
        listed: Item = {":targets": {"L": [{"S": target} for target in targets]}}
        seen: Item = {":phase": {"S": str(phase)}, ":since": {"S": stamp(since)}}
        try:
            self._update(
                service_key(self._service),
                "SET #targets = :targets ADD #version :one",
                condition="#phase = :phase AND #since = :since",
                names=_REFRESH,
                values=_ONE | listed | seen,
            )
        except ConditionError as error:
            raise ConflictError(f"{self._service}: is not {phase} any more, or again") from error

    def keep(self, until: datetime, *, reason: str) -> None:
        """See `cloud.Table.keep`."""
        try:
            self._update(
                service_key(self._service),
                "SET #until = :until, #reason = :reason ADD #version :one",
                condition="attribute_exists(#version) AND (attribute_not_exists(#until) OR #until < :until)",
                names=_KEEP,
                values=_ONE | {":until": {"S": stamp(until)}, ":reason": {"S": reason}},
            )
        except ConditionError:
            return  # kept longer already, or nothing to keep

    def wakes(self) -> tuple[WakeLine, ...]:
        """See `cloud.Table.wakes`."""
        item = self._get(wakes_key(self._service))
        entries = [] if item is None else item["wakes"]["L"]
        return tuple(wake_of_item(entry, service=self._service) for entry in entries)

    def add_wake(self, line: WakeLine) -> None:
        """See `cloud.Table.add_wake`."""
        lines = newest((line, *self.wakes()))
        self._put(wakes_key(self._service) | {"wakes": {"L": [item_of_wake(one) for one in lines]}})

    def get_session(self, session_id: str) -> Session | None:
        """See `cloud.Table.get_session`."""
        item = self._get(session_key(session_id))
        return None if item is None else session_of_item(item)

    def put_session(self, session: Session, *, requests: int, with_data: bool) -> None:
        """See `cloud.Table.put_session`; a repeat after a lost answer counts the requests twice."""
        values: Item = {
            ":service": {"S": session.service},
            ":created": {"S": stamp(session.created_at)},
            ":seen": {"S": stamp(session.last_seen_at)},
            ":expires": {"N": epoch(session.expires)},
            ":requests": {"N": str(requests)},
        }
        update = (
            "SET #service = if_not_exists(#service, :service), #created = if_not_exists(#created, :created), "
            "#seen = :seen, #expires = :expires"
        )
        names = _SESSION
        if with_data:
            update, names = f"{update}, #data = :data", {**_SESSION, "#data": "data"}
            values[":data"] = binary(session.data)
        update += " ADD #requests :requests"
        self._update(session_key(session.id), update, condition="", names=names, values=values)

    def secret(self) -> bytes:
        """See `cloud.Table.secret`; asked for once in the life of an environment."""
        if not self._secret:
            self._secret = self._load_secret() or self._make_secret()
        return self._secret

    def _explain(self, error: ConditionError, *, token: str, expected_version: int) -> None:
        """Return when our own write is what stands in the way; else say whose it is, or that nobody can know."""
        if not error.is_doubtful:
            raise ConflictError(f"{self._service}: version {expected_version} is not the newest any more") from error
        stored = self._get(service_key(self._service))
        if stored is not None and stored.get(TOKEN) == {"S": token}:
            return  # an earlier attempt came through, and since then at most touches
        version = 0 if stored is None else int(stored["version"]["N"])
        if version <= expected_version + 1:
            raise ConflictError(
                f"{self._service}: version {expected_version} was expected, there is {version}"
            ) from error
        raise UnknownOutcomeError(f"{self._service}: written over before it was known to be written") from error

    def _load_secret(self) -> bytes:
        item = self._get(secret_key())
        return b"" if item is None else octets(item["value"])

    def _make_secret(self) -> bytes:
        """Be the first, or take what the first has made; after a lost answer that may have been us."""
        made = os.urandom(SECRET_BYTES)
        try:
            self._put(secret_key() | {"value": binary(made)}, "attribute_not_exists(#value)", {"#value": "value"})
        except ConditionError:
            return self._load_secret()
        return made

    def _get(self, key: Item) -> Item | None:
        parameters = {"TableName": self._table, "Key": key, "ConsistentRead": True}
        answer = self._caller.call("read the table", lambda: self._client.call("GetItem", parameters))
        item: Item | None = answer.get("Item")
        return item

    def _put(
        self, item: Item, condition: str = "", names: dict[str, str] | None = None, values: Item | None = None
    ) -> None:
        parameters: Item = {"TableName": self._table, "Item": item}
        if condition:
            parameters |= {"ConditionExpression": condition, "ExpressionAttributeNames": names}
        if values:
            parameters["ExpressionAttributeValues"] = values
        self._caller.call("write to the table", lambda: self._client.call("PutItem", parameters))

    def _touch(self, update: str, condition: str, names: dict[str, str], values: Item) -> ServiceRecord:
        key = service_key(self._service)
        return record_of_item(self._update(key, update, condition=condition, names=names, values=_ONE | values))

    def _update(self, key: Item, update: str, *, condition: str, names: dict[str, str], values: Item) -> Item:
        parameters: Item = {
            "TableName": self._table,
            "Key": key,
            "UpdateExpression": update,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "ReturnValues": "ALL_NEW",
        }
        if condition:
            parameters["ConditionExpression"] = condition
        answer = self._caller.call("update the table", lambda: self._client.call("UpdateItem", parameters))
        item: Item = answer["Attributes"]
        return item

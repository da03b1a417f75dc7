"""dynamo: DynamoDB's JSON protocol, signed, over one kept connection; what `table.py` speaks through.

Not through the SDK: importing it and making a client takes most of a cold start, and this table needs three calls.
Signature Version 4 as in the AWS reference; `tests/aws/test_dynamo.py` checks it against the SDK's own.
"""

import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest as hmac_digest
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from select import select
from typing import Any
from urllib.parse import urlsplit

from wakegate.aws.call import CallError

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 1.0, 2.0  # it answers in milliseconds: better a new connection than a long wait

_TYPE = "application/x-amz-json-1.0"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs; `token` is that of a role, "" for a user."""

    access_key: str
    secret_key: str
    token: str = ""


class DynamoClient:
    """Makes calls one at a time; `credentials` is asked for each, as they may be rotated."""

    def __init__(
        self,
        endpoint: str,
        *,
        region: str,
        credentials: Callable[[], Credentials],
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        url = urlsplit(endpoint)
        assert url.hostname is not None, "an endpoint is a URL"
        self._is_tls = url.scheme == "https"
        self._host, self._port, self._name = url.hostname, url.port, url.netloc
        self._region = region
        self._credentials = credentials
        self._utc = utc
        self._read_timeout_s = read_timeout_s
        self._connection: HTTPConnection | None = None
        self._context: ssl.SSLContext | None = None

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return DynamoDB's answer, or raise `CallError`."""
        body = json.dumps(parameters).encode()
        headers = {"host": self._name, "content-type": _TYPE, "x-amz-target": f"DynamoDB_20120810.{operation}"}
        headers = signed(headers, body=body, region=self._region, credentials=self._credentials(), now=self._utc())
        connection = self._connected()
        self._connection = None  # kept again only after a whole answer
        try:
            connection.request("POST", "/", body, headers)
            response = connection.getresponse()
            status, data = response.status, response.read()
        except (OSError, HTTPException) as error:
            connection.close()
            raise CallError(f"the connection to DynamoDB broke: {error!r}") from error
        if not response.will_close:
            self._connection = connection
        return _answer(status, data)

    def close(self) -> None:
        """Close the kept connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> HTTPConnection:
        """Return the kept connection, if DynamoDB has not closed it meanwhile, else a new one."""
        kept = self._connection
        if kept is not None:
            if kept.sock is not None and not select([kept.sock], (), (), 0)[0]:
                return kept
            kept.close()
        new = HTTPConnection(self._host, self._port, timeout=CONNECT_TIMEOUT_S)
        if self._is_tls:
            self._context = self._context or ssl.create_default_context()
            new = HTTPSConnection(self._host, self._port, timeout=CONNECT_TIMEOUT_S, context=self._context)
        try:
            new.connect()
        except OSError as error:
            new.close()
            raise CallError(f"DynamoDB cannot be reached: {error!r}", is_sent=False) from error
        new.sock.settimeout(self._read_timeout_s)
        return new


def signed(
    headers: dict[str, str], *, body: bytes, region: str, credentials: Credentials, now: datetime
) -> dict[str, str]:
    """Return the headers with a signature for `POST /`; their names in lower case."""
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    headers = headers | {"x-amz-date": stamp}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"POST\n/\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{region}/dynamodb/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac_digest(key, part.encode(), "sha256")
    signature = hmac_digest(key, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _answer(status: int, data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data)
    except ValueError as error:
        raise CallError(f"DynamoDB answered {status} and no JSON", status=status) from error
    if not isinstance(answer, dict):
        raise CallError(f"DynamoDB answered {status} and no JSON object", status=status)
    if status == 200:
        return answer
    code = str(answer.get("__type", "")).rpartition("#")[2] or f"HTTP {status}"
    raise CallError(str(answer.get("message", answer.get("Message", ""))), code=code, status=status)

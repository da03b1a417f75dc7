"""result: what the function returns to the front, in payload format 2.0: the app's answer, or one of our own."""

import json
import os
import re
from base64 import b64encode
from typing import Any

from wakegate.answer.reply import Reply
from wakegate.aws import prefix as prefixes
from wakegate.aws.cloud import AppResponse
from wakegate.aws.payload import (
    CONTROL,
    HOP_BY_HOP,
    PAYLOAD_BYTES_MAX,
    TOKEN,
    Headers,
    Incoming,
    header,
    named_by_connection,
)
from wakegate.core.errors import BadResponseError

_SURELY_SMALL = PAYLOAD_BYTES_MAX // 6 - 64 * 1024  # a character takes six bytes at most; the rest is for the headers
_UTF8_RUNTIMES = frozenset(f"AWS_Lambda_python3.{minor}" for minor in range(12, 20))
_TEXT = re.compile(
    r"text/|application/(?:[\w.-]*\+)?(?:json|xml|javascript|x-javascript|yaml)\b|application/x-www-form-urlencoded"
    r"|image/svg\+xml",
    re.IGNORECASE,
)
_NOT_TO_CLIENT = HOP_BY_HOP | {"content-length", "x-request-id"}


def from_app(response: AppResponse, incoming: Incoming, *, service: str, added: Headers = ()) -> dict[str, Any]:
    """Write what the function returns for the app's answer; `added` are our own headers, Set-Cookie among them.

    Raise `BadResponseError` for an answer that cannot go through: over 6 MB, or with control characters in its head.
    """
    dropped = named_by_connection(response.headers)
    kept: list[tuple[str, str]] = []
    for name, value in response.headers:
        lower = name.lower()
        if not TOKEN.fullmatch(name) or CONTROL.search(value):
            raise BadResponseError(service, f"its answer has a header that is not HTTP: {name[:40]!a}")
        if lower in _NOT_TO_CLIENT or lower in dropped or lower.startswith("wakegate-"):
            if lower == "content-length" and incoming.method == "HEAD":
                kept.append((name, value))
            continue
        kept.append((name, _for_client(lower, value, incoming)))
    payload = _payload(response.status, (*kept, ("X-Request-Id", incoming.request_id), *added))
    if response.body and incoming.method != "HEAD" and response.status not in (204, 304):
        _put_body(payload, response.body, headers=response.headers)
    _check_size(payload, service=service)
    return payload


def too_large(service: str, *, size: int) -> BadResponseError:
    """Return the error for an answer that cannot go through a function; it says what to do instead."""
    return BadResponseError(
        service,
        f"its answer takes {size / 1e6:.1f} MB on its way, and a Lambda function returns at most 6 MiB (a third less "
        "where it is binary): compress it, send it in ranges, or let the client fetch it from S3",
    )


def write_reply(reply: Reply, *, is_head: bool) -> dict[str, Any]:
    """Write what the function returns for an answer of our own."""
    lines: list[tuple[str, str]] = [("Cache-Control", "no-store"), ("X-Request-Id", reply.request_id)]
    if reply.kind:
        lines.append(("Content-Type", reply.kind))
    if reply.retry_after_s is not None:
        lines.append(("Retry-After", str(reply.retry_after_s)))
    payload = _payload(reply.status, (*lines, *reply.headers))
    if reply.body and not is_head:
        payload["body"] = reply.body.decode()  # ours is text
    return payload


def _for_client(lower: str, value: str, incoming: Incoming) -> str:
    if lower == "location":
        return prefixes.location(value, prefix=incoming.prefix, host=incoming.host, proto=incoming.proto)
    if lower == "set-cookie":
        return prefixes.cookie(value, prefix=incoming.prefix)
    return value


def _payload(status: int, headers: Headers) -> dict[str, Any]:
    """Return an answer without a body: one value a name, cookies by themselves."""
    one: dict[str, str] = {}
    names: dict[str, str] = {}
    cookies = []
    for name, value in headers:
        lower = name.lower()
        if lower == "set-cookie":
            cookies.append(value)
        elif lower in names:
            one[names[lower]] += f", {value}"
        else:
            names[lower] = name
            one[name] = value
    payload: dict[str, Any] = {"statusCode": status, "headers": one, "body": "", "isBase64Encoded": False}
    if cookies:
        payload["cookies"] = cookies
    return payload


def _put_body(payload: dict[str, Any], body: bytes, *, headers: Headers) -> None:
    """Put the body in as text where it is, and base64 is not shorter; all else goes as base64."""
    coding = (header(headers, "content-encoding") or "identity").strip().lower()
    if coding in ("", "identity") and _TEXT.match(header(headers, "content-type") or ""):
        try:
            text = body.decode()
        except UnicodeDecodeError:
            pass
        else:
            if len(body) < _SURELY_SMALL or _size(text) <= len(body) * 4 // 3:
                payload["body"] = text
                return
    payload["body"], payload["isBase64Encoded"] = b64encode(body).decode(), True


def _check_size(payload: dict[str, Any], *, service: str) -> None:
    if len(payload["body"]) < _SURELY_SMALL:
        return
    size = _size(payload)
    if size > PAYLOAD_BYTES_MAX:
        raise too_large(service, size=size)


def _size(value: object) -> int:
    """Return how many bytes the runtime will make of it: since Python 3.12 it writes UTF-8, before that ASCII."""
    if os.environ.get("AWS_EXECUTION_ENV") in _UTF8_RUNTIMES:
        return len(json.dumps(value, ensure_ascii=False).encode())
    return len(json.dumps(value))

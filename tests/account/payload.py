"""HTTP into payload format 2.0 and back, as API Gateway and Function URLs do it."""

import json
import time
import uuid
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.account.moto import ACCOUNT_ID
from tests.account.wire import Headers, Request, Response

_TEXT = ("text/", "application/json", "application/javascript", "application/xml")
_HOP_BY_HOP = ("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length")


class MalformedError(Exception):
    """What the function returned is no response."""


def event(
    request: Request, *, domain: str, api_id: str, stage: str, route_key: str, path: str, parameters: dict[str, str]
) -> dict[str, Any]:
    """Write the event; `path` is what rawPath shall be."""
    headers = _joined(request.headers)
    cookies = headers.pop("cookie", "")
    request_id = uuid.uuid4().hex[:15] + "="
    forwarded = headers.get("x-forwarded-for")
    headers |= {
        "x-amzn-trace-id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}",
        "x-forwarded-for": f"{forwarded}, {request.peer}" if forwarded else request.peer,
        "x-forwarded-port": headers.get("host", "").rpartition(":")[2] or "80",
        "x-forwarded-proto": "http",
    }
    found: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT_ID if ".execute-api." in domain else "anonymous",
            "apiId": api_id,
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.peer,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": route_key,
            "stage": stage,
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "timeEpoch": int(time.time() * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        found["cookies"] = [pair.strip() for pair in cookies.replace(",", ";").split(";") if pair.strip()]
    if request.query:
        found["queryStringParameters"] = _joined(parse_qsl(request.query, keep_blank_values=True), lower=False)
    if parameters:
        found["pathParameters"] = parameters
    if request.body:
        found["body"], found["isBase64Encoded"] = _body(request.body, headers)
    return found


def response(payload: bytes, *, request_id: str = "") -> Response:
    """Read what the function returned; without a statusCode it is a body in JSON."""
    try:
        value = json.loads(payload)
    except ValueError as error:
        raise MalformedError("not JSON") from error
    if not isinstance(value, dict) or "statusCode" not in value:
        body = value if isinstance(value, str) else json.dumps(value)
        return Response(status=200, headers=[("Content-Type", "application/json")], body=body.encode())
    status, body = value["statusCode"], value.get("body") or ""
    headers = value.get("headers") or {}
    is_wrong = (
        not isinstance(body, str) or not isinstance(headers, dict) or not isinstance(value.get("cookies", []), list)
    )
    if is_wrong or not str(status).isdigit() or not 100 <= int(status) <= 599:
        raise MalformedError("the response has a wrong shape")
    try:
        data = b64decode(body, validate=True) if value.get("isBase64Encoded") else body.encode()
    except ValueError as error:
        raise MalformedError("the body is not base64") from error
    lines: Headers = []
    for name, one in headers.items():
        is_length = name.lower() == "content-length" and not data  # of an answer to HEAD
        if name.lower() not in _HOP_BY_HOP or is_length:
            lines.append((name, "true" if one is True else "false" if one is False else str(one)))
    if not any(name.lower() == "content-type" for name, _ in lines) and data:
        lines.append(("Content-Type", "text/plain; charset=utf-8"))
    lines += [("Set-Cookie", str(cookie)) for cookie in value.get("cookies", [])]
    if request_id:
        lines.append(("Apigw-Requestid", request_id))
    return Response(status=int(status), headers=lines, body=data)


def message(status: int, text: str) -> Response:
    """Return an answer of the gateway itself."""
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return Response(status=status, headers=[("Content-Type", "application/json")], body=body)


def decoded(path: str) -> str:
    """Return the path as an HTTP API passes it on: decoded, so that an encoded slash is lost."""
    return unquote(path)


def _joined(pairs: Iterable[tuple[str, str]], *, lower: bool = True) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower() if lower else name
        found[key] = f"{found[key]},{value}" if key in found else value
    return found


def _body(body: bytes, headers: dict[str, str]) -> tuple[str, bool]:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if "content-encoding" not in headers and (kind.startswith(_TEXT) or kind.endswith(("+json", "+xml"))):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return b64encode(body).decode(), True

"""payload: API Gateway's payload format 2.0 as requests and responses; a Lambda Function URL speaks the same.

    read(event) -> Incoming -> to_app() -> AppRequest; the way back is `result.py`

What the front decides (a stage before the path, duplicates joined by commas, base64) ends here.
"""

import os
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from wakegate.aws import prefix as prefixes
from wakegate.aws.cloud import AppRequest
from wakegate.core.errors import BadRequestError, BodyTooLargeError

Headers = tuple[tuple[str, str], ...]

PAYLOAD_BYTES_MAX = 6 * 1024 * 1024  # of an invocation's event, and of what it returns

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # what may stand in no header, CR and LF above all
HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings")
)

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_NOT_IN_TARGET = re.compile(r"[^!-~]|#")  # visible ASCII may stand in a request target, a fragment may not
_IN_PATH = "/:@!$&'()*+,;=~"  # RFC 3986: what a path may have unencoded
_NOT_TO_APP = HOP_BY_HOP | {
    "host", "content-length", "cookie", "expect", "forwarded", "x-request-id", "x-forwarded-for", "x-forwarded-host",
    "x-forwarded-port", "x-forwarded-prefix", "x-forwarded-proto",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One request as its client meant it."""

    method: str
    path: str  # as the app shall see it, percent-encoded, without the prefix
    prefix: str  # "/prod" where clients see a stage or a mapping key before the path, else ""
    query: str  # as sent, "" for none
    headers: Headers  # names in lower case, repeated ones joined by commas
    cookies: tuple[str, ...]  # "name=value"
    body: bytes
    host: str
    source_ip: str
    proto: str  # "https" but in front of an emulated account
    request_id: str
    is_function_url: bool  # a front that waits as long as the function may run; an HTTP API gives up after 30 s

    @property
    def target(self) -> str:
        """Return path and query, in origin form."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def is_page(self) -> bool:
        """Say whether a browser navigates to it."""
        mode = header(self.headers, "sec-fetch-mode")
        is_navigation = mode == "navigate" or (mode is None and header(self.headers, "sec-fetch-dest") is None)
        return self.method == "GET" and is_navigation and "text/html" in (header(self.headers, "accept") or "").lower()

    @property
    def is_preflight(self) -> bool:
        """Say whether a browser asks whether a page of another origin may send a request."""
        return self.method == "OPTIONS" and header(self.headers, "access-control-request-method") is not None

    @property
    def is_same_origin(self) -> bool:
        """Say whether a browser sent it from a page of the same origin (or no browser did)."""
        return (header(self.headers, "sec-fetch-site") or "none") in ("same-origin", "none")

    def cookie(self, name: str) -> str | None:
        """Return the value of the first cookie of this name."""
        for pair in self.cookies:
            found, _, value = pair.partition("=")
            if found.strip() == name:
                return value.strip().strip('"')
        return None


def header(headers: Headers, name: str) -> str | None:
    """Return the last value of a header, None where it is not; `name` in lower case."""
    return next((value for key, value in reversed(headers) if key.lower() == name), None)


def named_by_connection(headers: Headers) -> set[str]:
    """Return the names of the headers that are about one connection only, beyond the known ones."""
    values = [value for name, value in headers if name.lower() == "connection"]
    return {token.strip().lower() for token in ",".join(values).split(",")} - {"", "content-length"}


def read(event: Any, *, base_path: str = "") -> Incoming:
    """Read an event; `base_path` is the mapping key of the custom domain. Raise what is wrong with the request."""
    try:
        if event.get("version") != "2.0":
            raise BadRequestError("this function reads payload format 2.0: set it in the integration of the API")
        return _read(event, base_path=base_path)
    except (KeyError, TypeError, AttributeError, UnicodeEncodeError) as error:
        raise BadRequestError(f"the event is not of payload format 2.0: {error!r}") from error


def request_id(event: Any) -> str:
    """Return the client's own request id, or the front's; total, so that a refused event can be answered, too."""
    parts = [event.get(name) if isinstance(event, dict) else None for name in ("headers", "requestContext")]
    headers, context = (part if isinstance(part, dict) else {} for part in parts)
    ids = [value for name, value in headers.items() if str(name).lower() == "x-request-id"]
    ids.append(context.get("requestId"))
    return next((one for one in ids if isinstance(one, str) and _REQUEST_ID.fullmatch(one)), "") or os.urandom(8).hex()


def to_app(incoming: Incoming, *, session_id: str = "", session_data: bytes = b"") -> AppRequest:
    """Write the request for the app: without what was the client's connection, with what the front has seen."""
    dropped = named_by_connection(incoming.headers)
    lines = [("Host", incoming.host)]
    for name, value in incoming.headers:
        is_ours = name.startswith(("wakegate-", "x-wakegate-"))
        if name not in _NOT_TO_APP and name not in dropped and not is_ours:
            lines.append((name, value))
    if incoming.cookies:
        lines.append(("Cookie", "; ".join(incoming.cookies)))
    lines += _forwarded(incoming)
    lines.append(("X-Request-Id", incoming.request_id))
    if session_id:
        lines.append(("X-Wakegate-Session", session_id))
    if session_data:
        lines.append(("Wakegate-Session-Data", session_data.decode("latin-1")))
    return AppRequest(method=incoming.method, target=incoming.target, headers=tuple(lines), body=incoming.body)


def _read(event: Any, *, base_path: str) -> Incoming:
    context = event["requestContext"]
    http, domain = context["http"], context.get("domainName", "")
    headers = tuple((str(name).lower(), str(value)) for name, value in (event.get("headers") or {}).items())
    _check_head(http["method"], headers)
    is_function_url = ".lambda-url." in domain
    path = prefixes.strip(event, base_path=base_path)
    if not path.startswith("/"):
        raise BadRequestError(f"{path[:60]!a} is not a path")
    cookies = event.get("cookies") or (header(headers, "cookie") or "").split(";")
    cookies = tuple(pair.strip() for pair in cookies if pair.strip())
    if any(CONTROL.search(pair) for pair in cookies):
        raise BadRequestError("a cookie has control characters")
    proto = (header(headers, "x-forwarded-proto") or "https").rpartition(",")[2].strip().lower()
    host = header(headers, "host") or domain
    if not _HOST.fullmatch(host):
        raise BadRequestError(f"Host {host[:60]!a} is not a host name with an optional port")
    return Incoming(
        method=http["method"],
        path=_encoded(path) if is_function_url else quote(path, safe=_IN_PATH),  # an HTTP API has decoded it
        prefix=prefixes.of_event(event, base_path=base_path),
        query=_encoded(event.get("rawQueryString") or ""),
        headers=headers,
        cookies=cookies,
        body=_body(event),
        host=host,
        source_ip=http.get("sourceIp") or "",
        proto=proto if proto in ("http", "https") else "https",
        request_id=request_id(event),
        is_function_url=is_function_url,
    )


def _check_head(method: str, headers: Headers) -> None:
    if not TOKEN.fullmatch(method) or method == "CONNECT":
        raise BadRequestError(f"{method[:40]!a} is not a method that is forwarded")
    for name, value in headers:
        if not TOKEN.fullmatch(name) or CONTROL.search(value):
            raise BadRequestError(f"header {name[:40]!a} has control characters, or a name that is not HTTP")


def _body(event: Any) -> bytes:
    body = event.get("body") or ""
    if len(body) > PAYLOAD_BYTES_MAX:
        raise BodyTooLargeError(f"a body over {PAYLOAD_BYTES_MAX} bytes does not go through a Lambda function")
    if not event.get("isBase64Encoded"):
        return str(body).encode()
    try:
        return b64decode(body, validate=True)
    except ValueError as error:
        raise BadRequestError("the body is said to be base64 and is not") from error


def _encoded(text: str) -> str:
    """Encode what may not stand in a request target; what is encoded already stays."""
    if CONTROL.search(text):
        raise BadRequestError("the path or the query has control characters")
    return _NOT_IN_TARGET.sub(lambda match: quote(match[0], safe=""), text)


def _forwarded(incoming: Incoming) -> Headers:
    """Say who asked and how; the front has added the client's address to X-Forwarded-For already."""
    address = incoming.source_ip or "unknown"
    chain = header(incoming.headers, "x-forwarded-for") or ""
    if chain.rpartition(",")[2].strip() != address:
        chain = f"{chain}, {address}" if chain else address
    port = (header(incoming.headers, "x-forwarded-port") or "").rpartition(",")[2].strip()
    node = f'"[{address}]"' if ":" in address else address
    element = f'for={node};host="{incoming.host}";proto={incoming.proto}'
    before = header(incoming.headers, "forwarded")
    lines = [
        ("X-Forwarded-For", chain),
        ("X-Forwarded-Host", incoming.host),
        ("X-Forwarded-Proto", incoming.proto),
        ("X-Forwarded-Port", port if port.isdigit() else ("443" if incoming.proto == "https" else "80")),
        ("Forwarded", f"{before}, {element}" if before else element),
    ]
    if incoming.prefix:
        lines.append(("X-Forwarded-Prefix", incoming.prefix))
    return tuple(lines)

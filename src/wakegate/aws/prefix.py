"""prefix: what the front puts before every path, taken off on the way in and put back on the way out.

The front is the stage ("/prod") of an HTTP API, or the mapping key of a custom domain. Reports differ on which of them
the path of a request through a custom domain begins with: so both are known here, and the route says where they end.
"""

import re
from typing import Any
from urllib.parse import urlsplit

_COOKIE_PATH = re.compile(r"(;[ \t]*path[ \t]*=[ \t]*)(/[^;]*)", re.IGNORECASE)


def of_event(event: Any, *, base_path: str) -> str:
    """Return the prefix as clients see it: "" or "/prod"; `base_path` counts on custom domains only."""
    context = event["requestContext"]
    if _is_custom_domain(context):
        return _prefix(base_path)
    stage = context.get("stage", "$default")
    return "" if stage == "$default" else _prefix(stage)


def strip(event: Any, *, base_path: str) -> str:
    """Return `rawPath` without what the front put before it; at most one prefix goes, and only whole segments."""
    context, raw_path = event["requestContext"], event["rawPath"] or "/"
    stage = context.get("stage", "$default")
    known = [_prefix(base_path)] if _is_custom_domain(context) else []
    known += [] if stage == "$default" else [_prefix(stage)]
    proxy = (event.get("pathParameters") or {}).get("proxy")
    if isinstance(proxy, str) and raw_path.endswith(f"/{proxy}"):
        before = raw_path[: -len(proxy) - 1]
        if not before or before in known:  # the route {proxy+} has said where the app's path begins
            return f"/{proxy}"
    for prefix in known:
        if prefix and starts_with(raw_path, prefix):
            return raw_path[len(prefix) :] or "/"
    return str(raw_path)


def starts_with(path: str, prefix: str) -> bool:
    """Say whether the first segments of a path are these."""
    return path.startswith(prefix) and path[len(prefix) :][:1] in ("", "/", "?", "#")


def location(value: str, *, prefix: str, host: str, proto: str) -> str:
    """Rewrite a Location for the client: the prefix on paths, and on URLs of our own host its scheme, too.

    What has the prefix already (an app that knows X-Forwarded-Prefix), another host, and "//host" stay as they are.
    """
    if value.startswith("/") and not value.startswith(("//", "/\\")):
        return value if starts_with(value, prefix) else prefix + value
    if not value.lower().startswith(("http://", "https://")):
        return value
    try:
        parts = urlsplit(value)
    except ValueError:
        return value
    if _plain_host(parts.netloc, scheme=parts.scheme) != _plain_host(host, scheme=proto):
        return value
    rest = value.partition("://")[2][len(parts.netloc) :]
    rest = rest if rest.startswith("/") else f"/{rest}"
    return f"{proto}://{host}{rest if starts_with(rest, prefix) else prefix + rest}"


def cookie(value: str, *, prefix: str) -> str:
    """Rewrite the Path of a Set-Cookie; a `__Host-` cookie must keep its "/"."""
    if not prefix or value.startswith("__Host-"):
        return value
    return _COOKIE_PATH.sub(lambda match: match[1] + _cookie_path(match[2].rstrip(), prefix=prefix), value)


def _cookie_path(path: str, *, prefix: str) -> str:
    if starts_with(path, prefix):
        return path
    return prefix if path == "/" else prefix + path  # "/prod" covers "/prod" and all below, "/prod/" not the first


def _is_custom_domain(context: Any) -> bool:
    domain, api = context.get("domainName", ""), context.get("apiId", "")
    return bool(domain) and ".execute-api." not in domain and not domain.startswith(f"{api}.")


def _prefix(text: str) -> str:
    stripped = text.strip("/")
    return f"/{stripped}" if stripped else ""


def _plain_host(host: str, *, scheme: str) -> str:
    """Return a host in lower case, without the port that its scheme implies."""
    return host.lower().removesuffix(":443" if scheme == "https" else ":80")

"""Sessions: a signed id nobody else can issue, and the replica that a session sticks to."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from hmac import compare_digest
from hmac import digest as hmac_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One visitor across requests, sleeps and scaling; `data` is the app's own, opaque to us."""

    id: str
    service: str
    created_at: datetime
    last_seen_at: datetime
    requests: int
    expires: datetime
    data: bytes = b""


def sign(session_id: str, *, service: str, secret: bytes) -> str:
    """Return the cookie value of a session: its id, a dot, and a MAC that only we can make."""
    assert session_id.isascii(), "ids are ours: 22 URL-safe characters"
    assert session_id, "an empty id is nobody's"
    assert "." not in session_id, "the first dot ends the id"
    return f"{session_id}.{_mac(session_id, service, secret)}"


def verify(cookie: str, *, service: str, secret: bytes) -> str | None:
    """Return the session id of a cookie value that we issued for this service, else None; total for any string."""
    session_id, dot, mac = cookie.partition(".")
    if not dot or not session_id or not mac.isascii() or not session_id.isascii():
        return None
    return session_id if compare_digest(mac, _mac(session_id, service, secret)) else None


def rendezvous(session_id: str, keys: Sequence[str]) -> str:
    """Return the key with the highest random weight (Thaler, Ravishankar): when one goes, only its sessions move."""
    assert keys, "a session goes to one of several targets"
    start = session_id.encode() + b"\0"
    return max(keys, key=lambda key: blake2b(start + key.encode(), digest_size=8).digest())


def shareable(cache_control: str) -> bool:
    """Say whether a shared cache may keep a response with this Cache-Control (RFC 9111): it must carry no cookie."""
    parts = [part.partition("=") for part in cache_control.lower().split(",")]
    directives = {name.strip(): value.strip(' "') for name, _, value in parts}
    # `private="set-cookie"` keeps only that field private, and no-cache only means asked for again: both may be kept.
    if "no-store" in directives or directives.get("private") == "":
        return False
    is_fresh = directives.get("max-age", "").strip("0") != ""
    return is_fresh or not directives.keys().isdisjoint(("public", "s-maxage"))


def _mac(session_id: str, service: str, secret: bytes) -> str:
    assert "\0" not in service, "the first NUL separates: no other service and id make the same text"
    digest = hmac_digest(secret, f"{service}\0{session_id}".encode(), "sha256")[:16]
    return urlsafe_b64encode(digest).rstrip(b"=").decode()

"""reply: an answer of our own as a value, before a substrate puts it on its wire."""

from dataclasses import dataclass

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer. A 204 has no body; nobody may store it: it is about this moment."""

    status: int
    request_id: str
    kind: str = ""  # Content-Type
    body: bytes = b""
    retry_after_s: int | None = None
    headers: Headers = ()  # beyond those that the fields above say

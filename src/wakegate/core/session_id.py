"""The id of a session: when it was issued, and enough randomness that nobody guesses another's.

The time in it tells, without a row, that a session is over: else a cookie whose row was purged would come to life
again. It also keeps the rows of active sessions together, so that a flush writes fewer pages.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

RANDOM_BYTES = 12  # the guideline for session ids asks for 8; an id must be signed by us besides


def make_id(*, issued_at: datetime, random: bytes) -> str:
    """Return 22 URL-safe characters: the second of issue in 4 bytes, then the random ones."""
    assert len(random) == RANDOM_BYTES
    raw = int(issued_at.timestamp()).to_bytes(4, "big") + random
    return urlsafe_b64encode(raw)[:22].decode()


def issued_at(session_id: str) -> datetime | None:
    """Return the second of issue of an id of ours, None for one of another form."""
    try:
        raw = urlsafe_b64decode(session_id[:6] + "==")
    except ValueError:
        return None
    return datetime.fromtimestamp(int.from_bytes(raw, "big"), tz=UTC) if len(raw) == 4 else None

"""Time stamps as the store keeps them: whole microseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    """Return the stamp of a moment."""
    return (at - EPOCH) // MICROSECOND


def from_us(stamp: int) -> datetime:
    """Return the moment of a stamp."""
    return EPOCH + timedelta(microseconds=stamp)


def maybe_us(at: datetime | None) -> int | None:
    """Return the stamp of a moment that may be unset."""
    return None if at is None else to_us(at)


def maybe_from(stamp: int | None) -> datetime | None:
    """Return the moment of a stamp that may be unset."""
    return None if stamp is None else from_us(stamp)

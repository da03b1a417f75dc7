"""Durations and sizes as people write them: "1h30m", "250ms", "64KiB", "10MB"; read, and written back."""

import re
from decimal import Decimal

from wakegate.config.show import UnfitError, show

NUMBER = r"[0-9]{1,16}(?:\.[0-9]{1,6})?"
UNITS_S = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
UNITS_BYTES = {
    "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40
}  # fmt: skip

# Larger units first, each at most once. No lookaround: editors check schemas with engines that have none.
DURATION_PATTERN = rf"(?:{NUMBER}d)?(?:{NUMBER}h)?(?:{NUMBER}m)?(?:{NUMBER}s)?(?:{NUMBER}ms)?"
BYTES_PATTERN = rf"{NUMBER} ?(?:[KMGTkmgt][iI]?)?[bB]"

_PART = re.compile(rf"({NUMBER})(ms|[dhms])")


def duration_s(text: str) -> float:
    """Return the seconds of "5m", "1h30m" or "250ms"; raise `UnfitError` with a sentence for the user."""
    if not text or not re.fullmatch(DURATION_PATTERN, text):
        if re.fullmatch(NUMBER, text):
            raise UnfitError(f'"{text}" has no unit; write "{text}s"')
        raise UnfitError(f'{show(text)} is no duration; write "5m" or "300s"')
    return sum(float(number) * UNITS_S[unit] for number, unit in _PART.findall(text))


def bytes_count(text: str) -> int:
    """Return the bytes of "64KiB" or "10MB"; raise `UnfitError` with a sentence for the user."""
    if not re.fullmatch(BYTES_PATTERN, text):
        raise UnfitError(f'{show(text)} is no size; write "64KiB", "10MB" or a number of bytes')
    number = re.match(NUMBER, text)
    assert number is not None
    return round(Decimal(number[0]) * UNITS_BYTES[text[number.end() :].strip().upper()])


def write_duration(seconds: float) -> str:
    """Write seconds so that `duration_s` reads the same milliseconds: 5400 -> "1h30m"."""
    left_ms = round(seconds * 1000)
    parts = []
    for unit, unit_s in UNITS_S.items():
        count, left_ms = divmod(left_ms, round(unit_s * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def write_bytes(count: int) -> str:
    """Write a size in the largest unit that divides it, powers of two first: 65536 -> "64KiB"."""
    for unit in ("TiB", "GiB", "MiB", "KiB", "TB", "GB", "MB", "KB"):
        size = UNITS_BYTES[unit.upper()]
        if count and count % size == 0:
            return f"{count // size}{unit}"
    return f"{count}B"

"""The kinds that count or measure: durations, sizes, whole numbers, numbers; each within bounds."""

from dataclasses import dataclass
from math import isfinite

from wakegate.config.kind import Kind, Schema, is_integer
from wakegate.config.quantity import (
    BYTES_PATTERN,
    DURATION_PATTERN,
    bytes_count,
    duration_s,
    write_bytes,
    write_duration,
)
from wakegate.config.show import UnfitError, show

YEAR_S = 366 * 86_400.0
INTEGER_MAX = 2**53 - 1  # the largest that JSON, JavaScript and SQLite keep exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration(Kind):
    """A duration; 0 only where it means something, and "auto" (None in the spec) where there is such a thing."""

    zero: bool = False
    auto: bool = False

    @property
    def says(self) -> str:
        """Name it for the docs."""
        return 'duration or "auto"' if self.auto else "duration"

    def read(self, value: object) -> float | None:
        """Return seconds, or None for "auto"."""
        if self.auto and value == "auto":
            return None
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            raise UnfitError(f'{show(value)} has no unit; write "{show(value)}s"')
        if not isinstance(value, str):
            raise UnfitError(f'{show(value)} is no duration; write "5m" or "300s"')
        seconds = duration_s(value)
        if seconds == 0 and not self.zero:
            raise UnfitError(f'"{value}" is too short; write a duration longer than 0')
        if seconds > YEAR_S:
            raise UnfitError(f'"{value}" is too long; write at most "366d"')
        return seconds

    def write(self, value: object) -> str:
        """Write seconds as "5m"."""
        return "auto" if value is None else write_duration(float(str(value)))

    def schema(self) -> Schema:
        """Return a pattern."""
        duration = {"type": "string", "pattern": f"^{DURATION_PATTERN}$", "minLength": 2}
        return {"anyOf": [{"const": "auto"}, duration]} if self.auto else duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytes(Kind):
    """A size, also as a plain number of bytes."""

    least: int = 1
    most: int = INTEGER_MAX
    says: str = "size"

    def read(self, value: object) -> int:
        """Return bytes."""
        if isinstance(value, str):
            count = bytes_count(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            count = value
        else:
            raise UnfitError(f'{show(value)} is no size; write "64KiB", "10MB" or a number of bytes')
        if not self.least <= count <= self.most:
            most = "or more" if self.most == INTEGER_MAX else f'to "{write_bytes(self.most)}"'
            raise UnfitError(f'{show(value)} is out of bounds; write "{write_bytes(self.least)}" {most}')
        return count

    def from_text(self, text: str) -> object:
        """Return a number where there is no unit."""
        return int(text) if is_integer(text) else text

    def write(self, value: object) -> str:
        """Write bytes as "64KiB"."""
        return write_bytes(int(str(value)))

    def schema(self) -> Schema:
        """Return a pattern, or a number of bytes."""
        number = {"type": "integer", "minimum": self.least, "maximum": self.most}
        return {"anyOf": [{"type": "string", "pattern": f"^{BYTES_PATTERN}$"}, number]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer(Kind):
    """A whole number within bounds, and "auto" (0 in the spec) where there is such a thing."""

    least: int = 0
    most: int = INTEGER_MAX
    auto: bool = False

    @property
    def says(self) -> str:
        """Name it for the docs."""
        return f"whole number, {self._bounds()}"

    def read(self, value: object) -> int:
        """Return it, or 0 for "auto"."""
        if self.auto and value == "auto":
            return 0
        if not isinstance(value, int) or isinstance(value, bool):
            raise UnfitError(f"{show(value)} is no whole number; write {self._meant(value) or self._bounds()}")
        if not self.least <= value <= self.most:
            raise UnfitError(f"{show(value)} is out of bounds; write {self._bounds()}")
        return value

    def from_text(self, text: str) -> object:
        """Return the number."""
        return int(text) if is_integer(text) else text

    def write(self, value: object) -> str:
        """Write it as it would be in the file."""
        return "auto" if self.auto and value == 0 else str(value)

    def schema(self) -> Schema:
        """Return the bounds."""
        number = {"type": "integer", "minimum": self.least, "maximum": self.most}
        return {"anyOf": [{"const": "auto"}, number]} if self.auto else number

    def _meant(self, value: object) -> str:
        """Return what somebody has written who knows the number, but not TOML."""
        if not isinstance(value, str):
            return ""
        if self.auto and value.lower() == "auto":
            return '"auto"'
        is_fit = is_integer(value) and self.least <= int(value) <= self.most
        return f"{int(value)}, without quotes" if is_fit else ""

    def _bounds(self) -> str:
        bounds = f"{self.least} or more" if self.most == INTEGER_MAX else f"{self.least} to {self.most}"
        return f'{bounds}, or "auto"' if self.auto else bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Kind):
    """A number, 0 only where it means something."""

    zero: bool = False
    most: float = 1_000_000.0

    @property
    def says(self) -> str:
        """Name it for the docs."""
        return f"number, {self._bounds()}"

    def read(self, value: object) -> float:
        """Return it as a float."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:  # noqa: PLR0124  not a number
            raise UnfitError(f"{show(value)} is no number; write {self._bounds()}")
        if value > self.most or value < 0 or (value == 0 and not self.zero):
            raise UnfitError(f"{show(value)} is out of bounds; write {self._bounds()}")
        return float(value)

    def from_text(self, text: str) -> object:
        """Return the number."""
        try:
            number = float(text)
        except ValueError:
            return text
        return number if isfinite(number) else text

    def write(self, value: object) -> str:
        """Write it without a needless ".0"."""
        return f"{float(str(value)):g}"

    def schema(self) -> Schema:
        """Return the bounds."""
        least = "minimum" if self.zero else "exclusiveMinimum"
        return {"type": "number", least: 0, "maximum": self.most}

    def _bounds(self) -> str:
        return f"{'0 or more' if self.zero else 'more than 0'}, at most {self.most:.0f}"

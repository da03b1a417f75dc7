"""awake: the times at which a service is awake without being asked, "Mon-Fri 08:00-18:00 Europe/Zurich"."""

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from wakegate.config.kind import Kind, Schema
from wakegate.config.show import UnfitError, did_you_mean, show
from wakegate.core.schedule import DAY_MIN, DAYS, Window, say_window

EXAMPLE = "Mon-Fri 08:00-18:00"
DAY = rf"(?:{'|'.join(DAYS)})"
DAY_LIST = rf"{DAY}(?:-{DAY})?(?:,{DAY}(?:-{DAY})?)*"
TIME = r"(?:[01]\d|2[0-3]):[0-5]\d"
PATTERN = rf"^(?:{DAY_LIST} )?{TIME}-(?:{TIME}|24:00)(?: [A-Za-z0-9_+/-]+)?$"  # as editors check it
PARTS = re.compile(r"(?:(?P<days>[A-Za-z,-]+) +)?(?P<begin>[\d:]+)-(?P<end>[\d:]+)(?: +(?P<zone>\S+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Awake(Kind):
    """A window of every week, or a list of them."""

    says: str = "times, or a list of such"

    def read(self, value: object) -> tuple[Window, ...]:
        """Return the windows."""
        several = value if isinstance(value, list) else [value]
        return tuple(dict.fromkeys(_window(one) for one in several))

    def from_text(self, text: str) -> object:
        """Return them as a list, parted by semicolons: a comma parts days."""
        return [item.strip() for item in text.split(";") if item.strip()]

    def write(self, value: object) -> str:
        """Write one as a text, several as a list."""
        assert isinstance(value, tuple)
        said = [say_window(window) for window in value]
        return show(said[0] if len(said) == 1 else said)

    def schema(self) -> Schema:
        """Return the pattern, for one and for a list."""
        one: Schema = {"type": "string", "pattern": PATTERN}
        return {"anyOf": [one, {"type": "array", "items": one, "uniqueItems": True}]}


def _window(value: object) -> Window:
    if not isinstance(value, str):
        raise UnfitError(f'{show(value)} is no text; write times in quotes, "{EXAMPLE}"')
    parts = PARTS.fullmatch(value.strip())
    if parts is None:
        raise UnfitError(f'{show(value)} says no times; write "{EXAMPLE}", or "{EXAMPLE} Europe/Zurich"')
    begin_min, end_min = _minutes(parts["begin"], latest=DAY_MIN - 1), _minutes(parts["end"], latest=DAY_MIN)
    if begin_min == end_min:
        raise UnfitError(f'{show(value)} ends when it begins; write "00:00-24:00" for a whole day')
    if end_min < begin_min:
        end_min += DAY_MIN
    zone = None if parts["zone"] is None else _zone(parts["zone"])
    return Window(days=_days(parts["days"] or "Mon-Sun"), begin_min=begin_min, end_min=end_min, zone=zone)


def _minutes(text: str, *, latest: int) -> int:
    parts = re.fullmatch(r"(\d{1,2}):(\d\d)", text)
    minutes = DAY_MIN + 1 if parts is None or int(parts[2]) > 59 else int(parts[1]) * 60 + int(parts[2])
    if minutes > latest:
        end = ' or, as an end, "24:00"' if latest < DAY_MIN <= minutes else ""
        raise UnfitError(f'{show(text)} is no time of a day; write "08:00"{end}')
    return minutes


def _days(text: str) -> tuple[int, ...]:
    """Return the days of "Mon,Wed" or "Mon-Fri"; "Fri-Mon" goes over the end of the week."""
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        begin, end = _day(first), _day(last if dash else first)
        days |= {day % len(DAYS) for day in range(begin, end + 1 if end >= begin else end + 1 + len(DAYS))}
    return tuple(sorted(days))


def _day(text: str) -> int:
    name = text.capitalize()
    if name not in DAYS:
        hint = did_you_mean(name, DAYS) or f"; write one of {', '.join(DAYS)}"
        raise UnfitError(f"{show(text)} is no day{hint}")
    return DAYS.index(name)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: the name of a folder of zones
        known = available_timezones()
        if not known:
            text = f"{show(name)}: this machine has no list of time zones; install tzdata, or write no zone"
        else:
            text = f"{show(name)} is no time zone here"
            text += did_you_mean(name, known) or '; write one as "Europe/Zurich", or none for this machine\'s own'
        raise UnfitError(text) from error


AWAKE = Awake()

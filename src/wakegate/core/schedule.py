"""schedule: is it a time at which the service is to be awake without being asked, and until when does that hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

DAY_MIN = 24 * 60
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
AHEAD = 15  # days looked ahead: a weekly window may fall into the missing hour once, and then comes a week later
HORIZON = timedelta(days=AHEAD - 1)  # all that begins before then is known, whatever the zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of some days of every week, as clocks on the wall of one zone show it."""

    days: tuple[int, ...]  # on which it begins; 0 is Monday
    begin_min: int  # minutes after midnight
    end_min: int  # likewise; above 24 h it ends on the next day
    zone: tzinfo | None = None  # None: this machine's


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleVerdict:
    """Whether the service is to be awake by its schedule; it holds until `until`, in UTC."""

    is_on: bool
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """One window on one day, in UTC."""

    begins: datetime
    ends: datetime
    zone: tzinfo | None


def decide_schedule(windows: Sequence[Window], *, now: datetime, lead_s: float = 0.0) -> ScheduleVerdict:
    """Say whether `now` is in a window, or less than `lead_s` before one: the time that a wake takes.

    Windows that overlap or follow on each other are one. A window without an hour that the clocks leave out begins, or
    ends, where they go on; an hour that they show twice is in it both times.
    """
    assert lead_s >= 0
    lead = timedelta(seconds=lead_s)
    spans = _joined(sorted(_spans(windows, now=now), key=lambda span: span.begins), gap=lead)
    span = next((span for span in spans if span.ends > now), None)
    if span is None or span.begins - lead > now + HORIZON:
        return ScheduleVerdict(is_on=False, reason="its schedule begins in some weeks", until=now + HORIZON)
    if span.begins - lead > now:
        begins = _said(span.begins, zone=span.zone, now=now)
        return ScheduleVerdict(is_on=False, reason=f"its schedule begins {begins}", until=span.begins - lead)
    if span.ends > now + HORIZON:
        return ScheduleVerdict(is_on=True, reason="always on schedule", until=now + HORIZON)
    ends = _said(span.ends, zone=span.zone, now=now)
    return ScheduleVerdict(is_on=True, reason=f"on schedule until {ends}", until=span.ends)


def say_window(window: Window) -> str:
    """Write a window as a user would: "Mon-Fri 08:00-18:00 Europe/Zurich"."""
    end_min = window.end_min if window.end_min <= DAY_MIN else window.end_min - DAY_MIN
    times = f"{_time(window.begin_min)}-{_time(end_min)}"
    parts = (_say_days(window.days), times, "" if window.zone is None else str(window.zone))
    return " ".join(part for part in parts if part)


def _spans(windows: Sequence[Window], *, now: datetime) -> Iterator[_Span]:
    """Give every window on every day around now."""
    for window in windows:
        today = now.astimezone(window.zone).date()
        for offset in range(-2, AHEAD + 1):
            day = today + timedelta(days=offset)
            if day.weekday() not in window.days:
                continue
            midnight = datetime(day.year, day.month, day.day)
            begins = _instant(midnight + timedelta(minutes=window.begin_min), zone=window.zone, is_end=False)
            ends = _instant(midnight + timedelta(minutes=window.end_min), zone=window.zone, is_end=True)
            if begins < ends:  # else all of it is left out on this day
                yield _Span(begins=begins, ends=ends, zone=window.zone)


def _joined(spans: Sequence[_Span], *, gap: timedelta) -> Iterator[_Span]:
    """Make one of those between which there is no more than the gap."""
    joined: _Span | None = None
    for span in spans:
        if joined is None:
            joined = span
        elif span.begins - gap > joined.ends:
            yield joined
            joined = span
        elif span.ends > joined.ends:
            joined = _Span(begins=joined.begins, ends=span.ends, zone=span.zone)
    if joined is not None:
        yield joined


def _instant(wall: datetime, *, zone: tzinfo | None, is_end: bool) -> datetime:
    """Return when clocks in a zone show this: the last time for an end; where they never do, when they go on."""
    first, last = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if _wall(first, zone=zone) == wall:
        return last if is_end else first
    before, after = 0, int((last - first).total_seconds())  # the clocks are set forward between the two
    while after - before > 1:
        middle = (before + after) // 2
        if _wall(first + timedelta(seconds=middle), zone=zone) < wall:
            before = middle
        else:
            after = middle
    return first + timedelta(seconds=after)


def _wall(at: datetime, *, zone: tzinfo | None) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _said(at: datetime, *, zone: tzinfo | None, now: datetime) -> str:
    """Say a moment as clocks in its zone show it: "18:00 Europe/Zurich", "Mon 08:00"; with a date where it is far."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    day = "" if days == 0 else f"{DAYS[local.weekday()]} " if days < len(DAYS) else f"{local:%Y-%m-%d} "
    return f"{day}{local:%H:%M}" + ("" if zone is None else f" {zone}")


def _time(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _say_days(days: tuple[int, ...]) -> str:
    """Say days, those in a row as a range; nothing for every day."""
    if len(days) == len(DAYS):
        return ""
    rows: list[list[int]] = []
    for day in sorted(days):
        if rows and rows[-1][-1] == day - 1:
            rows[-1].append(day)
        else:
            rows.append([day])
    return ",".join(DAYS[row[0]] if len(row) == 1 else f"{DAYS[row[0]]}-{DAYS[row[-1]]}" for row in rows)

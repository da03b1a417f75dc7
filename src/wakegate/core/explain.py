"""explain: why is it awake, what woke it, who keeps it awake, when will it sleep; in sentences."""

from collections.abc import Sequence
from datetime import datetime

from wakegate.core.activity import Activity
from wakegate.core.agent import say_agent
from wakegate.core.estimate import usual_wake_s
from wakegate.core.idle import decide_idle
from wakegate.core.ignore import IgnoreRule
from wakegate.core.ledger import WakeLine, durations
from wakegate.core.pause import Paused, decide_pause
from wakegate.core.phase import Phase
from wakegate.core.record import ServiceRecord
from wakegate.core.say import say_count, say_duration
from wakegate.core.spec import IgnoreSpec, ServiceSpec
from wakegate.core.wake import decide_wake

WAKES_LOOKED_AT = 20  # for monitors: what woke it last month is no news
WAKES_SHOWN = 5
MONITOR = IgnoreRule(IgnoreSpec(agents=("monitors",)))


def explain(
    *,
    spec: ServiceSpec,
    record: ServiceRecord,
    activity: Activity,
    wakes: Sequence[WakeLine],
    now: datetime,
    now_s: float,
    last_request: str,
    is_counted: bool = True,
    paused: Paused | None = None,
    can_pause: bool = True,
) -> tuple[str, ...]:
    """Return the sentences; `wakes` newest first, clock times are said in the zone of `now`.

    `is_counted` says whether somebody knows all requests, as a gateway does, and functions in AWS do not: without it
    nothing is said of how many waited.
    """
    lines = [_state(record, wakes, now=now)]
    match record.phase:
        case Phase.ASLEEP:
            if paused is not None:
                verdict = decide_pause(spec.sleep, can_pause=can_pause, since_s=paused.since_s, now_s=now_s)
                lines.append(f"It is {paused}; {verdict.reason}.")
            lines.append(_next_wake(spec, record, wakes, now=now, outcome="ready" if paused is None else "resumed"))
            lines += _kept(activity, now_s=now_s)
        case Phase.WAKING:
            held = activity.held if is_counted else None
            lines.append(_waking(record, wakes, held=held, now=now))
        case Phase.AWAKE:
            lines.append(_sleep(spec, activity, now_s=now_s, last_request=last_request))
        case Phase.DRAINING:
            lines.append("Nothing is stopped yet: a request that comes now finds it awake.")
        case Phase.STOPPING:
            lines.append("A request that comes now is held until it is awake again.")
    lines += _failure(record, now=now)
    lines.append(_today(wakes, is_counted=is_counted, now=now))
    lines += _monitors(spec, wakes, may_ignore=is_counted)
    return tuple(lines)


def _state(record: ServiceRecord, wakes: Sequence[WakeLine], *, now: datetime) -> str:
    ago = say_duration((now - record.since).total_seconds())
    state = f"{record.name} is {record.phase} since {_clock(record.since, now=now)} ({ago})"
    if record.phase is Phase.ASLEEP:
        was_used = any(line.outcome != "failed" for line in wakes)
        return f"{state}; last used {_clock(record.last_active_at, now=now)}." if was_used else f"{state}."
    # The wake that made it awake is the newest one; one that failed made nothing.
    woke = next((line for line in wakes[:1] if line.outcome != "failed"), None)
    return f"{state}; {_cause(woke, now=now)} woke it." if woke is not None else f"{state}."


def _next_wake(
    spec: ServiceSpec, record: ServiceRecord, wakes: Sequence[WakeLine], *, now: datetime, outcome: str
) -> str:
    verdict = decide_wake(spec.wake, record, now=now)
    if not verdict.wake:
        return f"Its last wake failed; the next try is in {say_duration(verdict.retry_after_s)} at the earliest."
    usually = _usually(wakes, outcome=outcome)
    who = "The next request" if not (spec.wake.on_paths or spec.wake.on_methods) else "The next request that may"
    return f"{who} wakes it{usually and f', usually in {usually}'}."


def _kept(activity: Activity, *, now_s: float) -> list[str]:
    left_s = activity.keep_until_s - now_s
    if left_s <= 0:
        return []
    return [f"Once awake it stays so for {say_duration(left_s)} from now ({activity.keep_reason})."]


def _waking(record: ServiceRecord, wakes: Sequence[WakeLine], *, held: int | None, now: datetime) -> str:
    said, usually = [], _usually(wakes)
    if held is not None:
        said.append(f"{say_count(held, 'request')} {'waits' if held == 1 else 'wait'} for it")
    if usually:
        said.append(f"a wake usually takes {usually}")
    if record.wake_by is not None:
        said.append(f"it is given up in {say_duration((record.wake_by - now).total_seconds())}")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}."


def _sleep(spec: ServiceSpec, activity: Activity, *, now_s: float, last_request: str) -> str:
    verdict = decide_idle(spec, activity, now_s=now_s)
    last = f"last activity {say_duration(now_s - activity.touched_s)} ago"
    last += last_request and f", {last_request}"
    left_s = activity.touched_s + spec.sleep.idle_timeout_s - now_s
    if verdict.sleep:
        return f"It is about to sleep: {last}."
    if activity.in_flight or activity.held:
        return f"It stays awake: {verdict.reason} ({last})."
    if verdict.recheck_s == left_s:
        return f"It sleeps in {say_duration(left_s)} unless a request comes: {last}."
    when = f" in {say_duration(left_s)}" if left_s > 0 else ""
    return f"It stays awake: {verdict.reason}; without that it would sleep{when} ({last})."


def _failure(record: ServiceRecord, *, now: datetime) -> list[str]:
    failure = record.failure
    if failure is None or record.phase in (Phase.AWAKE, Phase.DRAINING):
        return []  # it is over, and kept only in case the next replica dies as soon
    times = f"{failure.count} times in a row, the last time" if failure.count > 1 else "once,"
    return [f"It failed {times} {_clock(failure.at, now=now)}: {failure.reason.rstrip('.?!')}."]


def _today(wakes: Sequence[WakeLine], *, is_counted: bool, now: datetime) -> str:
    today = [line for line in wakes if line.at.astimezone(now.tzinfo).date() == now.date()]
    if not today:
        return "Nothing woke it today."
    shown = ", ".join(_cause(line, now=now) for line in today[:WAKES_SHOWN])
    more = f", and {len(today) - WAKES_SHOWN} more" if len(today) > WAKES_SHOWN else ""
    times = "once" if len(today) == 1 else f"{len(today)} times"
    if not is_counted:
        return f"Woken {times} today: {shown}{more}."
    held, served, refused = (sum(getattr(line, name) for line in today) for name in ("held", "served", "refused"))
    lost = sum(line.lost for line in today if line.outcome != "waking")
    told = f", {refused} told when to come back" if refused else ""
    return f"Woken {times} today: {shown}{more}. {say_count(held, 'request')} held, {served} served{told}, {lost} lost."


def _monitors(spec: ServiceSpec, wakes: Sequence[WakeLine], *, may_ignore: bool) -> list[str]:
    newest, known = wakes[:WAKES_LOOKED_AT], IgnoreRule(spec.ignore)
    count = sum(1 for line in newest if _is_monitor(line) and not _is_ignored(line, known))
    if not count:
        return []
    cure = "To look without waking it: /.wakegate/status"
    if may_ignore:
        cure = f'To answer them asleep: [service.{spec.name}.ignore] agents = ["monitors"]'
    return [f"Monitors wake it: {count} of the last {say_count(len(newest), 'wake')}. {cure}"]


def _is_monitor(line: WakeLine) -> bool:
    return MONITOR.matches(method="", path="", agent=line.agent)


def _is_ignored(line: WakeLine, rule: IgnoreRule) -> bool:
    method, _, path = line.cause.partition(" ")
    return rule.matches(method=method, path=path, agent=line.agent)


def _usually(wakes: Sequence[WakeLine], *, outcome: str = "ready") -> str:
    usual_s = usual_wake_s(durations(wakes, outcome=outcome))
    return "" if usual_s is None else say_duration(usual_s)


def _cause(line: WakeLine, *, now: datetime) -> str:
    """Say one wake: "GET /orders 07:41 (curl/8.5.0)"."""
    notes = [note for note in (say_agent(line.agent), "failed" if line.outcome == "failed" else "") if note]
    return f"{line.cause} {_clock(line.at, now=now)}" + (f" ({', '.join(notes)})" if notes else "")


def _clock(at: datetime, *, now: datetime) -> str:
    local = at.astimezone(now.tzinfo)
    return f"{local:%H:%M}" if local.date() == now.date() else f"{local:%Y-%m-%d %H:%M}"

"""What an operator is told of a service: its status, and why it is as it is."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import psutil

from wakegate.core.explain import explain
from wakegate.core.idle import decide_idle
from wakegate.core.ledger import WakeLine
from wakegate.core.pause import decide_pause
from wakegate.core.phase import Phase
from wakegate.core.say import say_count, say_duration, say_place
from wakegate.core.status import ServiceStatus
from wakegate.local.service import Service


def status(service: Service, *, url: str, sessions: int) -> ServiceStatus:
    """Gather the status of one service."""
    record, spec = service.keeper.record, service.spec
    hosts = spec.hosts or ("",)
    return ServiceStatus(
        name=spec.name,
        phase=service.phase,
        since=record.since,
        replicas_ready=len(service.fleet.ready),
        replicas_wanted=len(service.fleet),
        replicas_max=spec.scale.replicas_max,
        in_flight=service.touch.all_in_flight,
        held=len(service.hold),
        sessions=sessions,
        last_active_at=service.touch.last_active_at() if record.version else None,  # a new record says a day ago
        usual_wake_s=service.waker.history.usual_s,
        failure="" if record.failure is None or service.fleet.ready else record.failure.reason,
        next=_next(service),
        urls=tuple(_address(url, host, spec.path) for host in hosts) if spec.is_routed else (),
        pids=tuple(member.replica.pid for member in service.fleet.members if member.replica.pid),
        requests=service.touch.all_requests - service.touch.requests_before,
        p99_s=service.touch.p99_s(),
        replicas_paused=len(service.fleet.paused),
    )


def with_memory(glance: ServiceStatus) -> ServiceStatus:
    """Add what its replicas use; it takes milliseconds a replica, so not for what is asked for twice a second."""
    return replace(glance, memory_bytes=sum(map(_memory_bytes, glance.pids))) if glance.pids else glance


def explained(service: Service, *, wakes: Sequence[WakeLine]) -> tuple[str, ...]:
    """Answer: why is it awake, what woke it, who keeps it awake, when will it sleep."""
    return explain(
        spec=service.spec,
        record=service.keeper.record,
        activity=service.activity(),
        wakes=wakes,
        now=service.clock.utc().astimezone(),
        now_s=service.clock.now_s(),
        last_request=service.touch.last(),
        paused=service.paused(),
        can_pause=service.can_pause,
    )


def _next(service: Service) -> str:
    """Say what will happen to it next."""
    if service.phase is Phase.WAKING:
        return f"ready in ≈ {say_duration(service.progress().retry_after_s)}"
    if service.phase is not Phase.ASLEEP:
        verdict = decide_idle(service.spec, service.activity(), now_s=service.clock.now_s())
        if verdict.recheck_s is None or service.touch.all_in_flight or len(service.hold):
            return verdict.reason
        return f"sleeps in {say_duration(verdict.recheck_s)}" if "kept" not in verdict.reason else verdict.reason
    paused, spec = service.paused(), service.spec.sleep
    if paused is not None:
        now_s = service.clock.now_s()
        stays = decide_pause(spec, can_pause=service.can_pause, since_s=paused.since_s, now_s=now_s)
        return f"{paused} · {_wakes(service)} · {stays.reason}"
    failure = service.keeper.record.failure
    if failure is not None and service.progress().retry_after_s > 0:
        return f"next try in {say_duration(service.progress().retry_after_s)}"
    if service.fleet.members and failure is None:
        return "its last replica is ending; wakes on the first request"
    if failure is not None:
        return f"failed {say_count(failure.count, 'time')}, tried again on the next request"
    return _wakes(service)


def _wakes(service: Service) -> str:
    usual_s, schedule = service.waker.history.usual_s, service.scheduled()
    about = "" if usual_s is None else f" in ≈ {say_duration(usual_s)}"
    users = ", ".join(user.spec.name for user in service.links.users)
    asked = [f"for {users}"] if users else []
    asked += ["on the first request"] if service.spec.is_routed else []
    begins = "" if schedule is None or schedule.is_on else f" · {schedule.reason}"
    return f"wakes{about} {' and '.join(asked)}{begins}"


def _address(url: str, host: str, path: str) -> str:
    return say_place(url, host="" if host.startswith("*.") else host, path=path)


def _memory_bytes(pid: int) -> int:
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return int(sum(one.memory_info().rss for one in (process, *process.children(recursive=True))))
    return 0

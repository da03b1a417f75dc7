"""What must always hold, checked against what happened: the invariants of the design, for one service."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from wakegate.core.spec import ServiceSpec
from wakegate.sim.workload import Happened, Happening

SLACK_S = 1e-6  # virtual time is a float


@dataclass(slots=True)
class Visit:
    """One simulated request, as its client saw it. `ended_s` is None while it is open."""

    arrived_s: float
    endings: list[str] = field(default_factory=list)  # "served", "gone", or the name of the error
    ended_s: float | None = None
    replica: int | None = None  # the serial of the one that served it
    took_s: float = 0.0  # of the app's own time

    def end(self, how: str, *, now_s: float) -> None:
        """Note an ending; a second one is a broken invariant."""
        self.endings.append(how)
        self.ended_s = now_s


def check_endings(visits: Sequence[Visit]) -> None:
    """Invariant 1: every request ends in exactly one way."""
    for visit in visits:
        assert len(visit.endings) == 1, f"a request of {visit.arrived_s:.3f} has the endings {visit.endings}"


def check_single_flight(history: Sequence[Happened], *, wakes: int, per_wake: int, besides: int = 0) -> None:
    """Invariant 2: a wake makes one scale call (here: one start for each replica that it asks for).

    `besides` are the starts that were asked for by scaling out.
    """
    starts = sum(1 for happened in history if happened.what is Happening.CALLED)
    assert starts <= wakes * per_wake + besides, f"{starts} starts in {wakes} wakes of {per_wake}, and {besides}"


def check_idle_stops(spec: ServiceSpec, visits: Sequence[Visit], drained_s: Sequence[float]) -> None:
    """Invariant 3: idleness stops a service only if nothing began or ended within the idle timeout, or is in flight."""
    for at_s in drained_s:
        for visit in visits:
            ended_s = at_s + 1.0 if visit.ended_s is None else visit.ended_s
            if visit.arrived_s <= at_s:
                assert ended_s <= at_s + SLACK_S, f"drained at {at_s:.3f} with a request of {visit.arrived_s:.3f} open"
                if visit.endings == ["served"]:
                    idle_s = at_s - ended_s
                    assert idle_s >= spec.sleep.idle_timeout_s - SLACK_S, f"drained {idle_s:.3f} s after an answer"


def check_grace(spec: ServiceSpec, history: Sequence[Happened], drained_s: Sequence[float]) -> None:
    """Invariant 3: nothing is stopped or paused before the grace has passed: a request in it cancels the sleep."""
    for happened in history:
        if happened.what in (Happening.TERMINATED, Happening.PAUSED):
            for at_s in drained_s:
                grace_s = happened.at_s - at_s
                assert not 0 <= grace_s < spec.sleep.grace_s - SLACK_S, f"stopped {grace_s:.3f} s after {at_s:.3f}"


def check_keeps(keeps: Sequence[tuple[float, float]], drained_s: Sequence[float], *, forgotten_s: float = 0.0) -> None:
    """Invariant 3: idleness stops no service while a keep holds, but for so many seconds that a restart may forget."""
    for at_s in drained_s:
        for from_s, until_s in keeps:
            assert not from_s < at_s < until_s - forgotten_s - SLACK_S, (
                f"drained at {at_s:.3f}, kept until {until_s:.3f}"
            )


def check_back_to_zero(spec: ServiceSpec, history: Sequence[Happened], *, last_s: float, ticks_s: float) -> None:
    """Invariant 4: after the last activity replicas reach 0 within idle timeout, grace, stop grace and two ticks.

    One that is paused is none that runs: it has the time of `then_stop_after` besides.
    """
    sleep = spec.sleep
    paused_s = sleep.then_stop_after_s if sleep.mode == "pause" else 0.0
    bound_s = last_s + sleep.idle_timeout_s + sleep.grace_s + sleep.stop_grace_s + paused_s + ticks_s
    ends = [happened.at_s for happened in history if happened.what is Happening.EXITED]
    starts = [happened.at_s for happened in history if happened.what is Happening.STARTED]
    assert len(ends) == len(starts), f"{len(starts) - len(ends)} replicas still run"
    if ends:
        assert max(ends) <= bound_s + SLACK_S, f"the last replica ended at {max(ends):.3f}, the bound was {bound_s:.3f}"

"""All invariants of the design, checked against one seed of the simulated account."""

from tests.simulated.aws.traffic import HORIZON_S, Traffic
from tests.simulated.aws.world import IDLE_S, STARTUP_LIFE_S, TICK_S, World

from wakegate.aws.forward import IDEMPOTENT
from wakegate.aws.settings import COALESCE_S, GRACE_S
from wakegate.core.phase import Phase
from wakegate.sim import cloud_invariants as invariants
from wakegate.sim.clock import STARTED_AT

TICK_LATE_S = 50.0  # the latest that the schedule of these worlds is
SLOWEST_FRONT_S = 30.0
SLACK_S = 0.5  # a touch is stamped before its call, and written in the middle of it


def problems(world: World, traffic: Traffic, *, is_faultless: bool) -> list[str]:
    """Return every broken invariant of a world that has come to rest."""
    found = list(world.errors)  # invariant 3, noticed where a task was stopped
    found += _answers(world)
    found += invariants.check_endings(client.endings for client in traffic.clients)
    found += _lost(traffic)
    found += invariants.check_single_scale(world.fleet.scales, world.begun, may_repair=not is_faultless)
    found += _zero(world, traffic, is_faultless=is_faultless)
    deliveries = [(one.by, one.method, one.has_answered) for one in world.network.deliveries]
    found += invariants.check_repeats(deliveries, idempotent=IDEMPOTENT)
    found += _warm(world)
    if is_faultless:  # a touch whose outcome is not known is written again at once
        environments = {run.name: run.environment for run in world.runs}
        touches = [(environments[name], at_s) for at_s, name in world.table.written]
        found += invariants.check_coalesced(touches, interval_s=COALESCE_S - SLACK_S)
    if is_faultless:  # the app's data may be lost with the invocation that was to keep it
        found += [f"I8: {problem}" for jar in traffic.jars for problem in jar.problems]
    return found


def _answers(world: World) -> list[str]:
    found = []
    for run in world.runs:
        if run.answer is not None:
            front_s = STARTUP_LIFE_S if run.is_url or world.hub.slow > 1 else SLOWEST_FRONT_S
            found.append(invariants.check_answer(run.answer, took_s=run.ended_s - run.began_s, front_s=front_s))
    return [one for one in found if one]


def _lost(traffic: Traffic) -> list[str]:
    """Invariant 5, and 1: who is patient is served, but for an app that is too slow, or dies with a POST in it."""
    found = []
    for client in traffic.clients:
        is_slow = client.endings == ["504"] and client.takes_s >= 20
        is_cut = client.endings == ["502"] and client.method not in IDEMPOTENT
        if client.endings != ["served"] and not is_slow and not is_cut:
            found.append(f"I5: a client of {client.began_s:.2f} ended {client.endings}, {client.statuses[-5:]}")
    return found


def _zero(world: World, traffic: Traffic, *, is_faultless: bool) -> list[str]:
    """Invariant 4: at rest, and where nothing fails, as soon as the settings say."""
    fleet = world.fleet
    if fleet.desired or fleet.tasks or world.phase() is not Phase.ASLEEP or fleet.rule_is_on:
        return [f"I4: {world.phase()}, desired {fleet.desired}, {len(fleet.tasks)} tasks, rule on: {fleet.rule_is_on}"]
    if not is_faultless or not fleet.scales:
        return []
    last_s = max([HORIZON_S, *(client.ended_s for client in traffic.clients), *world.awake_s])
    record = world.table.record
    if record is not None and record.keep_until is not None:
        last_s = max(last_s, (record.keep_until - STARTED_AT).total_seconds() - IDLE_S)
    bound_s = last_s + IDLE_S + COALESCE_S + GRACE_S + 2 * TICK_S + TICK_LATE_S
    zero_s = fleet.scales[-1][0]
    return [f"I4: at zero {zero_s - last_s:.0f} s after the last answer"] if zero_s > bound_s else []


def _warm(world: World) -> list[str]:
    """Invariant 7: of a request that never waited."""
    found = []
    for run in world.runs:
        is_served = run.answer is not None and run.answer["statusCode"] == 200 and "network.forward" in run.calls
        if is_served and run.answer is not None and "Server-Timing" not in run.answer["headers"]:
            found.append(invariants.check_warm(run.calls))
    return [one for one in found if one]

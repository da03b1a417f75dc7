"""Scaling out and in (acceptance list F)."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import httpx
import pytest
from tests.scenarios.conftest import PLAIN, Start
from tests.scenarios.gateway import PATIENCE_S, Wakegate, eventually

FAST = """
[service.web.scale]
interval = "200ms"
window = "1s"
scale_out_cooldown = "500ms"
scale_in_cooldown = "1s"
"""
BY_CONCURRENCY = PLAIN + FAST + 'max = 3\nmetric = "concurrency"\ntarget = 2\n'


@contextmanager
def load(gateway: Wakegate, path: str, *, clients: int) -> Iterator[list[int]]:
    """Send requests from so many clients, one after the other each, until the block ends; yield their statuses."""
    done = threading.Event()
    statuses: list[int] = []

    def visit() -> None:
        with httpx.Client(base_url=gateway.url, timeout=PATIENCE_S, verify=False) as visitor:
            while not done.is_set():
                visitor.cookies.clear()
                statuses.append(visitor.get(path).status_code)

    with ThreadPoolExecutor(clients) as pool:
        visits = [pool.submit(visit) for _ in range(clients)]
        try:
            yield statuses
        finally:
            done.set()
    for one in visits:
        one.result()


def test_concurrency_scales_out_and_back_in_without_an_error(wakegate: Start) -> None:
    """F2, F3, G5 (Knative up-down-up): never more than max, and no request meets a replica that leaves."""
    gateway = wakegate(BY_CONCURRENCY)
    for _ in range(2):
        with load(gateway, "/slow?s=0.05", clients=8) as many:
            gateway.until(replicas_ready=3)
        with load(gateway, "/slow?s=0.05", clients=1) as few:
            gateway.until(replicas_ready=1)
        assert set(many + few) == {200}
    steps = {notice["text"].split(" ·")[0] for notice in gateway.told("scaled-out")}
    assert steps <= {"1 → 2 replicas", "1 → 3 replicas", "2 → 3 replicas"}
    assert gateway.status()["phase"] == "awake"


def test_processor_load_scales_out(wakegate: Start) -> None:
    """F5: by CPU, measured over the process tree."""
    gateway = wakegate(PLAIN + FAST + 'metric = "cpu"\ntarget = 5\n')
    with load(gateway, "/burn?s=0.2", clients=2) as statuses:
        eventually(lambda: gateway.status()["replicas_ready"] >= 2, what="a second replica")
    assert set(statuses) == {200}


def test_an_idle_processor_is_no_reason_for_zero(wakegate: Start) -> None:
    """F5 (Cloud Run's rule): the last replica goes by the idle timeout alone."""
    gateway = wakegate(PLAIN + FAST + 'metric = "cpu"\ntarget = 70\n')
    pid = gateway.get().json()["pid"]
    time.sleep(3)  # the claim is about what many readings of nothing do not do
    status = gateway.status()
    assert (status["phase"], status["pids"]) == ("awake", [pid])


def test_a_minimum_is_started_without_a_request_and_changed_live(wakegate: Start) -> None:
    """F4 (Knative TestMinScale): no cold start while it is asked for; without it, back to zero."""
    sleep = '[service.web.sleep]\nidle_timeout = "500ms"\ngrace = "100ms"\n'
    gateway = wakegate(PLAIN + sleep + FAST + "min = 1\n")
    gateway.until(replicas_ready=1)
    gateway.reload(PLAIN + sleep + FAST + "min = 2\n")
    gateway.until(replicas_ready=2)
    assert not gateway.told("draining")
    gateway.reload(PLAIN + sleep + FAST)
    gateway.wait_for("asleep")
    gateway.reload(PLAIN + sleep + FAST + "min = 1\n")
    gateway.until(replicas_ready=1)


def test_the_scale_in_cooldown_does_not_hold_off_the_sleep(wakegate: Start) -> None:
    """F6 (Container Apps #388, #855): how calmly it scales in and when it sleeps are two settings."""
    gateway = wakegate(
        BY_CONCURRENCY.replace('scale_in_cooldown = "1s"', 'scale_in_cooldown = "1h"')
        + '[service.web.sleep]\nidle_timeout = "1s"\ngrace = "100ms"\n'
    )
    with load(gateway, "/slow?s=0.05", clients=8):
        gateway.until(replicas_ready=3)
    gateway.wait_for("asleep")
    assert not gateway.told("scaled-in")
    gateway.until(pids=[])


def has(statuses: list[int], count: int) -> bool:
    """Say whether so many answers have come."""
    return len(statuses) >= count


@pytest.mark.parametrize("metric", ["cpu", "concurrency"])
def test_load_in_steps_from_zero_loses_nothing(wakegate: Start, metric: str) -> None:
    """F7 (Knative's load test, at the size of a laptop): from zero in steps, every request answered by the app."""
    gateway = wakegate(PLAIN + FAST + f'max = 3\nmetric = "{metric}"\ntarget = 4\n')
    statuses: list[int] = []
    for clients in (2, 8, 16):
        with load(gateway, "/slow?s=0.02", clients=clients) as step:
            eventually(partial(has, step, 20 * clients), what="a step of the load")
        statuses += step
    assert len(statuses) >= 520
    assert set(statuses) == {200}


def test_a_session_stays_with_its_replica(wakegate: Start) -> None:
    """Sticky by rendezvous: while nothing scales, a session sees one process."""
    gateway = wakegate(PLAIN + "[service.web.scale]\nmin = 3\nmax = 3\n")
    gateway.until(replicas_ready=3)
    seen = set()
    for _ in range(8):
        with httpx.Client(base_url=gateway.url, timeout=PATIENCE_S, verify=False) as visitor:
            visitor.get("/")
            pids = {visitor.get("/").json()["pid"] for _ in range(6)}
            assert len(pids) == 1
            seen |= pids
    assert len(seen) > 1

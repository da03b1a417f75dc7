"""The soak: services wake, work and sleep under load for a while; no request is lost and memory stays flat.

Sixteen clients ask five services at random, each request on a connection of its own, then all pause for about the idle
timeout: a little less, so that requests come while services drain and stop, or a little more, so that they wake again.
Memory is read before each pause; the median of the last third must not exceed that of the second third by more than
3 %. 45 s by default; `--soak 600` for ten minutes.
"""

import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from bench.browser import FETCH, request
from bench.options import Options
from bench.peers import BenchError, Wakegate, folder, stub
from bench.proc import rss_bytes
from bench.table import Goal, Row, at_most

CLIENTS, ASKS_EACH = 16, 20
HOSTS = tuple(f"s{number}.localhost" for number in range(5))
IDLE_TIMEOUT_S = 1.0
PAUSE_S = (0.8 * IDLE_TIMEOUT_S, 1.4 * IDLE_TIMEOUT_S)
GROWTH_MAX = 1.03
SEED = 5


def measure(options: Options) -> list[Row]:
    """Go on until the time is over, however many cycles that makes; three at least."""
    rng = random.Random(SEED)
    answers: Counter[str] = Counter()
    rss_mb: list[float] = []
    with folder() as here, Wakegate(stub("{port}"), app_port=0, folder=here, more=_services()) as gateway:
        until_s = time.monotonic() + options.soak_s
        with ThreadPoolExecutor(CLIENTS) as clients:
            while time.monotonic() < until_s or len(rss_mb) < 3:
                plans = [rng.choices(HOSTS, k=ASKS_EACH) for _ in range(CLIENTS)]
                for answered in clients.map(lambda plan: _ask(gateway, plan), plans):
                    answers += answered
                rss_mb.append(rss_bytes(gateway.pgid) / 1e6)
                time.sleep(rng.uniform(*PAUSE_S))  # the pause that lets services fall asleep
        wakes, sleeps = gateway.told("woke"), gateway.told("asleep")
    return _rows(answers, rss_mb, note=f"{wakes} wakes, {sleeps} sleeps, {answers.total():,} requests, seed {SEED}")


def _services() -> str:
    command = f"command = {stub('{port}')}"
    sleep = f'sleep = {{ idle_timeout = "{IDLE_TIMEOUT_S:g}s", grace = "0s" }}'
    return "\n".join(f'[service.{host[:2]}]\nhosts = ["{host}"]\n{command}\n{sleep}\n' for host in HOSTS)


def _ask(gateway: Wakegate, hosts: Sequence[str]) -> Counter[str]:
    """Return how often which status came."""
    answers: Counter[str] = Counter()
    for host in hosts:
        try:
            status = gateway.get(request({**FETCH, "Host": host}))[9:12].decode()
        except (BenchError, OSError) as error:
            status = str(error)
        answers[status] += 1
    return answers


def _rows(answers: Counter[str], rss_mb: list[float], *, note: str) -> list[Row]:
    failed = answers.total() - answers["200"]
    no_error = Goal(reached=f"{failed} errors", wanted="0 errors", met=not failed)
    others = [f"{status}: {count}" for status, count in answers.items() if status != "200"]
    third = len(rss_mb) // 3
    growth = median(rss_mb[-third:]) / median(rss_mb[third : 2 * third])
    flat = at_most(growth, GROWTH_MAX, of="x before")
    samples = {"wakegate": rss_mb}
    return [Row(claim="soak: memory", unit="MB", samples=samples, goals=(no_error, flat), notes=(note, *others))]

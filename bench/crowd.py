"""10,000 idle connections: what each costs in memory, and what they do to the requests beside them.

Each connection has had one answer and stays open. The p99 of other clients, at a fixed rate that is far from the
limit, is measured before and while they are there.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from bench.browser import FETCH, request
from bench.held import EACH_MAX_KB
from bench.load import latencies_s
from bench.options import Options
from bench.peers import ROOT, BenchError, Wakegate, folder, stub
from bench.proc import rss_bytes
from bench.stub import ANSWER
from bench.table import Row, at_most

COUNT = 10_000
P99_MAX = 2.0  # times the p99 without them
RATE = 500.0
KEEPALIVE = 'keepalive_timeout = "10m"'


def measure(options: Options, *, count: int = COUNT) -> list[Row]:
    """Gather the crowd as often as there are rounds, before a gateway of its own each time."""
    each_kb: list[float] = []
    p99_us: dict[str, list[float]] = {"alone": [], "beside": []}
    for seed in range(options.rounds):
        with folder() as here, Wakegate(stub("{port}"), app_port=0, folder=here, gateway=KEEPALIVE) as gateway:
            gateway.get(request(FETCH))  # the wake is no part of it
            p99_us["alone"].append(_p99_us(gateway.port, seconds=options.seconds, seed=seed))
            before = rss_bytes(gateway.pgid)
            with gathered(gateway.port, count):
                each_kb.append((rss_bytes(gateway.pgid) - before) / count / 1000)
                p99_us["beside"].append(_p99_us(gateway.port, seconds=options.seconds, seed=seed))
    alone_us, beside_us = median(p99_us["alone"]), median(p99_us["beside"])
    return [
        Row(
            claim=f"crowd: memory of each of {count:,} idle connections",
            unit="KB",
            samples={"wakegate": each_kb},
            goals=(at_most(median(each_kb), EACH_MAX_KB, of="KB"),),
        ),
        Row(
            claim="crowd: p99 beside them",
            unit="µs",
            samples={"wakegate": p99_us["beside"], **p99_us},
            goals=(at_most(beside_us / alone_us, P99_MAX, of="x alone"),),
            notes=(f"without them {alone_us:.0f} µs, at {RATE:.0f} requests a second",),
        ),
    ]


def _p99_us(port: int, *, seconds: float, seed: int) -> float:
    took_s = latencies_s(port, request(FETCH), rate=RATE, seconds=seconds, seed=seed, end=ANSWER[-6:])
    return took_s[int(len(took_s) * 0.99)] * 1e6


@contextmanager
def gathered(port: int, count: int) -> Iterator[None]:
    """Keep that many connections, each of which has had its answer, until the block ends."""
    command = [sys.executable, "-m", "bench.herd", str(port), str(count), "stay"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as crowd:
        assert crowd.stdout is not None
        said = crowd.stdout.readline()
        if said != f'{{"200": {count}}}\n':
            raise BenchError(f"of {count} connections these statuses came: {said}")
        yield
        crowd.communicate()

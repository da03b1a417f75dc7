"""The herd: 10,000 requests held through one wake, none lost, and what each of them costs in memory.

The app listens when the bench says so, once the gateway has told that all are held; the clients are another process.
"""

import json
import subprocess
import sys

from bench.options import Options
from bench.peers import PATIENCE_S, ROOT, BenchError, Wakegate, folder, stub, wait_until
from bench.proc import rss_bytes
from bench.table import Goal, Row, at_most

HELD_COUNT = 10_000
EACH_MAX_KB = 40.0


def measure(options: Options, *, count: int = HELD_COUNT) -> list[Row]:
    """Hold the herd as often as there are rounds."""
    each_kb: list[float] = []
    lost: list[float] = []
    for _ in range(options.rounds):
        kb, answered = _hold(count)
        each_kb.append(kb)
        lost.append(float(count - answered))
    none_lost = Goal(reached=f"{max(lost):.0f} lost", wanted="0 lost", met=not any(lost))
    samples = {"wakegate": each_kb, "lost": lost}
    row = Row(claim=f"held: memory of each of {count:,}", unit="KB", samples=samples)
    goals = (at_most(row.value("wakegate"), EACH_MAX_KB, of="KB"), none_lost)
    return [Row(claim=row.claim, unit=row.unit, samples=samples, goals=goals)]


def _hold(count: int) -> tuple[float, int]:
    """Return the memory of a held request in KB, and how many were answered with 200."""
    with folder() as here:
        gate = here / "listen-now"
        with Wakegate(stub("{port}", str(gate)), app_port=0, folder=here) as gateway:
            gateway.status()  # the first connection to the control socket is not the herd's
            before = rss_bytes(gateway.pgid)
            command = [sys.executable, "-m", "bench.herd", str(gateway.port), str(count)]
            herd = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            try:
                wait_until(lambda: bool(gateway.status()["held"] >= count), what=f"{count} requests are held")
                held = rss_bytes(gateway.pgid)
                gate.touch()
                statuses = json.loads(herd.communicate(timeout=PATIENCE_S)[0])
            except (BenchError, subprocess.TimeoutExpired):
                herd.kill()
                herd.wait()
                raise
    return (held - before) / count / 1000, int(statuses.get("200", 0))

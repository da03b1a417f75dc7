"""A wake against systemd's own way: a socket unit, systemd-socket-proxyd, and the app started by the first connection.

Both wake the same app, in turn; a wake counts from the request to the first byte of the answer. A small launcher
(`bench/activate.py`) plays systemd: it holds the socket, and at the first connection starts the app, waits for its
port, trying each millisecond, and starts the proxy with the socket. That is faster than systemd can be, which makes a
control group for each unit and cannot wait for a port but by a script.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from bench.options import Options
from bench.peers import PATIENCE_S, ROOT, Wakegate, folder, free_port, need, stub
from bench.table import Goal, Row
from bench.wake import woken_ms

MORE_MAX_MS = 5.0
WAKES_A_ROUND = 10


def measure(options: Options, *, wakes: int = WAKES_A_ROUND) -> list[Row]:
    """Wake the app through both in turn."""
    program = need("systemd-socket-proxyd")
    took_ms: dict[str, list[float]] = {"wakegate": [], "proxyd": []}
    with folder() as here, Wakegate(stub("{port}"), app_port=0, folder=here) as gateway:
        for _ in range(options.rounds * wakes):
            took_ms["wakegate"].append(woken_ms(gateway.port))
            gateway.sleep()
            with _activated(program) as port:
                took_ms["proxyd"].append(woken_ms(port))
    ours, theirs = median(took_ms["wakegate"]), median(took_ms["proxyd"])
    goal = Goal(reached=f"{ours - theirs:+.1f} ms", wanted=f"≤ +{MORE_MAX_MS:g} ms", met=ours - theirs <= MORE_MAX_MS)
    note = f"systemd-socket-proxyd {theirs:.1f} ms"
    return [Row(claim="proxyd: wake of a process", unit="ms", samples=took_ms, goals=(goal,), notes=(note,))]


@contextmanager
def _activated(program: str) -> Iterator[int]:
    """Lend the port of a socket that nothing stands behind yet."""
    app_port = free_port()
    command = [sys.executable, "-m", "bench.activate", program, str(app_port), *stub(str(app_port))]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout is not None
        yield int(launcher.stdout.readline())
        launcher.communicate(timeout=PATIENCE_S)

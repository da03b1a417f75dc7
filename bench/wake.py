"""The wake: what the gateway adds to the app's own start.

A wake counts from the request, on a connection that stands, to the first byte of the answer. The app's own part is
measured in turn with it, by a plain script: from the spawn of the very same command to the first byte of its answer,
which is asked for when the app says that it listens. (A script that tries to connect every 0.2 ms instead slows the
app down on a busy machine, by more than what is measured.) The overhead is the difference of the two medians. So it
has everything in it that is Wakegate's: the state that is written, the spawn from a larger process, the probe that may
come late, the connection to the app. The script runs twice a wake: how far its own two medians lie apart is the doubt
in the difference, and the goal is met only with the doubt added.

Two apps, because a probe that backs off comes later to an app that takes its time.
"""

import socket
import subprocess
import time
from statistics import median

from bench.browser import FETCH, request
from bench.options import Options
from bench.peers import PATIENCE_S, BenchError, Wakegate, folder, free_port, stub
from bench.table import Goal, Row

OVERHEAD_MAX_MS = 5.0
WAKES_A_ROUND = 10
APPS = {"an app that listens at once": (), "an app that listens after 0.4 s": ("0.4",)}


def measure(options: Options, *, wakes: int = WAKES_A_ROUND) -> list[Row]:
    """Wake each app some times a round, and start it as often without the gateway."""
    return [_measure(app, words, wakes=options.rounds * wakes) for app, words in APPS.items()]


def _measure(app: str, words: tuple[str, ...], *, wakes: int) -> Row:
    took_ms: dict[str, list[float]] = {"woken": [], "started": [], "started again": []}
    with folder() as here, Wakegate(stub("{port}", *words), app_port=0, folder=here) as gateway:
        for _ in range(wakes):
            took_ms["started"].append(_started_ms(words))
            took_ms["woken"].append(woken_ms(gateway.port))
            gateway.sleep()
            took_ms["started again"].append(_started_ms(words))
    return overhead(f"wake: overhead, {app}", took_ms, most_ms=OVERHEAD_MAX_MS)


def overhead(claim: str, took_ms: dict[str, list[float]], *, most_ms: float) -> Row:
    """Return the row of what a wake takes longer than a start; `took_ms` has "woken", "started", "started again"."""
    woken, started, again = (median(took_ms[kind]) for kind in ("woken", "started", "started again"))
    added, doubt = woken - (started + again) / 2, abs(started - again)
    goal = Goal(reached=f"{added:.1f} ± {doubt:.1f} ms", wanted=f"≤ {most_ms:g} ms", met=added + doubt <= most_ms)
    return Row(
        claim=claim,
        unit="ms",
        samples={"wakegate": [added], **took_ms},
        goals=(goal,),
        notes=(f"woken in {woken:.1f} ms; without the gateway started in {started:.1f} and {again:.1f} ms",),
    )


def woken_ms(port: int) -> float:
    """Ask once; return the time to the first byte of the answer, in ms."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        began_s = time.perf_counter()
        connection.sendall(request(FETCH))
        must_be_200(connection.recv(65536))
        return (time.perf_counter() - began_s) * 1e3


def _started_ms(words: tuple[str, ...]) -> float:
    port = free_port()
    began_s = time.perf_counter()
    app = subprocess.Popen(stub(str(port), *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, process_group=0)
    with app:
        try:
            assert app.stdout is not None
            app.stdout.readline()
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
                connection.sendall(request(FETCH))
                must_be_200(connection.recv(65536))
            return (time.perf_counter() - began_s) * 1e3
        finally:
            app.kill()


def must_be_200(answer: bytes) -> None:
    """Raise `BenchError` for any other answer."""
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise BenchError(f"the wake was not answered by the app: {answer.decode()}")

"""Warm requests: the processor time, user and system, that a proxy's own processes spend on one.

Time of a core and not requests a second, so that it holds on a machine where client, proxy and app share two cores.
Four kinds of load, because a gateway may remember the headers that it has just seen: a client that sends the same
request over and over, clients that load a page and its parts as browsers do, one whose every request is new, and one
that keeps no cookies, for which every request begins a session.
"""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.browser import NAVIGATION, request, session, visit
from bench.options import Options
from bench.peers import BenchError, Peer, need, proxies
from bench.proc import cpu_s
from bench.table import Row, at_least

CONNECTIONS = 64
WARM_UP_S = 0.5
TRACE = "00-0123456789abcdef0123456789abcdef-@span@-01"
WANTED = {"nginx": 0.8, "caddy": 2.0}  # requests per core-second, times those of the peer
LOADS = {
    "same": "the same request again and again",
    "visit": "a page and what it loads",
    "traced": "one header differs in every request",
    "fresh": "a client that keeps no cookies",
}


def measure(options: Options, *, loads: Sequence[str] = tuple(LOADS)) -> list[Row]:
    """Load the four in turn, round by round; compare the medians of their rounds."""
    wrk = need("wrk")
    samples: dict[str, dict[str, list[float]]] = {load: {} for load in loads}
    with proxies(*WANTED) as (peers, missing):
        cookie = session(peers["wakegate"])
        scripts = {load: script(load, cookie=cookie, folder=peers["wakegate"].folder) for load in loads}
        for load in list(loads) * options.rounds:
            for name, peer in peers.items():
                run_wrk(wrk, peer.port, script=scripts[load], seconds=WARM_UP_S)
                took_us = spent_us(wrk, peer, script=scripts[load], seconds=options.seconds)
                samples[load].setdefault(name, []).append(took_us)
    return [_row(f"warm: {LOADS[load]}", samples[load], missing) for load in loads]


def _row(claim: str, samples: dict[str, list[float]], missing: tuple[str, ...]) -> Row:
    middle = {name: median(values) for name, values in samples.items()}
    goals = [
        at_least(middle[peer] / middle["wakegate"], wanted, of=peer)
        for peer, wanted in WANTED.items()
        if peer in samples
    ]
    return Row(claim=claim, unit="µs", samples=samples, goals=tuple(goals), notes=missing)


def spent_us(wrk: str, peer: Peer, *, script: Path, seconds: float) -> float:
    """Load a proxy; return the processor time of a request."""
    before_s = cpu_s(peer.pgid)
    count = run_wrk(wrk, peer.port, script=script, seconds=seconds)
    return (cpu_s(peer.pgid) - before_s) / count * 1e6


def run_wrk(wrk: str, port: int, *, script: Path, seconds: float) -> int:
    """Load a proxy; return how many requests were answered, each with 200."""
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(script)]
    said = subprocess.run([*command, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+) requests in", said)
    if found is None or "Non-2xx" in said or "Socket errors" in said:
        raise BenchError(f"not every request was answered with 200:\n{said}")
    return int(found[1])


def script(load: str, *, cookie: str, folder: Path) -> Path:
    """Write the script that gives wrk its requests, ready to be sent."""
    path = folder / f"{load}.lua"
    if load == "visit":
        texts = ", ".join(_lua(text) for text in visit(Cookie=cookie))
        body = (
            f"local texts = {{{texts}}}\nfunction request() count = count + 1; return texts[count % #texts + 1] end\n"
        )
    elif load == "traced":
        before, after = (_lua(part) for part in request(NAVIGATION, Cookie=cookie, Traceparent=TRACE).split(b"@span@"))
        span = 'string.format("%016x", count)'
        body = f"function request() count = count + 1; return {before} .. {span} .. {after} end\n"
    else:
        cookies = {"Cookie": cookie} if load == "same" else {}
        return one_request(request(NAVIGATION, **cookies), path=path)
    path.write_text(f"local count = 0\n{body}", encoding="utf-8")
    return path


def one_request(text: bytes, *, path: Path) -> Path:
    """Write the script that gives wrk the same request again and again."""
    path.write_text(f"local text = {_lua(text)}\nfunction request() return text end\n", encoding="utf-8")
    return path


def _lua(text: bytes) -> str:
    """Return bytes as a string of Lua."""
    return '"' + text.decode().replace("\\", "\\\\").replace('"', '\\"').replace("\r\n", "\\r\\n") + '"'

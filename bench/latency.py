"""Latency at half load: what a proxy adds to the p99 of the app itself.

The load is half of what Wakegate can carry in this run, the same for everybody, and arrives at its own rate (`load`).
They take turns of a second, so that a burst of other work on the machine falls on all, and medians are taken over the
turns. The app itself has two turns: how far its two p99s lie apart is what noise does to a difference, and what nginx
adds can be compared with only where it is larger than that; the goal is met only with that doubt against us.
"""

from statistics import median

from bench.browser import NAVIGATION, request, session
from bench.load import latencies_s
from bench.options import Options
from bench.peers import BODY, need, proxies
from bench.table import Goal, Row
from bench.warm import run_wrk, script

ADDED_MAX = 2.0  # times what nginx adds
CAPACITY_S = 2.0
TURN_S = 1.0
TURNS_A_ROUND = 4


def measure(options: Options, *, turns: int = TURNS_A_ROUND) -> list[Row]:
    """Ask the app, Wakegate, nginx and the app again in turn."""
    wrk = need("wrk")
    p99_us: dict[str, list[float]] = {}
    with proxies("nginx") as (peers, missing):
        gateway = peers["wakegate"]
        cookie = session(gateway)
        same = script("same", cookie=cookie, folder=gateway.folder)
        rate = run_wrk(wrk, gateway.port, script=same, seconds=CAPACITY_S) / CAPACITY_S / 2
        ports = {"app": gateway.app_port, **{name: peer.port for name, peer in peers.items()}}
        ports["app again"] = gateway.app_port
        head = request(NAVIGATION, Cookie=cookie)
        for turn in range(options.rounds * turns):
            for name, port in ports.items():
                took_s = latencies_s(port, head, rate=rate, seconds=TURN_S, seed=turn, end=BODY)
                p99_us.setdefault(name, []).append(took_s[int(len(took_s) * 0.99)] * 1e6)
    return [_row(p99_us, (*missing, f"{rate:.0f} requests a second, half of what Wakegate carried here"))]


def _row(p99_us: dict[str, list[float]], notes: tuple[str, ...]) -> Row:
    middle = {name: median(values) for name, values in p99_us.items()}
    doubt_us = abs(middle["app"] - middle["app again"])
    app_us = (middle["app"] + middle["app again"]) / 2
    added = {name: middle[name] - app_us for name in ("wakegate", "nginx")}
    wanted = f"≤ {ADDED_MAX:g} x nginx"
    goal = Goal(reached="lost in noise", wanted=wanted, met=False)
    if added["nginx"] > doubt_us:
        ratio = added["wakegate"] / added["nginx"]
        worst = (added["wakegate"] + doubt_us) / (added["nginx"] - doubt_us)
        goal = Goal(reached=f"{ratio:.2f} x nginx, at worst {worst:.2f}", wanted=wanted, met=worst <= ADDED_MAX)
    seen = ", ".join(f"{name} {value:.0f} (worst {max(p99_us[name]):.0f})" for name, value in middle.items())
    return Row(
        claim="latency: added to p99 at half load",
        unit="µs",
        samples={**{name: [value] for name, value in added.items()}, **{f"p99 {k}": v for k, v in p99_us.items()}},
        goals=(goal,),
        notes=(*notes, f"p99 in µs: {seen}"),
    )

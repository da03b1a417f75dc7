"""Sizes of an answer, and new connections: the processor time, user and system, that a proxy spends on a request.

As `warm`, with answers of 64 B, 16 KB and 1 MB, once over connections that stay open and once with `Connection: close`,
so that accepting and closing are part of each request. The client has the cookie of a session: without it, each request
begins one. One warm-up a subject, then the rounds in turn. There is no goal: the rows say where each is better.
"""

from collections.abc import Sequence

from bench.browser import FETCH, request, session
from bench.options import Options
from bench.peers import SIZES, need, proxies
from bench.table import PEERS, Row
from bench.warm import one_request, spent_us

CONNECTIONS = {"kept open": "keep-alive", "new each time": "close"}
SHARE = 0.5  # of the options' seconds, as there are six loads


def measure(options: Options, *, sizes: Sequence[str] = tuple(SIZES)) -> list[Row]:
    """Load the three in turn, round by round."""
    wrk = need("wrk")
    seconds = options.seconds * SHARE
    rows = []
    with proxies(*PEERS) as (peers, missing):
        cookie = session(peers["wakegate"])
        for size in sizes:
            for kind, word in CONNECTIONS.items():
                text = request({**FETCH, "Connection": word}, f"/sizes/{SIZES[size]}", Cookie=cookie)
                script = one_request(text, path=peers["wakegate"].folder / f"{SIZES[size]}-{word}.lua")
                samples: dict[str, list[float]] = {name: [] for name in peers}
                for turn in range(1 + options.rounds):
                    for name, peer in peers.items():
                        took_us = spent_us(wrk, peer, script=script, seconds=seconds)
                        if turn:  # the first warms up
                            samples[name].append(took_us)
                rows.append(Row(claim=f"sizes: {size}, connection {kind}", unit="µs", samples=samples, notes=missing))
    return rows

"""All cores: requests a second with a worker a core, against nginx and Caddy on all cores, over the same app.

wrk, the proxy and the app share the machine, so this is what one machine carries and no more: what a core does is in
`warm`. The three take turns, a warm-up each, with a browser's request for a page. There is no goal.
"""

import os

from bench.browser import NAVIGATION, request
from bench.options import Options
from bench.peers import need, needs_setting, proxies
from bench.table import PEERS, Row
from bench.warm import one_request, run_wrk


def measure(options: Options) -> list[Row]:
    """Load the three in turn, round by round."""
    needs_setting("gateway.workers")
    wrk = need("wrk")
    samples: dict[str, list[float]] = {}
    with proxies(*PEERS, gateway='workers = "auto"', cores="auto") as (peers, missing):
        script = one_request(request(NAVIGATION), path=peers["wakegate"].folder / "workers.lua")
        for turn in range(1 + options.rounds):
            for name, peer in peers.items():
                seconds = max(1, round(options.seconds))
                count = run_wrk(wrk, peer.port, script=script, seconds=seconds)
                if turn:  # the first warms up
                    samples.setdefault(name, []).append(count / seconds)
    claim = f"workers: requests a second on {os.cpu_count()} cores"
    return [Row(claim=claim, unit="/s", samples=samples, notes=missing)]

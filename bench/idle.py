"""The idle gateway: its resident memory while its service sleeps, when it is new and after it has worked."""

from bench.browser import FETCH, request
from bench.options import Options
from bench.peers import Wakegate, folder, stub
from bench.proc import rss_bytes
from bench.table import Row, at_most

RSS_MAX_MB = 60.0
REQUESTS = 2_000


def measure(options: Options, *, requests: int = REQUESTS) -> list[Row]:
    """Start a gateway for each round, work it, let it sleep."""
    new_mb: list[float] = []
    worked_mb: list[float] = []
    for _ in range(options.rounds):
        with folder() as here, Wakegate(stub("{port}"), app_port=0, folder=here) as gateway:
            gateway.status()
            new_mb.append(rss_bytes(gateway.pgid) / 1e6)
            for _ in range(requests):
                gateway.get(request(FETCH))
            gateway.sleep()
            worked_mb.append(rss_bytes(gateway.pgid) / 1e6)
    return [_row("new", new_mb), _row(f"asleep again after {requests:,} clients", worked_mb)]


def _row(state: str, samples: list[float]) -> Row:
    row = Row(claim=f"idle: memory, {state}", unit="MB", samples={"wakegate": samples})
    goal = at_most(row.value("wakegate"), RSS_MAX_MB, of="MB")
    return Row(claim=row.claim, unit=row.unit, samples=row.samples, goals=(goal,))

"""`python -m bench [NAME …]`: measure, print one table, keep every round in bench/results/.

Without a name, all is measured, and the results are those that docs/bench.md shows: docs/bench.json and docs/bench.svg.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import (
    aws,
    containers,
    crowd,
    held,
    idle,
    latency,
    many,
    proxyd,
    sim,
    sizes,
    soak,
    transfer,
    wake,
    warm,
    websocket,
    workers,
)
from bench.chart import SVG, draw
from bench.options import Options
from bench.peers import BenchError, MissingError
from bench.table import Goal, Row, render

CLAIMS: dict[str, Callable[[Options], list[Row]]] = {
    "warm": warm.measure,
    "sizes": sizes.measure,
    "workers": workers.measure,
    "websocket": websocket.measure,
    "transfer": transfer.measure,
    "latency": latency.measure,
    "wake": wake.measure,
    "containers": containers.measure,
    "proxyd": proxyd.measure,
    "held": held.measure,
    "crowd": crowd.measure,
    "many": many.measure,
    "idle": idle.measure,
    "soak": soak.measure,
    "sim": sim.measure,
    "aws": aws.measure,
}
RESULTS = Path("bench/results")
SHOWN = Path("docs/bench.json")


def main() -> int:
    """Return 0 when every goal that could be measured is met."""
    wanted = _wanted(sys.argv[1:])
    options = Options(seconds=wanted.seconds, rounds=wanted.rounds, soak_s=wanted.soak)
    rows: list[Row] = []
    for name in wanted.names or CLAIMS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        try:
            rows += CLAIMS[name](options)
        except MissingError as error:
            rows.append(Row(claim=name, unit="", notes=(str(error),)))
        except (BenchError, OSError) as error:
            failed = Goal(reached="failed", wanted="measured", met=False)
            rows.append(Row(claim=name, unit="", goals=(failed,), notes=(str(error),)))
    print(render(rows))
    facts = _facts(rows, options)
    print(f"\nevery round: {_keep(facts, folder=wanted.results)}")
    if not wanted.names:
        SHOWN.write_text(facts, encoding="utf-8")
        SVG.write_text(draw(json.loads(facts)), encoding="utf-8")
        print(f"shown in the docs: {SHOWN}, {SVG}; run: make docs")
    return 0 if all(goal.met for row in rows for goal in row.goals) else 1


def _wanted(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the claims of speed and memory.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(CLAIMS)}; without a name: all")
    parser.add_argument("--seconds", type=float, default=Options().seconds, help="of load, each subject and round")
    parser.add_argument("--rounds", type=int, default=Options().rounds, help="medians are taken over these")
    parser.add_argument("--soak", type=float, default=Options().soak_s, metavar="SECONDS", help="of the soak")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where every round is kept")
    wanted = parser.parse_args(words)
    if unknown := [name for name in wanted.names if name not in CLAIMS]:
        parser.error(f"no claim is called {', '.join(unknown)}; there is {', '.join(CLAIMS)}")
    return wanted


def _facts(rows: list[Row], options: Options) -> str:
    """Return the results of a run as JSON."""
    facts = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "wakegate": version("wakegate"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} cores",
        "options": asdict(options),
        "rows": [asdict(row) for row in rows],
    }
    return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"


def _keep(facts: str, *, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.write_text(facts, encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.exit(main())

"""The results as a picture: `python -m bench.chart RESULT.json [PICTURE.svg]`, docs/bench.svg if not said otherwise.

One bar for each claim and peer: how many times as good as the peer Wakegate is, on a scale on which twice and half are
equally far from the middle. It is drawn for light and dark pages, and can be read at a width of 800 pixels.
"""

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any
from xml.sax.saxutils import escape

from bench.table import PEERS, times_as_good

HOW = "Medians of one run on one machine. Bars to the right: Wakegate needs less of it, or carries more."
SVG = Path("docs/bench.svg")
WIDTH, LEFT, RIGHT = 800, 340, 740
TOP, ROW, BAR = 80, 34, 12
REACH = 8.0  # the scale goes from an eighth to eight times
TICKS = (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)
STYLE = """
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .title { font-size: 16px; font-weight: 600 }
    .small { font-size: 11px; fill: #59636e }
    .grid { stroke: #d1d9e0 } .even { stroke: #59636e }
    .nginx { fill: #1a7f37 } .caddy { fill: #0969da }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc } .small { fill: #9198a1 }
      .grid { stroke: #3d444d } .even { stroke: #9198a1 }
      .nginx { fill: #3fb950 } .caddy { fill: #4493f8 }
    }
"""


def main() -> None:
    """Draw one file of results."""
    results, picture = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else SVG
    picture.write_text(draw(json.loads(results.read_text(encoding="utf-8"))), encoding="utf-8")
    print(picture)


def draw(facts: dict[str, Any]) -> str:
    """Return the picture of the results of one run."""
    rows = [row for row in facts["rows"] if _peers(row)]
    height = TOP + ROW * len(rows) + 24
    title = "Wakegate against nginx and Caddy"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="12" y="24">{title}</text>',
        f'<text class="small" x="12" y="44">{HOW}</text>',
        *_legend(),
        *_scale(bottom=TOP + ROW * len(rows)),
    ]
    for number, row in enumerate(rows):
        parts += _row(row, top=TOP + ROW * number)
    parts.append(f'<text class="small" x="12" y="{height - 8}">{escape(_where(facts))}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _peers(row: dict[str, Any]) -> list[str]:
    """Return those that have a ratio: what is added to a latency may be lost in noise, and then be nothing or less."""
    is_above_0 = {name: median(values) > 0 for name, values in row["samples"].items()}
    return [peer for peer in PEERS if is_above_0.get(peer) and is_above_0["wakegate"]]


def _legend() -> Iterator[str]:
    for number, peer in enumerate(PEERS):
        x = RIGHT - 150 + 80 * number
        yield f'<rect class="{peer}" x="{x}" y="14" width="12" height="12"/>'
        yield f'<text x="{x + 18}" y="25">{peer}</text>'


def _scale(*, bottom: int) -> Iterator[str]:
    for tick in TICKS:
        x = _x(tick)
        kind = "even" if tick == 1 else "grid"
        yield f'<line class="{kind}" x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom}"/>'
        label = f"{tick:g} x" if tick >= 1 else f"1/{1 / tick:g}"
        yield f'<text class="small" x="{x:.1f}" y="{TOP - 10}" text-anchor="middle">{label}</text>'


def _row(row: dict[str, Any], *, top: int) -> Iterator[str]:
    yield f'<text x="12" y="{top + 19}">{escape(row["claim"])}</text>'
    for number, peer in enumerate(_peers(row)):
        ratio = times_as_good(row["samples"], row["unit"], peer=peer)
        y = top + 4 + (BAR + 1) * number
        left, right = sorted((_x(1), _x(ratio)))
        yield f'<rect class="{peer}" x="{left:.1f}" y="{y}" width="{right - left:.1f}" height="{BAR}"/>'
        beside, anchor = (right + 4, "start") if ratio >= 1 else (left - 4, "end")
        yield f'<text class="small" x="{beside:.1f}" y="{y + 10}" text-anchor="{anchor}">{ratio:.2f}</text>'


def _x(ratio: float) -> float:
    """Return where a ratio is; what is beyond the scale ends at its end."""
    bounded = min(REACH, max(1 / REACH, ratio))
    return LEFT + (RIGHT - LEFT) * (math.log(bounded, REACH) + 1) / 2


def _where(facts: dict[str, Any]) -> str:
    return f"Wakegate {facts['wakegate']}, Python {facts['python']}, {facts['machine']}, {facts['at'][:10]}"


if __name__ == "__main__":
    main()

"""The picture shows every row that has a peer, on the right side, and is well-formed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from bench.chart import HOW, draw
from bench.peers import ROOT
from bench.table import times_as_good

SVG = "{http://www.w3.org/2000/svg}"
FACTS: dict[str, Any] = {
    "at": "2026-01-02T03:04:05+00:00",
    "wakegate": "0.1.0",
    "python": "3.11.7",
    "machine": "Linux, 2 cores",
    "rows": [
        {"claim": "warm: <the same>", "unit": "µs", "samples": {"wakegate": [20.0, 40.0, 30.0], "nginx": [15.0]}},
        {"claim": "transfer", "unit": "MB/s", "samples": {"wakegate": [900.0], "nginx": [300.0], "caddy": [9.0]}},
        {"claim": "latency", "unit": "µs", "samples": {"wakegate": [30.0], "nginx": [-2.0]}},
        {"claim": "idle", "unit": "MB", "samples": {"wakegate": [40.0]}},
    ],
}


def bars(picture: str) -> list[tuple[str, float, float]]:
    """Return the peer, the left and the right end of each bar, without the legend's squares."""
    found = ET.fromstring(picture).iter(f"{SVG}rect")
    ends = [(rect.attrib["class"], float(rect.attrib["x"]), float(rect.attrib["width"])) for rect in found]
    return [(peer, x, x + width) for peer, x, width in ends[2:]]


def test_a_bar_goes_to_the_right_where_wakegate_is_better() -> None:
    """Less of a cost and more a second are both better; what is beyond the scale ends at its end."""
    (costly, fast, off_the_scale), middle = bars(draw(FACTS)), 540.0
    assert (costly[0], costly[2]) == ("nginx", middle)
    assert costly[1] < middle
    assert (fast[0], fast[1]) == ("nginx", middle)
    assert (off_the_scale[0], off_the_scale[2]) == ("caddy", 740.0)


@pytest.mark.parametrize(("unit", "ratio"), [("µs", 0.5), ("MB", 0.5), ("MB/s", 2.0), ("/s", 2.0)])
def test_the_unit_says_which_way_is_better(unit: str, ratio: float) -> None:
    """A speed is good when it is high, a cost when it is low."""
    assert times_as_good({"wakegate": [2.0], "nginx": [1.0]}, unit, peer="nginx") == ratio


def test_a_row_without_a_ratio_is_not_drawn() -> None:
    """No peer, or one that took less than nothing, as a difference may that is lost in noise."""
    texts = [text.text for text in ET.fromstring(draw(FACTS)).iter(f"{SVG}text")]
    assert {HOW, "warm: <the same>", "Wakegate 0.1.0, Python 3.11.7, Linux, 2 cores, 2026-01-02"} <= set(texts)
    assert not {"idle", "latency"} & set(texts)


def test_the_program_draws_a_file_of_results(tmp_path: Path) -> None:
    """`python -m bench.chart RESULT.json` is how a kept run becomes a picture."""
    results = tmp_path / "results.json"
    results.write_text(json.dumps(FACTS), encoding="utf-8")
    command = [sys.executable, "-m", "bench.chart", str(results), str(tmp_path / "bench.svg")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert (tmp_path / "bench.svg").read_text(encoding="utf-8") == draw(FACTS)

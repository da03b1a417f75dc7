"""Writes the pages of docs/ that come from code; with --check it only says which are stale, and exits 1."""

import ast
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import wakegate
from wakegate.config.schema import schema
from wakegate.config.setting import Setting
from wakegate.config.settings import SETTINGS
from wakegate.config.show import show
from wakegate.core.phase import NEXT, Action, Phase

DOCS = Path(__file__).parent
BENCH = Path(wakegate.__file__).parents[2] / "bench"
WRITTEN = "<!-- Written by docs/generate.py; change the code, then run: make docs -->"

SETTINGS_INTRO = """
# Settings

They stand in `wakegate.toml`. `wakegate init` writes one, `wakegate check` checks it. Each service has one of
`command`, `image`, `build`, `container` and `compose`; everything else has a default, or may be left out (–).

Durations are written as `"300s"`, `"5m"`, `"1h30m"`, `"250ms"`; sizes as `"64KiB"`, `"10MB"`, or as a number of bytes.

A setting may be given in several places: option before environment before file before default.

- Options of `wakegate up`: OPTIONS.
  What belongs to a service is set for every service.
- Environment: `WAKEGATE_LISTEN` is `gateway.listen`, `WAKEGATE_SERVICE_WEB_SLEEP_IDLE_TIMEOUT` is
  `service.web.sleep.idle_timeout`, and so on. Lists are separated by commas; `env` is written as `A=1 B='two words'`.

Editors complete and check the file by [its schema](wakegate.schema.json). With Taplo or Even Better TOML, put the
schema beside the file and begin the file with `#:schema ./wakegate.schema.json`.

SIGHUP makes a running gateway read the file again, without dropping a request. What is marked ⟳ needs a restart.
"""


BENCH_INTRO = """
# Speed and memory

`make bench` measures every claim, in about ten minutes, and prints one table; `make bench ARGS="warm held"` measures
some of them. It needs `wrk`, nginx, Caddy, Docker and systemd-socket-proxyd for what is compared with them; what is not
installed is a row that says how to get it. Values are medians over rounds, and a ratio is always to a peer that was
measured in the same run on the same machine. Every round is kept in `bench/results/`.

What is compared is as it comes: the configurations are in `bench/`, next to the measurements.
"""
NOT_YET = "No run of all claims has been kept yet; `make bench` keeps one."


def settings_page() -> str:
    """Return the page of all settings, a table a group."""
    groups: dict[str, list[Setting]] = {}
    for setting in SETTINGS:
        groups.setdefault(setting.key.rpartition(".")[0], []).append(setting)
    options = ", ".join(f"`{setting.option}`" for setting in SETTINGS if setting.option)
    return "\n".join([WRITTEN, SETTINGS_INTRO.replace("OPTIONS", options), *_groups(groups), ""])


def _groups(groups: dict[str, list[Setting]]) -> Iterator[str]:
    for table, settings in groups.items():
        yield f"## [{table.replace('*', 'NAME')}]\n"
        yield "| setting | value | default | what it is for |"
        yield "|---|---|---|---|"
        for setting in settings:
            name = setting.key.rpartition(".")[2]
            mark = " ⟳" if setting.needs_restart else ""
            cells = (f"`{name}`{mark}", setting.kind.says, _default(setting), setting.help_text)
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
        yield ""


def _default(setting: Setting) -> str:
    if setting.default is None:
        return "–"
    return "`{}`" if setting.default == {} else f"`{show(setting.default)}`"


def schema_file() -> str:
    """Return the JSON schema."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def phases_page() -> str:
    """Return the diagram and the table of the phases."""
    return "\n".join([WRITTEN, "", *_diagram(), "", *_phase_table(), ""])


def _diagram() -> Iterator[str]:
    yield "# The phases of a service\n"
    yield "Every phase change is a row of `NEXT` in `core/phase.py`.\n"
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {Phase.ASLEEP}"
    for (phase, event), row in NEXT.items():
        yield f"    {phase} --> {row.to}: {event}"
    yield "```"


def _phase_table() -> Iterator[str]:
    yield "| from | event | to | what is done |"
    yield "|---|---|---|---|"
    for (phase, event), row in NEXT.items():
        yield f"| {phase} | {event} | {row.to} | {'' if row.action is Action.NONE else row.action} |"


def bench_page() -> str:
    """Return the results of the run that is kept, how each claim is measured, and what holds the limit."""
    kept = DOCS / "bench.json"
    found = _results(json.loads(kept.read_text(encoding="utf-8"))) if kept.exists() else [NOT_YET, ""]
    limits = (BENCH / "limits.md").read_text(encoding="utf-8")
    return "\n".join([WRITTEN, BENCH_INTRO, *found, "## How each is measured\n", *_claims(), limits])


def _results(facts: dict[str, Any]) -> Iterator[str]:
    options = facts["options"]
    yield "![Wakegate against nginx and Caddy](bench.svg)\n"
    yield f"Measured on {facts['at'][:10]}: Wakegate {facts['wakegate']}, Python {facts['python']}, {facts['machine']};"
    yield f"{options['rounds']} rounds, {options['seconds']:g} s of load each.\n"
    yield "| claim | wakegate | nginx | caddy | reached | goal | met |"
    yield "|---|---|---|---|---|---|---|"
    for row in facts["rows"]:
        values = [_median(row, subject) for subject in ("wakegate", "nginx", "caddy")]
        reached = "<br>".join(goal["reached"] for goal in row["goals"])
        wanted = "<br>".join(goal["wanted"] for goal in row["goals"])
        met = "<br>".join("yes" if goal["met"] else "**no**" for goal in row["goals"])
        yield f"| {' | '.join([row['claim'], *values, reached, wanted, met])} |"
    yield ""
    yield from (f"- {row['claim']}: {note}" for row in facts["rows"] for note in row["notes"])
    yield ""


def _median(row: dict[str, Any], subject: str) -> str:
    if subject not in row["samples"]:
        return "–"
    value = median(row["samples"][subject])
    return f"{value:,.0f} {row['unit']}" if abs(value) >= 100 else f"{value:.3g} {row['unit']}"


def _claims() -> Iterator[str]:
    """Yield what the files of the claims say of themselves."""
    for path in sorted(BENCH.glob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(part, ast.FunctionDef) and part.name == "measure" for part in module.body):
            yield f"### {path.stem}\n"
            yield f"{ast.get_docstring(module)}\n"


PAGES: dict[str, Callable[[], str]] = {
    "bench.md": bench_page,
    "phases.md": phases_page,
    "settings.md": settings_page,
    "wakegate.schema.json": schema_file,
}


def main(*, is_check: bool) -> int:
    """Write every page, or say which are stale; return the exit code."""
    stale = []
    for name, make in PAGES.items():
        path, text = DOCS / name, make()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not is_check:
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"docs/{name} {'is stale; run: make docs' if is_check else 'written'}")
    return 1 if stale and is_check else 0


if __name__ == "__main__":
    sys.exit(main(is_check="--check" in sys.argv[1:]))

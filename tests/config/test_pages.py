"""docs/generate.py: the pages that come from the code, and the check that they are fresh."""

import subprocess
import sys
from pathlib import Path

from wakegate.config.settings import SETTINGS
from wakegate.core.phase import NEXT

GENERATE = Path(__file__).parents[2] / "docs" / "generate.py"


def generate(docs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of the program, which writes beside itself."""
    program = docs / "generate.py"
    program.write_bytes(GENERATE.read_bytes())
    return subprocess.run([sys.executable, program, *arguments], capture_output=True, text=True, check=False)


def test_a_stale_page_is_named_and_nothing_is_written(folder: Path) -> None:
    """CI says which page; only `make docs` writes."""
    assert generate(folder).returncode == 0
    assert generate(folder, "--check").returncode == 0
    (folder / "settings.md").write_text("by hand")
    done = generate(folder, "--check")
    assert done.returncode == 1
    assert done.stdout == "docs/settings.md is stale; run: make docs\n"
    assert (folder / "settings.md").read_text() == "by hand"


def test_every_setting_and_every_row_of_the_phases_is_on_its_page(folder: Path) -> None:
    """A page that leaves one out is worse than none: one believes it."""
    generate(folder)
    settings, phases = (folder / "settings.md").read_text(), (folder / "phases.md").read_text()
    assert all(setting.help_text in settings for setting in SETTINGS)
    assert all(f"| {phase} | {event} | {row.to} |" in phases for (phase, event), row in NEXT.items())
    assert all(f"    {phase} --> {row.to}: {event}\n" in phases for (phase, event), row in NEXT.items())

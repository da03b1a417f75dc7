"""The map of the acceptance list in this package's docstring leads somewhere."""

import re
from pathlib import Path

import tests.scenarios


def test_every_scenario_that_the_map_names_exists() -> None:
    """A list that names tests which are gone would claim what nobody checks; "…" stands for anything."""
    assert tests.scenarios.__doc__ is not None
    lost, found = [], 0
    for file, names in re.findall(r"\b(test_\w+): ([^;]*?)(?=;|\n[A-Z\n]|$)", tests.scenarios.__doc__):
        source = (Path(__file__).parent / f"{file}.py").read_text(encoding="utf-8")
        for name in re.split(r",\s+", names.strip()):
            pattern = r"\w*".join(map(re.escape, name.split("…")))
            if re.search(rf"def test_{pattern}\(", source):
                found += 1
            else:
                lost.append(f"{file}: {name}")
    assert lost == []
    assert found > 70

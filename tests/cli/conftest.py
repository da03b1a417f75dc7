"""One gateway for all tests of a file: they look at it, and leave it as it was."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.cli.shell import Open, Terminal
from tests.scenarios.gateway import APP, Wakegate

CONFIG = '[service.web]\ncommand = {app}\nhosts = ["web.localhost"]\n[service.docs]\ncommand = {app}\n'


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wakegate]:
    """Start a gateway with two services, "web" (by its host) and "docs" (everything else)."""
    running = Wakegate(tmp_path_factory.mktemp("gateway"), "wakegate.toml")
    running.configure(CONFIG)
    try:
        running.start()
        yield running
    finally:
        running.end()


@pytest.fixture
def app() -> tuple[str, ...]:
    """Return the command line of the scenarios' app."""
    return (sys.executable, str(APP), "{port}")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    """Run commands on terminals, which are closed when the test ends."""
    with ExitStack() as stack:

        def open_one(*words: str, folder: Path = tmp_path, columns: int = 100) -> Terminal:
            opened = Terminal(*words, folder=folder, columns=columns)
            stack.callback(opened.close)
            return opened

        yield open_one

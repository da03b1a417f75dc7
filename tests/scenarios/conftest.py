"""Gateways for the scenarios: each in a folder of its own, and stopped whatever the test does."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.scenarios.gateway import Wakegate

Start = Callable[[str], Wakegate]

PLAIN = "[service.web]\ncommand = {app}\n"
SHORT_SLEEP = '[service.web.sleep]\nidle_timeout = "600ms"\ngrace = "100ms"\n'


def with_env(**env: str) -> str:
    """Return the plain service with an environment; see app.py for what it understands."""
    pairs = ", ".join(f'{name} = "{value}"' for name, value in env.items())
    return f"{PLAIN}env = {{ {pairs} }}\n"


WAITING = with_env(LISTEN_ON="listen")  # it listens when the test says `gateway.let("listen")`


@pytest.fixture
def wakegate(tmp_path: Path) -> Iterator[Start]:
    """Start gateways from a configuration; what the test leaves running is stopped."""
    with ExitStack() as running:
        numbers = iter(range(100))

        def start(config: str) -> Wakegate:
            folder = tmp_path / f"gateway-{next(numbers)}"
            folder.mkdir()
            gateway = Wakegate(folder, "wakegate.toml")
            gateway.configure(config)
            running.callback(gateway.end)
            gateway.start()
            return gateway

        yield start

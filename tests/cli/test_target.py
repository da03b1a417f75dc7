"""Which state directory and which service a command means."""

from pathlib import Path

import click
import pytest
from tests.scenarios.gateway import Wakegate

from wakegate.cli.target import complete_service, service_name, state_dir
from wakegate.core.errors import StateError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Start each test in a folder of its own, without settings in the environment."""
    monkeypatch.delenv("WAKEGATE_STATE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str) -> None:
    """Write the file that a gateway here would read."""
    (folder / "wakegate.toml").write_text(text, encoding="utf-8")


def test_an_option_outranks_environment_file_and_default(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is the one that `wakegate up` has: both must mean the same directory."""
    assert state_dir(None) == Path(".wakegate")
    write(here, '[gateway]\nstate_dir = "var"\n[service.web]\ncommand = ["true"]\n')
    assert state_dir(None) == here / "var"
    monkeypatch.setenv("WAKEGATE_STATE_DIR", "from-environment")
    assert state_dir(None) == Path("from-environment")
    assert state_dir("given") == Path("given")


def test_a_file_that_was_broken_since_does_not_hide_the_gateway(here: Path) -> None:
    """It runs on under the file as it was; to look at it must not need a file without mistakes."""
    write(here, "[service.web]\ncommand = \n")
    assert state_dir(None) == Path(".wakegate")


def test_a_mistake_in_a_service_does_not_hide_the_gateway(here: Path) -> None:
    """Nor do 10,000 services make a command that only asks for them slow: they are not looked at."""
    write(here, '[gateway]\nstate_dir = "var"\n[service.web]\ncommand = 7\n')
    assert state_dir(None) == here / "var"


def test_a_name_that_is_given_is_not_questioned(here: Path) -> None:
    """The gateway says what is wrong with it, with what was perhaps meant."""
    assert service_name("web", here) == "web"


def test_the_only_service_need_not_be_named(tmp_path: Path) -> None:
    """Most gateways have one."""
    gateway = Wakegate(tmp_path, "wakegate.toml")
    gateway.configure("[service.shop]\ncommand = {app}\n")
    try:
        gateway.start()
        assert service_name(None, tmp_path / ".wakegate") == "shop"
    finally:
        gateway.end()


def test_without_a_gateway_there_is_no_name_to_guess(here: Path) -> None:
    """Completion stays silent where a command would explain: nobody reads messages while typing."""
    with pytest.raises(StateError, match="no gateway is running here"):
        service_name(None, here / ".wakegate")
    context = click.Context(click.Command("wake"))
    assert complete_service(context, click.Argument(["service"]), "w") == []

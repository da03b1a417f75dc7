"""Environment variables and options: their names, and the folder that their paths start at."""

import os
from pathlib import Path

import pytest
from tests.config.conftest import NO_VARIABLES, Problems, Reads

from wakegate.config.read import read
from wakegate.config.settings import SETTINGS
from wakegate.core.spec import ProcessSpec

WEB = '[service.web]\ncommand = ["true"]\n'
TWO = WEB + '[service.api-v2]\ncommand = ["true"]\npath = "/v2"\n'


def test_every_setting_has_a_variable(reads: Reads) -> None:
    """A container is configured by its environment."""
    spec = reads(
        TWO,
        environ={
            "WAKEGATE_LISTEN": ":80",
            "WAKEGATE_SHOW_ERRORS": "true",
            "WAKEGATE_SERVICE_WEB_HOSTS": "a.localhost, b.localhost",
            "WAKEGATE_SERVICE_WEB_ENV": "A=1 B='two words'",
            "WAKEGATE_SERVICE_WEB_COMMAND": "gunicorn app:app",
            "WAKEGATE_SERVICE_API_V2_SLEEP_IDLE_TIMEOUT": "10m",
            "WAKEGATE_SERVICE_API_V2_IGNORE_STATUS": "204",
            "WAKEGATE_SERVICE_API_V2_SCALE_MAX": "5",
        },
    )
    web, api = spec.services
    assert (spec.gateway.host, spec.gateway.port, spec.gateway.show_errors) == ("0.0.0.0", 80, True)
    assert (web.hosts, web.run.command) == (("a.localhost", "b.localhost"), ("gunicorn", "app:app"))
    assert web.run.env == (("A", "1"), ("B", "two words"))
    assert (api.sleep.idle_timeout_s, api.ignore.status, api.scale.replicas_max) == (600.0, 204, 5)
    assert web.sleep.idle_timeout_s == 300.0


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("WAKEGATE_LISTN", 'no setting has this variable; did you mean "WAKEGATE_LISTEN"?'),
        ("WAKEGATE_SERVICE_WEB_IDLE_TIMEOUT", 'did you mean "WAKEGATE_SERVICE_WEB_SLEEP_IDLE_TIMEOUT"?'),
        (
            "WAKEGATE_KUBERNETES_IS_ELSEWHERE",
            "no setting has this variable; unset it, or see docs/settings.md for all there are",
        ),
    ],
)
def test_a_variable_of_no_setting_is_a_problem(problems: Problems, name: str, problem: str) -> None:
    """A typing error in a deployment must not pass as the default."""
    (told,) = problems(WEB, environ={name: "x"})
    assert told.startswith(f"{name}: ")
    assert told.endswith(problem)


def test_variables_of_others_and_our_own_mark_are_none_of_its_business(reads: Reads) -> None:
    """A replica may start a gateway of its own; the shell's completion has a variable, too."""
    reads(WEB, environ={"WAKEGATE_REPLICA": "0123/web/1", "_WAKEGATE_COMPLETE": "x", "PATH": "/bin", "LISTEN": "x"})


def test_a_problem_of_a_variable_names_it(problems: Problems) -> None:
    """The place to mend it is not the file."""
    assert problems(WEB, environ={"WAKEGATE_LISTEN": "x"})[0].startswith('WAKEGATE_LISTEN: "x" is no address')
    name = "WAKEGATE_SERVICE_WEB_SCALE_MAX"
    assert problems(WEB, environ={name: "many"}) == (f'{name}: "many" is no whole number; write 1 to 1000',)


def test_an_option_is_for_every_service(reads: Reads) -> None:
    """`--idle-timeout 1m` with a file of ten services."""
    spec = reads(TWO, options={"service.*.sleep.idle_timeout": "1m", "gateway.listen": "0"})
    assert [service.sleep.idle_timeout_s for service in spec.services] == [60.0, 60.0]
    assert (spec.gateway.host, spec.gateway.port) == ("127.0.0.1", 0)


def test_a_problem_of_an_option_names_it_once(problems: Problems) -> None:
    """However many services it is for."""
    assert problems(TWO, options={"service.*.sleep.idle_timeout": "1"}) == (
        '--idle-timeout: "1" has no unit; write "1s"',
    )


def test_a_weaker_value_that_is_wrong_is_told_too(problems: Problems) -> None:
    """Else it comes as a surprise on the day that the option is left out."""
    told = problems(WEB + 'sleep.idle_timeout = "x"', options={"service.*.sleep.idle_timeout": "1m"})
    assert [problem.partition(": ")[0] for problem in told] == ["wakegate.toml:3"]


def test_a_relative_folder_starts_where_it_was_written(folder: Path) -> None:
    """In a file at the file, on a command line at the shell's folder."""
    (folder / "conf" / "app").mkdir(parents=True)
    file = Path("conf/wakegate.toml")
    file.write_text('[service.web]\ncommand = ["true"]\ndirectory = "app"\n')
    spec = read(file, environ=NO_VARIABLES)
    assert spec.services[0].run == ProcessSpec(command=("true",), directory=str(folder / "conf" / "app"))
    assert spec.gateway.state_dir == str(folder / "conf" / ".wakegate")
    by_option = read(file, environ={"WAKEGATE_STATE_DIR": "a"}, options={"gateway.state_dir": "b"})
    by_variable = read(file, environ={"WAKEGATE_STATE_DIR": "a"})
    assert (by_option.gateway.state_dir, by_variable.gateway.state_dir) == (str(folder / "b"), str(folder / "a"))


def test_no_two_settings_share_a_variable() -> None:
    """Of two, one could never be set."""
    names = [setting.key.upper().replace(".", "_") for setting in SETTINGS]
    assert len(set(names)) == len(names)


def test_the_environment_is_read_unless_another_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command line relies on."""
    for name in [name for name in os.environ if name.startswith("WAKEGATE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WAKEGATE_LISTEN", ":1")
    assert read(None, command=["x"]).gateway.port == 1

"""Reading a configuration: where it comes from, what outranks what, and that hostile input makes only problems."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.config.conftest import NO_VARIABLES, Reads

from wakegate.config.read import read, read_gateway
from wakegate.config.settings import SETTINGS
from wakegate.core.errors import ConfigError
from wakegate.core.spec import ContainerSpec, GatewaySpec, ProcessSpec, ServiceSpec, Spec

WEB = '[service.web]\ncommand = ["true"]\n'
IDLE = "service.*.sleep.idle_timeout"


def problems_of(file: Path | None, **given: object) -> tuple[str, ...]:
    """Return what is wrong with a file or a command."""
    with pytest.raises(ConfigError) as caught:
        read(file, environ=NO_VARIABLES, **given)  # type: ignore[arg-type]  # the tests give what read takes
    return caught.value.problems


def test_a_command_alone_is_a_service_with_every_default(folder: Path) -> None:
    """`wakegate up -- COMMAND`: no file at all, and the defaults of the specs are those of the users."""
    spec = read(None, command=["gunicorn", "app:app"], environ=NO_VARIABLES)
    process = ProcessSpec(command=("gunicorn", "app:app"), directory=str(folder))
    gateway = GatewaySpec(state_dir=str(folder / ".wakegate"))
    assert spec == Spec(gateway=gateway, services=(ServiceSpec(name="web", run=process),))


def test_a_command_may_name_its_service() -> None:
    """And a name that is none is told."""
    assert read(None, command=["x"], service_name="shop", environ=NO_VARIABLES).services[0].name == "shop"
    assert '"a b" is no name of a service' in problems_of(None, command=["x"], service_name="a b")[0]


def test_the_file_of_this_folder_is_the_default(folder: Path) -> None:
    """`wakegate up` without a word."""
    (folder / "wakegate.toml").write_text(WEB)
    assert read(None, environ=NO_VARIABLES).services[0].run.command == ("true",)
    assert read(None, command=["other"], environ=NO_VARIABLES).services[0].run.command == ("other",)


def test_without_a_file_or_a_command_it_is_said_what_to_do() -> None:
    """The first thing that many will see."""
    hint = '"wakegate init" writes one, or run "wakegate up -- COMMAND" without a file'
    assert problems_of(None) == (f"there is no wakegate.toml here; {hint}",)


def test_a_file_and_a_command_are_one_too_many(folder: Path) -> None:
    """Which of them was meant, nobody knows."""
    assert problems_of(Path("a.toml"), command=["x"]) == (
        "a.toml: a file and a command were given; choose one of them",
    )


def test_an_image_is_enough(folder: Path) -> None:
    """With a command it runs that instead of its own; the file of this folder is not looked for."""
    (folder / "wakegate.toml").write_text(WEB)
    (web,) = read(None, image="nginx", environ=NO_VARIABLES).services
    assert (web.name, web.run) == ("web", ContainerSpec(image="nginx"))
    options = {"service.*.port": "8000"}
    (api,) = read(None, image="a", command=["x"], service_name="api", options=options, environ=NO_VARIABLES).services
    assert (api.name, api.run) == ("api", ContainerSpec(image="a", command=("x",), port=8000))


def test_what_is_wrong_with_an_image_is_told_at_its_option() -> None:
    """Nothing was written anywhere else."""
    assert problems_of(None, image="A b")[0].startswith('--image: "A b" is no image')
    assert problems_of(None, image="a", service_name="a b")[0].startswith('--image: "a b" is no name of a service')
    assert problems_of(Path("a.toml"), image="a") == ("a.toml: a file and an image were given; choose one of them",)


def test_what_is_no_file_is_told(folder: Path) -> None:
    """A folder, nothing, and a name that no file can have are different slips."""
    assert problems_of(Path("nope.toml")) == ("nope.toml: not found",)
    assert problems_of(Path("a/wakegate.toml")) == ('a/wakegate.toml: not found; "wakegate init" writes one',)
    assert problems_of(Path("flask")) == ('flask: not found; a command stands behind "--": wakegate up -- flask …',)
    (folder / "shop").mkdir()
    assert problems_of(Path("shop")) == ("shop: is a folder; name the file in it, shop/wakegate.toml",)
    assert "cannot be read" in problems_of(Path("a\0b"))[0]
    assert "cannot be read" in problems_of(Path("a" * 5000))[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(folder: Path) -> None:
    """With the system's own word for it."""
    (folder / "wakegate.toml").touch(mode=0)
    assert problems_of(None) == ("wakegate.toml: cannot be read: Permission denied",)


def test_every_problem_is_told_at_once() -> None:
    """One run, one round of corrections."""
    Path("wakegate.toml").write_text(
        '[gateway]\nlisten = "nope"\n\n[service.web]\nport = 70000\ncolor = 1\n\n'
        "[service.web.sleep]\nidle_timeout = 5\n"
    )
    with pytest.raises(ConfigError) as caught:
        read(None, environ={"WAKEGATE_LISTN": "x", "WAKEGATE_SHOW_ERRORS": "yes"}, options={IDLE: "soon"})
    assert [problem.rpartition(": ")[0] for problem in caught.value.problems] == [
        "wakegate.toml:2: gateway.listen",
        "wakegate.toml:4: service.web",
        "wakegate.toml:5: service.web.port",
        "wakegate.toml:6: service.web.color",
        "wakegate.toml:9: service.web.sleep.idle_timeout",
        "WAKEGATE_LISTN",
        "WAKEGATE_SHOW_ERRORS",
        "--idle-timeout",
    ]


def test_an_option_outranks_a_variable_which_outranks_the_file(reads: Reads) -> None:
    """The nearer to the keyboard, the stronger."""
    text = WEB + 'sleep.idle_timeout = "1m"\n'
    environ = {"WAKEGATE_SERVICE_WEB_SLEEP_IDLE_TIMEOUT": "2m"}
    idle = [
        reads(text).services[0].sleep.idle_timeout_s,
        reads(text, environ=environ).services[0].sleep.idle_timeout_s,
        reads(text, environ=environ, options={IDLE: "3m"}).services[0].sleep.idle_timeout_s,
    ]
    assert idle == [60.0, 120.0, 180.0]


SCALARS = st.integers() | st.floats() | st.booleans() | st.text(max_size=9) | st.dates().map(str)
KEYS = st.sampled_from(sorted({part for one in SETTINGS for part in one.key.split(".")} | {"image", "mode"}))
TOML = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=5),
    max_leaves=15,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["gateway", "service", "x"]), TOML, max_size=3)
SERVICES = st.fixed_dictionaries(
    {
        "gateway": st.dictionaries(KEYS, TOML, max_size=4),
        "service": st.dictionaries(st.sampled_from(["web", "WEB", "a-b", "a_b", "é"]), st.dictionaries(KEYS, TOML)),
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(DOCUMENTS | SERVICES)
@example({"service": {"web": {"command": ["x"], "hold": {"timeout": "999999999999999d"}}}})
def test_whatever_a_file_says_there_are_problems_or_a_spec(folder: Path, document: dict[str, object]) -> None:
    """A user never sees a traceback, whatever stands in the file."""
    file = folder / "any.toml"
    file.write_text("".join(f"{key} = {inline(value)}\n" for key, value in document.items()), encoding="utf-8")
    told = outcome(file)
    assert all(problem.isprintable() and problem.startswith(str(file)) for problem in told)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200) | st.text("ab=\"'[]{}.,#\n\\ \t0", max_size=60).map(str.encode))
def test_whatever_bytes_a_file_has_there_are_problems_or_a_spec(folder: Path, data: bytes) -> None:
    """The scanner of lines sees whatever `tomllib` lets through."""
    file = folder / "any.toml"
    file.write_bytes(data)
    with pytest.raises(ConfigError):
        read(file, environ=NO_VARIABLES)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from([one.key for one in SETTINGS]), st.text(max_size=9), max_size=6))
def test_whatever_options_say_there_are_problems_or_a_spec(folder: Path, options: dict[str, str]) -> None:
    """Texts of the command line and of the environment are as wild as files."""
    assert all(problem.isprintable() for problem in outcome(None, command=["x"], options=options))


def outcome(file: Path | None, **given: object) -> tuple[str, ...]:
    """Return the problems, none for a spec; any other exception is a bug."""
    try:
        read(file, environ=NO_VARIABLES, **given)  # type: ignore[arg-type]  # the tests give what read takes
    except ConfigError as error:
        return error.problems or ("no reason",)
    return ()


def inline(value: object) -> str:
    """Write a value as inline TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {inline(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return quoted(value) if isinstance(value, str) else str(value).lower()


def quoted(text: str) -> str:
    """Write a text with every letter escaped."""
    return '"' + "".join(f"\\U{ord(letter):08x}" for letter in text) + '"'


def test_the_gateway_can_be_read_alone(folder: Path) -> None:
    """As the whole file says it; what is wrong with its services is not its own."""
    file = folder / "wakegate.toml"
    file.write_text(f'[gateway]\nlisten = "unix:a.sock"\nconnections_max = 7\n{WEB}', encoding="utf-8")
    assert read_gateway(file) == read(file, environ=NO_VARIABLES).gateway
    file.write_text('[gateway]\nstate_dir = "var"\n[service.web]\ncommand = 7\n', encoding="utf-8")
    assert read_gateway(file).state_dir == str(folder / "var")
    file.write_text(f"gateway = 7\n{WEB}", encoding="utf-8")
    with pytest.raises(ConfigError, match="is no table"):
        read_gateway(file)

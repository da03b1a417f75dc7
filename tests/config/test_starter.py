"""The file that `wakegate init` writes: right for what is there, and without a problem whatever is there."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.config.conftest import NO_VARIABLES

from wakegate.config.read import read
from wakegate.config.settings import SETTINGS
from wakegate.config.starter import SHOWN, starter
from wakegate.core.spec import ComposeStep, ContainerSpec, Spec

FOUND: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "procfile": ({"Procfile": "web: puma -p $PORT", "index.html": ""}, ("puma", "-p", "{port}")),
    "django": (
        {"manage.py": "import django", "app.py": "import flask"},
        ("python3", "manage.py", "runserver", "--noreload", "127.0.0.1:{port}"),
    ),
    "flask": ({"app.py": "import flask"}, ("flask", "--app", "app:app", "run", "--port", "{port}")),
    "fastapi": ({"main.py": "import fastapi"}, ("uvicorn", "main:app", "--port", "{port}")),
    "node": ({"package.json": '{"scripts": {"start": "node ."}}', "Dockerfile": "CMD x"}, ("npm", "run", "start")),
    "go": ({"go.mod": "module x", "main.go": ""}, ("go", "run", ".")),
    "rack": ({"config.ru": "run App"}, ("rackup", "--host", "127.0.0.1", "--port", "{port}")),
    "static": ({"index.html": ""}, ("python3", "-m", "http.server", "{port}", "--bind", "127.0.0.1")),
    "nothing": ({}, ("your-app", "--port", "{port}")),
}


COMPOSE = "services: {app: {ports: ['80'], build: .}, db: {ports: ['8080:5432']}}"
CONTAINERS: dict[str, tuple[dict[str, str], ContainerSpec]] = {
    "dockerfile": ({"Dockerfile": "EXPOSE 8000", "index.html": ""}, ContainerSpec(build="HERE", port=8000)),
    "compose": (
        {"compose.yaml": COMPOSE, "Dockerfile": "EXPOSE 8000"},
        ContainerSpec(
            compose="HERE/compose.yaml",
            compose_service="app",
            compose_project="shop",
            compose_steps=(ComposeStep(service="app"),),
            port=80,
        ),
    ),
}


def written(folder: Path, *, has_docker: bool = True) -> Spec:
    """Write the file and read it."""
    (folder / "wakegate.toml").write_text(starter(folder, has_docker=has_docker), encoding="utf-8")
    return read(folder / "wakegate.toml", environ=NO_VARIABLES)


@pytest.mark.parametrize("name", FOUND)
def test_the_file_runs_what_is_there(folder: Path, name: str) -> None:
    """The surest sign wins: a Procfile before an index.html."""
    files, command = FOUND[name]
    for file, text in files.items():
        (folder / file).write_text(text)
    spec = written(folder, has_docker=False)
    assert [(service.name, service.run.command) for service in spec.services] == [("web", command)]


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_file_runs_the_container_that_is_there(tmp_path: Path, name: str) -> None:
    """A Compose file says more than the Dockerfile beside it."""
    folder = tmp_path / "shop"
    folder.mkdir()
    files, run = CONTAINERS[name]
    for file, text in files.items():
        (folder / file).write_text(text)
    build, compose = (place.replace("HERE", str(folder)) for place in (run.build, run.compose))
    assert written(folder).services[0].run == replace(run, build=build, compose=compose)


def test_where_there_is_no_docker_a_command_is_the_surer_sign(folder: Path) -> None:
    """And where there is, the command stands in a comment, for who wants it so."""
    (folder / "Dockerfile").write_text("EXPOSE 8000")
    (folder / "app.py").write_text("import flask")
    assert written(folder, has_docker=False).services[0].run.command[:3] == ("flask", "--app", "app:app")
    assert written(folder).services[0].run == ContainerSpec(build=str(folder), port=8000)
    assert '# Without Docker, instead of what follows: command = ["flask"' in starter(folder, has_docker=True)


def test_the_gateway_listens_where_the_compose_file_publishes_nothing(folder: Path) -> None:
    """Else the first wake would fail, for a reason that nobody sees."""
    (folder / "compose.yaml").write_text("services: {web: {ports: ['8080:80', '127.0.0.1:8081:81']}}")
    assert written(folder).gateway.port == 8082


def test_a_fixed_port_and_a_state_outside_stand_in_the_file(folder: Path) -> None:
    """What a recipe knows besides the command."""
    (folder / "index.html").touch()
    assert not written(folder).gateway.state_dir.startswith(str(folder))
    (folder / "app.py").write_text("import http.server\nhttp.server.HTTPServer(('', 8000), None)\n")
    assert written(folder).services[0].run.port == 8000


def test_what_is_commented_is_the_default(folder: Path) -> None:
    """So the file changes nothing until somebody does, and a new default reaches those who did not."""
    text = starter(folder, has_docker=False)
    assert set(SHOWN) <= {setting.key for setting in SETTINGS}
    plain = written(folder)
    lines = [line[2:] if line.startswith("# ") and " = " in line else line for line in text.splitlines()]
    active = [line for line in lines if not line.startswith(("env", "hosts"))]
    (folder / "wakegate.toml").write_text("\n".join(active))
    assert sum(line != before for line, before in zip(lines, text.splitlines(), strict=True)) >= len(SHOWN)
    assert read(folder / "wakegate.toml", environ=NO_VARIABLES) == plain


def test_the_static_command_serves(folder: Path) -> None:
    """The one recipe that every machine with this test can run."""
    (folder / "index.html").write_text("hello")
    command = [word.replace("{port}", "0") for word in written(folder).services[0].run.command]
    command = [sys.executable, "-u", *command[1:]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith("Serving HTTP on 127.0.0.1 port ")
        finally:
            process.kill()


FILES = st.sampled_from(
    ["Procfile", "app.py", "main.py", "package.json", "Dockerfile", "config.ru", "Gemfile", "compose.yaml"]
)
TEXTS = st.sampled_from(
    [
        "web: ",
        "CMD :80",
        "\nEXPOSE ",
        "$PORT",
        "99999",
        "services: {",
        "web: {ports: ['1']}, ",
        "db: {depends_on: [web], ports: ['8080:2']}}",
        '"]',
        "import flask\n",
        "x = Flask()",
        '{"scripts": {"start": ""}}',
        "\\",
        "\x7f",
        "é",
        "'",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    has_docker=st.booleans(),
    files=st.dictionaries(FILES, st.lists(TEXTS | st.text(max_size=5), max_size=5).map("".join), max_size=3),
)
@example(has_docker=False, files={"Procfile": "web: \x7f"})
@example(has_docker=False, files={"Procfile": "web: x\n\x7fworker: y"})
@example(has_docker=True, files={"compose.yaml": "services: {web: {ports: ['1'], depends_on: [web]}}"})
def test_whatever_is_there_the_file_has_no_problem(folder: Path, has_docker: bool, files: dict[str, str]) -> None:
    """The first file that a user sees of us must not be broken by theirs."""
    for path in folder.iterdir():
        path.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    assert written(folder, has_docker=has_docker).services

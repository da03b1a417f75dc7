"""Reading a Compose file from the disk: where it is, what overrides it, its variables, and what is no YAML."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wakegate.config.compose import ComposeProject, port_of
from wakegate.config.compose_file import NAMES, OVERRIDES, compose_file, read_compose
from wakegate.config.show import UnfitError

NO_VARIABLES: Mapping[str, str] = {}
WEB = "services:\n  web:\n    ports:\n      - 8080:80\n"


def reading(text: str, *, environ: Mapping[str, str] = NO_VARIABLES) -> ComposeProject:
    """Read a text as the compose.yaml of this folder."""
    Path("compose.yaml").write_text(text, encoding="utf-8")
    return read_compose(Path("compose.yaml").absolute(), environ=environ)


def test_a_file_says_its_project_and_its_services(folder: Path) -> None:
    """The project is called as its folder, in Compose's own way."""
    (folder / "My Shop").mkdir()
    (folder / "My Shop" / "compose.yaml").write_text(WEB)
    project = read_compose(folder / "My Shop" / "compose.yaml", environ={})
    assert (project.name, list(project.services)) == ("myshop", ["web"])


def test_a_file_above_is_in_the_folder_that_is_meant(folder: Path) -> None:
    """ ".." is no name of a project."""
    (folder / "shop" / "deep").mkdir(parents=True)
    (folder / "shop" / "compose.yaml").write_text(WEB)
    assert read_compose(folder / "shop" / "deep" / ".." / "compose.yaml", environ={}).name == "shop"


@pytest.mark.parametrize("name", NAMES)
def test_of_a_folder_the_file_is_found_by_its_usual_names(folder: Path, name: str) -> None:
    """`docker compose` needs no name either."""
    (folder / name).write_text(WEB)
    assert compose_file(folder) == folder / name
    assert compose_file(folder / name) == folder / name


def test_a_folder_without_one_is_told_the_name_that_is_missing(folder: Path) -> None:
    """The newest of the usual names."""
    with pytest.raises(UnfitError, match=r'compose\.yaml" is not there; write a Compose file'):
        read_compose(compose_file(folder), environ={})


@pytest.mark.parametrize("name", OVERRIDES)
def test_what_overrides_a_file_is_read_on_top_of_it(folder: Path, name: str) -> None:
    """`docker compose create` has obeyed it, too; whichever of the usual names it has."""
    (folder / name).write_text("services: {web: {depends_on: [db]}, db: {}}")
    assert [need.service for need in reading(WEB).services["web"].needs] == ["db"]


def test_only_a_file_with_a_usual_name_is_overridden(folder: Path) -> None:
    """As Compose does: one that was named by -f stands alone."""
    (folder / "prod.yaml").write_text(WEB)
    (folder / "compose.override.yml").write_text("services: {web: {depends_on: [db]}, db: {}}")
    assert read_compose(folder / "prod.yaml", environ={}).services["web"].needs == ()


@pytest.mark.parametrize("number", ["22:22", "2222:59", "0x50:80", "1_0:80"])
def test_a_port_without_quotes_is_what_it_says(number: str) -> None:
    """YAML 1.1 takes 22:22 for the number 1342, as people counted before they had computers."""
    project = reading(f"services:\n  web:\n    ports:\n      - {number.replace('0x50', '80').replace('_', '')}\n")
    assert port_of(project, "web") == int(number.partition(":")[2])


def test_anchors_merges_and_tags_of_compose_are_understood() -> None:
    """Larger files are full of them."""
    project = reading(
        "x-base: &base\n  depends_on: [db]\n"
        "services:\n  web:\n    <<: *base\n    ports: !override\n      - 80\n    environment: !reset null\n"
        "  db:\n    healthcheck: {disable: true}\n"
    )
    assert (port_of(project, "web"), [need.service for need in project.services["web"].needs]) == (80, ["db"])


def test_variables_come_from_the_environment_before_the_file_beside(folder: Path) -> None:
    """As for Compose."""
    (folder / ".env").write_text(
        "# ports\nexport PORT=1000 # the first\nOTHER='2000'\nCOMPOSE_PROJECT_NAME=\"named\"\nodd line\n"
    )
    text = "services: {web: {ports: ['$PORT']}, api: {ports: ['$OTHER']}}"
    assert [port_of(reading(text), name) for name in ("web", "api")] == [1000, 2000]
    assert port_of(reading(text, environ={"PORT": "3000"}), "web") == 3000
    assert reading(text).name == "named"
    assert reading(text, environ={"COMPOSE_PROJECT_NAME": "mine"}).name == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services:\n\tweb: {}\n", r'compose\.yaml" is no YAML, line 2: found character'),
        ("services: {web: ", r'compose\.yaml" is no YAML, line 1'),
        ("services: {[a]: 1, {b: c}: 2}", "is no YAML"),
        ("services: " + "[" * 20_000, "is no YAML: it is nested too deeply"),
        ("services: {web: {<<: 1}}", "is no YAML"),
        ("a: 1\n---\nb: 2\n", "is no YAML, line 2: but found another document"),
        ("services: \x00", "is no YAML"),
        ("", r'compose\.yaml" has no services'),
        ("services: {web: {ports: [x]}}", r'compose\.yaml" has "x" for a port'),
    ],
    ids=range(9),
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, said: str) -> None:
    """In one sentence, not a trace of the library."""
    with pytest.raises(UnfitError, match=said):
        reading(text)


def test_a_file_that_is_no_text_or_too_large_is_told(folder: Path) -> None:
    """Somebody named the wrong one."""
    file = folder / "compose.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnfitError, match="is not UTF-8"):
        read_compose(file, environ={})
    file.write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(UnfitError, match="larger than 1 MiB"):
        read_compose(file, environ={})
    with pytest.raises(UnfitError, match="cannot be read: File name too long"):
        read_compose(compose_file(folder / ("a" * 5000)), environ={})
    file.unlink()
    file.symlink_to(file)
    with pytest.raises(UnfitError, match="cannot be read: Too many levels"):
        read_compose(file, environ={})


def test_no_tag_makes_anything_but_texts_lists_and_tables() -> None:
    """A file from the network must not run anything, and a wrong number is no crash."""
    project = reading(
        "services: {web: {expose: !!python/object/apply:os.getcwd ['1'], ports: [!!int 'x:80', !own 81]}}"
    )
    assert project.services["web"].ports == (80, 81)


def test_references_that_grow_without_end_cost_nothing() -> None:
    """Some hundred bytes can mean a list of billions."""
    lists = ["x-0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lists += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    with pytest.raises(UnfitError, match=r"for a port"):
        reading("\n".join([*lists, "services: {web: {ports: [*a19], depends_on: *a19}}"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text("services:{} webdpn[]-&*!<>|'\"\n\t$", max_size=60))
def test_whatever_a_file_holds_it_is_read_or_refused(folder: Path, text: str) -> None:
    """No traceback for a mistake in YAML."""
    try:
        assert isinstance(reading(text), ComposeProject)
    except UnfitError:
        return


def test_without_the_library_one_is_told_what_to_install(folder: Path) -> None:
    """It is an extra: most people have no Compose file."""
    (folder / "yaml.py").write_text("raise ImportError")
    (folder / "compose.yaml").write_text(WEB)
    program = "from wakegate.config.read import read; read(None, environ={})"
    (folder / "wakegate.toml").write_text('[service.web]\ncompose = "."\n')
    environ = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False)
    assert "service.web.compose: Compose files need a library that is not installed" in done.stderr
    assert "pip install 'wakegate[docker]'" in done.stderr

"""What a Compose file or a Dockerfile tells of how the app runs."""

from pathlib import Path

import pytest

from wakegate.config.container_recipe import from_compose, from_dockerfile


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("FROM python:3-slim\nEXPOSE 8000\n", 8000),
        ("FROM x\nexpose 8000/tcp 9000\n", 8000),
        ("FROM x\nEXPOSE 53/udp\nEXPOSE 8000\n", 8000),
        ("FROM x\nENV PORT=3000\nEXPOSE $PORT\n", 3000),
        ("FROM x\nENV PORT 3000\nEXPOSE ${PORT}\n", 3000),
        ("FROM x\nARG PORT\nEXPOSE ${PORT:-5000}\n", 5000),
        ("FROM a AS build\nEXPOSE 1\nFROM b\nEXPOSE 2\n", 2),
        ('FROM x\nCMD ["gunicorn", "-b", "0.0.0.0:8000", "a:b"]\n', 8000),
        ("FROM x\nCMD uvicorn app:app \\\n  --port 5001\n", 5001),
        ('FROM x\nENTRYPOINT ["serve", "-p", "3001"]\n', 3001),
        ("FROM x\nENV PORT=4000\nCMD gunicorn -b :$PORT a:b\n", 4000),
    ],
)
def test_the_port_of_a_dockerfile_is_found(folder: Path, text: str, port: int) -> None:
    """EXPOSE says it; where it is missing, the command often does."""
    (folder / "Dockerfile").write_text(text)
    recipe = from_dockerfile(folder)
    assert recipe is not None
    assert (recipe.build, recipe.port, len(recipe.notes)) == (".", port, 1)


@pytest.mark.parametrize("text", ["FROM nginx\n", "", "EXPOSE 99999\n", "EXPOSE $NOPE\n", "FROM x\nEXPOSE 0\n"])
def test_where_a_dockerfile_names_no_port_one_is_asked_for_it(folder: Path, text: str) -> None:
    """A base image may listen anywhere."""
    (folder / "Dockerfile").write_text(text)
    recipe = from_dockerfile(folder)
    assert recipe is not None
    assert recipe.port == 8080
    assert "Put the right one" in recipe.notes[1]


def test_a_folder_of_that_name_is_no_dockerfile(folder: Path) -> None:
    """ "docker build" would not take it either."""
    (folder / "Dockerfile").mkdir()
    assert from_dockerfile(folder) is None


def test_of_a_compose_file_the_service_that_is_built_here_answers(folder: Path) -> None:
    """The others are what it needs, or tools; those with a port are named."""
    (folder / "compose.yaml").write_text(
        "services:\n  admin: {ports: ['81']}\n  shop: {build: ., ports: ['80']}\n  db: {ports: ['5432']}\n  job: {}\n"
    )
    recipe = from_compose(folder)
    assert recipe is not None
    assert (recipe.compose, recipe.compose_service, recipe.port) == ("compose.yaml", "shop", 0)
    assert "docker compose create" in recipe.notes[1]
    assert recipe.notes[2] == "Not woken by this: admin; each can have a table of its own."


def test_where_nothing_is_built_the_first_with_a_port_answers(folder: Path) -> None:
    """Of two ports one is put, for who knows better to change."""
    (folder / "docker-compose.yml").write_text("services: {db: {ports: ['5432']}, web: {ports: ['80', '443']}}")
    recipe = from_compose(folder)
    assert recipe is not None
    assert (recipe.compose, recipe.compose_service, recipe.port) == ("docker-compose.yml", "web", 80)


@pytest.mark.parametrize(
    "text",
    [
        "services: {db: {image: postgres, ports: ['5432:5432']}, mail: {ports: ['1025:1025']}}",
        "services: {worker: {}}",
        "services: {web: {ports: ['80'], depends_on: [web]}}",
        "services: {'a b': {ports: ['80']}}",
        "services: [",
        "",
    ],
)
def test_a_compose_file_that_answers_nothing_is_not_how_the_app_runs(folder: Path, text: str) -> None:
    """Many have one for the database alone, and run the app beside it."""
    (folder / "compose.yaml").write_text(text)
    assert from_compose(folder) is None


def test_without_a_compose_file_there_is_no_recipe(folder: Path) -> None:
    """And nothing is asked of the library that reads them."""
    assert from_compose(folder) is None

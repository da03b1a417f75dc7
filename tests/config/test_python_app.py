"""Python apps, recognised by their imports; what is started is what their module says."""

import sys
from pathlib import Path

import pytest

from wakegate.config.python_app import from_django, from_module

FLASK = "from flask import Flask\n\nserver = Flask(__name__)\n"
HTTP_SERVER = "from http.server import HTTPServer, BaseHTTPRequestHandler as H\n"


def command_of(folder: Path, source: str, *, name: str = "app.py") -> tuple[str, ...]:
    """Return the command for a module."""
    (folder / name).write_text(source)
    recipe = from_module(folder)
    assert recipe is not None
    return recipe.command


@pytest.mark.parametrize(
    ("source", "command"),
    [
        (FLASK, ("flask", "--app", "app:server", "run", "--port", "{port}")),
        (
            "import flask\napp: flask.Flask = flask.Flask(__name__)\n",
            ("flask", "--app", "app:app", "run", "--port", "{port}"),
        ),
        (
            "from flask import Flask\ndef create_app():\n    return Flask(__name__)\n",
            ("flask", "--app", "app:create_app()", "run", "--port", "{port}"),
        ),
        ("from fastapi import FastAPI\napi = FastAPI()\n", ("uvicorn", "app:api", "--port", "{port}")),
        (
            "from starlette.applications import Starlette\napp = Starlette(routes=[])\n",
            ("uvicorn", "app:app", "--port", "{port}"),
        ),
        (
            "import fastapi\ndef create_app():\n    return fastapi.FastAPI()\n",
            ("uvicorn", "app:create_app", "--port", "{port}", "--factory"),
        ),
        (HTTP_SERVER + "import os\nHTTPServer(('', int(os.environ['PORT'])), H)\n", ("python3", "app.py")),
        (HTTP_SERVER + "import sys\nHTTPServer(('', int(sys.argv[1])), H)\n", ("python3", "app.py", "{port}")),
        ("import asyncio, sys\nasyncio.start_server(None, '', sys.argv[1])\n", ("python3", "app.py", "{port}")),
    ],
)
def test_an_app_is_known_by_its_imports(folder: Path, source: str, command: tuple[str, ...]) -> None:
    """And its variable by its assignment."""
    assert command_of(folder, source) == command


def test_gunicorn_serves_a_flask_app_that_requires_it(folder: Path) -> None:
    """In whichever file it is required."""
    (folder / "requirements-prod.txt").write_text("Flask\nGunicorn==23.0\n")
    assert command_of(folder, FLASK) == ("gunicorn", "app:server", "-b", "127.0.0.1:{port}")
    (folder / "requirements-prod.txt").write_text("flask\nmy-gunicorn-like\n")
    assert command_of(folder, FLASK)[0] == "flask"


def test_an_app_with_a_port_of_its_own_keeps_it(folder: Path) -> None:
    """Then the setting must say so, or the probe waits at another one."""
    (folder / "main.py").write_text(HTTP_SERVER + "HTTPServer(('', 8000), H).serve_forever()\n")
    recipe = from_module(folder)
    assert recipe is not None
    assert (recipe.command, recipe.port) == (("python3", "main.py"), 8000)


@pytest.mark.parametrize(
    "source", ["", "print('hi')", "def broken(:", "import json", "from . import flask", "(" * 5000]
)
def test_a_module_that_serves_nothing_is_none(folder: Path, source: str) -> None:
    """Also one that is no Python."""
    (folder / "app.py").write_text(source)
    assert from_module(folder) is None


def test_a_program_of_the_virtual_environment_here_is_used(folder: Path) -> None:
    """So that it runs also where nobody has activated it."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "flask").symlink_to(sys.executable)
    assert command_of(folder, FLASK)[0] == ".venv/bin/flask"


@pytest.mark.parametrize(
    ("requirements", "command"),
    [
        ("django", ("python3", "manage.py", "runserver", "--noreload", "127.0.0.1:{port}")),
        ("django\ngunicorn", ("gunicorn", "shop.wsgi", "-b", "127.0.0.1:{port}")),
    ],
)
def test_a_django_site_is_served_by_what_it_requires(folder: Path, requirements: str, command: tuple[str, ...]) -> None:
    """With the wsgi module of the project."""
    (folder / "shop").mkdir()
    (folder / "shop" / "wsgi.py").touch()
    (folder / "manage.py").write_text("os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n")
    (folder / "requirements.txt").write_text(requirements)
    recipe = from_django(folder)
    assert recipe is not None
    assert recipe.command == command


def test_another_manage_py_is_no_django_site(folder: Path) -> None:
    """Flask projects have had one, too."""
    (folder / "manage.py").write_text("from flask_script import Manager\n")
    assert from_django(folder) is None

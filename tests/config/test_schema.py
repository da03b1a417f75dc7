"""The schema that editors check a file by: it takes what the parser takes, and marks what the parser refuses."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.config.conftest import Problems, Reads

from wakegate.config.schema import schema
from wakegate.config.settings import SETTINGS
from wakegate.config.starter import starter

VALIDATOR = Draft202012Validator(schema())
DESIGN = """
[gateway]
listen = "127.0.0.1:8080"

[service.web]
command = ["gunicorn", "app:app", "-b", "127.0.0.1:{port}"]
port = 80
hosts = ["shop.localhost"]
path = "/"

[service.web.wake]
timeout = "180s"
probe = "tcp"

[service.web.sleep]
idle_timeout = "5m"

[service.web.scale]
min = 0
max = 1
metric = "cpu"
target = 70
scale_out_cooldown = "300s"
scale_in_cooldown = "300s"

[service.web.session]
cookie = "uuid"
ttl = "1h"
"""
MORE = """
[service."web"]
command = "npm start"
env = { A = "1" }
hosts = ["*.example.com", "käse.example", "[::1]"]
hold = { timeout = "auto", body_bytes_max = 0 }
wake = { probe = "/healthz", on_methods = ["GET"] }
ignore = { paths = ["/static/*"], agents = ["monitors"], status = 204 }
forward = { body_bytes_max = "1.5GiB", stream_timeout = "0s" }
sleep = { idle_timeout = "1h30m", unless_cpu_above = 20.5 }
session = { cookie = "" }
"""


CONTAINERS = """
[service.web]
image = "nginx:1.27"
port = 80
[service.web.docker]
volumes = ["./site:/usr/share/nginx/html:ro", "cache:/var/cache/nginx", "/tmp/x"]
labels = { "com.example.team" = "shop" }
memory = "128MiB"
cpus = 0.5
user = "101:101"
network = "front"

[service.db]
container = "some-db"
path = "/db"
"""


def errors(text: str) -> list[str]:
    """Return what an editor would mark."""
    return [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))]


def test_the_schema_is_one() -> None:
    """An editor ignores a schema that is wrong, without a word."""
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("text", [DESIGN, MORE, CONTAINERS])
def test_what_the_parser_takes_the_schema_takes(reads: Reads, text: str) -> None:
    """A red line under something right is worse than none."""
    assert reads(text).services
    assert errors(text) == []


def test_the_first_file_of_a_user_has_no_red_line(folder: Path) -> None:
    """What `wakegate init` writes, with every comment made a setting."""
    text = starter(folder, has_docker=False)
    assert errors(text) == []
    written = [line[2:] if line.startswith("# ") and " = " in line else line for line in text.splitlines()]
    assert errors("\n".join(written)) == []


@pytest.mark.parametrize(
    "line",
    [
        "idle_timeout = '5m'",
        "sleep.idle_timeout = '5 minutes'",
        "sleep.idle_timeout = 300",
        "sleep.idle_timeout = ''",
        "scale.maximum = 3",
        "scale.max = 0",
        "scale.target = 0",
        "scale.metric = 'load'",
        "hosts = 'a.localhost'",
        "hosts = ['http://a.localhost']",
        "port = 70000",
        "path = 'shop'",
        "ignore.status = 200",
        "session.cookie = 'a b'",
        "env = { A = 1 }",
        "wake.probe = 'http'",
    ],
)
def test_what_the_parser_refuses_the_schema_marks(line: str) -> None:
    """While one types, not at the next start."""
    assert errors(f"[service.web]\ncommand = ['true']\n{line}")


@pytest.mark.parametrize(
    "line",
    [
        "image = ''",
        "container = 'a/b'",
        "compose_service = 'a b'",
        "docker.volumes = ['data']",
        "docker.cpus = 0",
        "docker.memory = '1'",
        "docker.labels = { a = 1 }",
        "docker.image = 'web'",
        "compose_project = 'Shop'",
    ],
)
def test_of_containers_the_schema_marks_what_the_parser_refuses(problems: Problems, line: str) -> None:
    """As of everything else."""
    base = "" if line.startswith(("image", "container", "compose")) else "image = 'web'"
    assert problems(f"[service.web]\n{base}\n{line}")
    assert errors(f"[service.web]\n{base}\n{line}")


@pytest.mark.parametrize("text", ["", "[service.web]", "[service.'a b']\ncommand = ['x']", "[web]\na = 1", "[service]"])
def test_a_file_that_is_not_whole_is_marked(text: str) -> None:
    """A service needs a name, and something to run."""
    assert errors(text)


def test_every_setting_is_described_with_its_default() -> None:
    """An editor shows the help where the cursor stands."""
    document: Any = schema()
    for setting in SETTINGS:
        place = document["properties"]["gateway"] if setting.is_of_gateway else document["$defs"]["service"]
        for part in setting.name.split("."):
            place = place["properties"][part]
        assert place["description"] == setting.help_text
        assert place.get("default") == setting.default
        if setting.default is not None:
            Draft202012Validator(place).validate(setting.default)

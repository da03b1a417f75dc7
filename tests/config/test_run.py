"""What a service runs: one of five things, with what fits it, and all slips told at once."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.config.conftest import Problems, Reads

from wakegate.core.errors import ConfigError
from wakegate.core.spec import ComposeStep, ContainerSpec, ProcessSpec

SHOP = """
services:
  web: {ports: ["8000:80"], depends_on: {db: {condition: service_healthy}}}
  db: {}
  admin: {ports: ["81", "82"]}
  circle: {depends_on: [circle]}
"""


@pytest.fixture(autouse=True)
def shop(folder: Path) -> Path:
    """Put a Compose file and a Dockerfile into folders below."""
    (folder / "shop").mkdir()
    (folder / "shop" / "compose.yaml").write_text(SHOP)
    (folder / "app").mkdir()
    (folder / "app" / "Dockerfile").write_text("FROM scratch\n")
    return folder / "shop"


def test_a_command_runs_a_process(reads: Reads, folder: Path) -> None:
    """As ever."""
    assert reads('[service.web]\ncommand = ["a"]').services[0].run == ProcessSpec(command=("a",), directory=str(folder))


def test_an_image_runs_a_container_with_all_that_was_written(reads: Reads, folder: Path) -> None:
    """Each key as Compose calls it."""
    spec = reads("""
        [service.web]
        image = "nginx:1.27"
        command = "nginx -g 'daemon off;'"
        port = 80
        env = { MODE = "production" }
        log.files_max = 2
        [service.web.docker]
        volumes = ["./site:/usr/share/nginx/html:ro", "cache:/var/cache/nginx"]
        labels = { "com.example.team" = "shop" }
        memory = "128MiB"
        cpus = 0.5
        user = "101:101"
        network = "front"
    """)
    assert spec.services[0].run == ContainerSpec(
        image="nginx:1.27",
        command=("nginx", "-g", "daemon off;"),
        port=80,
        env=(("MODE", "production"),),
        volumes=(f"{folder}/site:/usr/share/nginx/html:ro", "cache:/var/cache/nginx"),
        labels=(("com.example.team", "shop"),),
        memory_bytes=128 * 2**20,
        cpus=0.5,
        user="101:101",
        network="front",
        log_files_max=2,
    )
    assert spec.services[0].scale.replicas_max == 3


def test_a_build_is_the_folder_of_a_dockerfile(reads: Reads, folder: Path) -> None:
    """It may be scaled like an image."""
    service = reads('[service.web]\nbuild = "./app"').services[0]
    assert service.run == ContainerSpec(build=str(folder / "app"))
    assert service.scale.replicas_max == 3


def test_a_container_that_exists_runs_once(reads: Reads) -> None:
    """There is only this one."""
    service = reads('[service.web]\ncontainer = "grafana"\nport = 3000').services[0]
    assert service.run == ContainerSpec(name="grafana", port=3000)
    assert service.scale.replicas_max == 1


@pytest.mark.parametrize("written", ["shop", "shop/compose.yaml"])
def test_a_compose_service_is_started_after_what_it_needs(reads: Reads, shop: Path, written: str) -> None:
    """Project, port and order come from the file."""
    service = reads(f'[service.web]\ncompose = "{written}"').services[0]
    assert service.run == ContainerSpec(
        compose=str(shop / "compose.yaml"),
        compose_service="web",
        compose_project="shop",
        compose_steps=(ComposeStep(service="db", until="healthy", users=("web",)), ComposeStep(service="web")),
        port=80,
    )
    assert service.scale.replicas_max == 1


def test_what_is_written_outranks_what_the_compose_file_says(reads: Reads) -> None:
    """A project that was started with -p, a service of another name, one of two ports."""
    text = '[service.web]\ncompose = "shop"\ncompose_service = "admin"\ncompose_project = "other"\nport = 82'
    run = reads(text).services[0].run
    assert isinstance(run, ContainerSpec)
    assert (run.compose_service, run.compose_project, run.port) == ("admin", "other", 82)


def test_a_compose_file_may_use_the_variables_of_the_environment(reads: Reads, shop: Path) -> None:
    """Compose would have."""
    (shop / "compose.yaml").write_text("services: {web: {ports: ['${PORT}']}}")
    run = reads('[service.web]\ncompose = "shop"', environ={"PORT": "81"}).services[0].run
    assert run.port == 81


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'image = "a"\nbuild = "app"',
            "3: service.web.build: image and build cannot both run; take one out",
        ),
        (
            'container = "a"\ncompose = "shop"',
            "3: service.web.compose: container and compose cannot both run; take one out",
        ),
        (
            'container = "a"\ncommand = ["b"]',
            (
                "3: service.web.command: command goes with command, image or build, and this service runs "
                "a container that exists; take one of them out"
            ),
        ),
        (
            'image = "a"\ndirectory = "app"',
            (
                "3: service.web.directory: directory goes with command, and this service runs an image; "
                "take one of them out"
            ),
        ),
        (
            'command = ["a"]\ndocker.memory = "1GiB"',
            (
                "3: service.web.docker.memory: docker.memory goes with image or build, and this service runs "
                "a command; take one of them out"
            ),
        ),
        (
            'image = "a"\ncompose_service = "db"',
            (
                "3: service.web.compose_service: compose_service goes with compose, and this service runs an image; "
                "take one of them out"
            ),
        ),
        (
            'build = "shop"',
            '2: service.web.build: there is no Dockerfile in "HERE/shop"; write the folder that has one',
        ),
        (
            'container = "a"\nscale.max = 2',
            (
                "3: service.web.scale.max: 2 replicas cannot be made of a container that exists; write max = 1, "
                "or run an image"
            ),
        ),
        (
            'container = "a"\nscale.min = 2',
            (
                "3: service.web.scale.min: 2 is more than max, which is 1 (a container that exists); raise max or "
                "lower min"
            ),
        ),
        (
            'compose = "shop"\ncompose_service = "api"',
            (
                '2: service.web.compose: "HERE/shop/compose.yaml" has no service "api"; there is admin, circle, db, '
                "web: write one as compose_service"
            ),
        ),
        (
            'compose = "shop"\ncompose_service = "admin"',
            (
                '2: service.web.compose: "HERE/shop/compose.yaml" gives admin the ports 81, 82; write the one for '
                "requests as port"
            ),
        ),
        (
            'compose = "shop"\ncompose_service = "circle"',
            (
                '2: service.web.compose: "HERE/shop/compose.yaml" has services that depend on each other in a circle, '
                "circle → circle; take one out"
            ),
        ),
        (
            'compose = "app"',
            (
                '2: service.web.compose: "HERE/app/compose.yaml" is not there; write a Compose file, or the folder of '
                "one"
            ),
        ),
    ],
    ids=range(13),
)
def test_what_does_not_go_together_is_told(problems: Problems, folder: Path, text: str, told: str) -> None:
    """Which of the two is meant only a person can say."""
    found = [problem.replace(str(folder), "HERE") for problem in problems(f"[service.web]\n{text}")]
    assert found == [f"wakegate.toml:{told}"]


def test_every_slip_is_told_at_once(problems: Problems) -> None:
    """Nobody wants to start it five times to find five."""
    text = '[service.web]\nimage = "A"\ncompose = "nope"\ndirectory = "nope"\ndocker = { network = "host", cpus = 0 }'
    told = problems(text)
    assert [problem.split(": ")[0] for problem in told] == [f"wakegate.toml:{line}" for line in (2, 3, 3, 4, 5, 5)]


def test_a_container_needs_no_command(reads: Reads) -> None:
    """The image has one."""
    assert reads('[service.web]\nimage = "nginx"').services[0].run.command == ()


VALUES = {
    "command": st.sampled_from(['["a"]', "[]", '"a {port}"']),
    "image": st.sampled_from(['"a"', '"A"', "1"]),
    "build": st.sampled_from(['"app"', '"nope"', '""']),
    "container": st.sampled_from(['"a"', '"a/b"']),
    "compose": st.sampled_from(['"shop"', '"nope"', '""', '"app/Dockerfile"']),
    "compose_service": st.sampled_from(['"db"', '"admin"', '"circle"', '"none"', "1"]),
    "compose_project": st.sampled_from(['"other"', '"A"']),
    "env": st.sampled_from(['{ A = "1" }', "{ A = 1 }"]),
    "directory": st.sampled_from(['"app"', '"nope"']),
    "port": st.sampled_from(["0", "80", "-1"]),
    "scale.max": st.sampled_from(["1", "2", "0"]),
    "docker.volumes": st.sampled_from(['["./a:/b"]', '["a"]']),
    "docker.memory": st.sampled_from(['"64MiB"', "1"]),
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.fixed_dictionaries({}, optional=VALUES))
def test_whatever_is_combined_it_is_one_thing_that_runs_or_told(reads: Reads, written: dict[str, str]) -> None:
    """No combination breaks the reader, and none makes a service of two things or of none."""
    text = "[service.web]\n" + "".join(f"{key} = {value}\n" for key, value in written.items())
    try:
        run = reads(text).services[0].run
    except ConfigError:
        return
    if isinstance(run, ProcessSpec):
        assert run.command
    else:
        assert sum(map(bool, (run.image, run.build, run.name, run.compose))) == 1
        assert bool(run.compose_steps) == bool(run.compose_project) == bool(run.compose_service) == bool(run.compose)
        assert run.is_ours or not (run.command or run.env or run.volumes or run.memory_bytes)

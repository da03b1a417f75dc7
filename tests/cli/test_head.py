"""The head of the timeline: on one screen, what runs where, and what an app may need to know."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wakegate import __version__
from wakegate.cli.head import head
from wakegate.core.phase import Phase
from wakegate.core.spec import ContainerSpec, GatewaySpec, ProcessSpec, ServiceSpec, SleepSpec, Spec

URL = "http://127.0.0.1:8080"
HINT = "web: no {port} in its command, so the app must listen on the port in the variable PORT"


def service(name: str = "web", *, command: tuple[str, ...] = ("python3", "{port}"), **how: Any) -> ServiceSpec:
    """Return a service that runs a command."""
    return ServiceSpec(name=name, run=ProcessSpec(command=command), **how)


def lines(*services: ServiceSpec, phases: tuple[Phase, ...] = (), state_dir: str = "/var/wakegate") -> tuple[str, ...]:
    """Return the head of these services."""
    spec = Spec(gateway=GatewaySpec(state_dir=state_dir), services=services)
    return head(spec, URL, phases=phases or (Phase.ASLEEP,) * len(services))


def test_one_service_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where to look with a browser, what answers there, and when it goes away; paths as seen from here."""
    monkeypatch.chdir(tmp_path)
    assert lines(service(), state_dir=str(tmp_path / ".wakegate")) == (
        f"wakegate {__version__} · {URL} → python3 {{port}} · asleep",
        "sleeps after 5m idle · state in .wakegate/ · Ctrl-C stops everything",
    )
    assert "state in /var/wakegate/ ·" in lines(service())[1]


def test_what_only_pauses_is_not_said_to_stop() -> None:
    """Whoever wonders where the memory went has read it here; where some are stopped, "sleeps" is true of all."""
    paused = service("a", path="/a", sleep=SleepSpec(mode="pause"))
    assert lines(paused)[1].startswith("pauses after 5m idle")
    assert lines(paused, service("b"))[3].startswith("sleeps after 5m idle")


def test_what_was_taken_over_is_not_called_asleep() -> None:
    """After a kill -9 the app ran on; "asleep" beside a running process would be a lie."""
    assert lines(service(), phases=(Phase.AWAKE,))[0].endswith(" · awake")
    assert lines(service("a"), service("b"), phases=(Phase.AWAKE, Phase.ASLEEP))[0].endswith(
        "2 services · 1 of them up"
    )


def test_each_service_is_named_with_its_own_address() -> None:
    """A host and a path of its own are where its users will be."""
    shop = service("shop", hosts=("shop.localhost",), path="/eu")
    assert lines(service(), shop)[:3] == (
        f"wakegate {__version__} · {URL} · 2 services · asleep",
        f"  web · {URL} → python3 {{port}}",
        "  shop · http://shop.localhost:8080/eu → python3 {port}",
    )


def test_thousands_of_services_fit_on_a_screen() -> None:
    """Nobody reads the ten-thousandth line, and everybody needs the one after it."""
    many = [service(f"app{n}", command=("true",), sleep=SleepSpec(idle_timeout_s=60 + n)) for n in range(10_000)]
    shown = lines(*many)
    assert len(shown) < 50
    assert "  … and 9,980 more (see: wakegate status)" in shown
    assert "sleeps after 1m / 1m 01s / 1m 02s / … idle · state in /var/wakegate/ · Ctrl-C stops everything" in shown


@pytest.mark.parametrize(
    ("process", "is_hinted"),
    [
        (ProcessSpec(command=("python3", "server.py")), True),
        (ProcessSpec(command=("python3", "--bind=127.0.0.1:{port}")), False),
        (ProcessSpec(command=("python3",), env=(("ADDRESS", "127.0.0.1:{port}"),)), False),
        (ProcessSpec(command=("python3",), port=8999), False),
    ],
)
def test_an_app_that_is_not_told_its_port_is_pointed_out(process: ProcessSpec, is_hinted: bool) -> None:
    """An app on its own favourite port is the commonest wake that never ends; many do read PORT, so it is a hint."""
    assert (HINT in lines(ServiceSpec(name="web", run=process))) == is_hinted


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (ContainerSpec(image="nginx:1.27"), "nginx:1.27"),
        (ContainerSpec(build="HERE/app", command=("x",)), "build of app/"),
        (ContainerSpec(build="/srv/app"), "build of /srv/app/"),
        (ContainerSpec(name="grafana"), "container grafana"),
        (ContainerSpec(compose="HERE/compose.yaml", compose_service="api"), "api of compose.yaml"),
    ],
)
def test_what_a_container_comes_from_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: ContainerSpec, said: str
) -> None:
    """As short as a command, and without a hint: its program and its port are its own matter."""
    monkeypatch.chdir(tmp_path)
    build, compose = (place.replace("HERE", str(tmp_path)) for place in (run.build, run.compose))
    shown = lines(ServiceSpec(name="web", run=replace(run, build=build, compose=compose)))
    assert f" → {said} · asleep" in shown[0]
    assert len(shown) == 2


@pytest.mark.parametrize("program", ["no-such-program-anywhere", "./no-such-file"])
def test_a_program_that_is_not_there_is_pointed_out(program: str) -> None:
    """Else the first visitor finds out."""
    hint = f'web: "{program}" was not found: is it installed and on the PATH?'
    assert hint in lines(ServiceSpec(name="web", run=ProcessSpec(command=(program, "{port}"))))

"""What must fit together, and what a problem of it says."""

from pathlib import Path

import pytest
from tests.config.conftest import Problems, Reads

WEB = '[service.web]\ncommand = ["true"]\n'
API = '[service.api]\ncommand = ["true"]\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            WEB + "scale = { min = 4 }",
            "3: service.web.scale.min: 4 is more than max, which is 3 (the default); raise max or lower min",
        ),
        (
            WEB + "scale = { min = 4, max = 2 }",
            "3: service.web.scale.min: 4 is more than max, which is 2; raise max or lower min",
        ),
        (
            WEB + "port = 80\nscale.min = 2",
            "4: service.web.scale.min: 2 is more than max, which is 1 (a fixed port); raise max or lower min",
        ),
        (
            WEB + "port = 80\nscale.max = 2",
            (
                "4: service.web.scale.max: 2 replicas cannot share port 80; write max = 1, or take port out and "
                "use {port} in command"
            ),
        ),
        (
            WEB + 'wake.timeout = "30s"\nhold.timeout = "1m"',
            (
                "4: service.web.hold.timeout: hold.timeout (1m) is longer than wake.timeout (30s); nobody waits "
                "longer than a wake may take: lower one or raise the other"
            ),
        ),
        (
            WEB + 'wake.backoff_max = "500ms"',
            (
                "3: service.web.wake.backoff_max: wake.backoff_min (1s) is longer than wake.backoff_max (500ms); the "
                "pause after failures grows from one to the other: lower one or raise the other"
            ),
        ),
        (
            WEB + 'sleep.then_stop_after = "1h"',
            (
                '3: service.web.sleep.then_stop_after: nothing is paused with mode = "stop"; write mode = "pause", or '
                "take it out"
            ),
        ),
        (
            WEB + 'directory = "nope"',
            '3: service.web.directory: "HERE/nope" is no folder here; make it, or write another',
        ),
        (
            WEB + API,
            '3: service.api: any host and path / belong to "web" already; write other hosts or another path',
        ),
        (
            WEB + "hosts = ['a.localhost']\n" + API + "hosts = ['b.localhost', 'A.localhost']",
            '6: service.api.hosts: a.localhost and path / belong to "web" already; write other hosts or another path',
        ),
        (
            WEB + "path = '/a'\n" + API + "path = '/a/'",
            '6: service.api.path: any host and path /a belong to "web" already; write other hosts or another path',
        ),
        (
            WEB + '[service.Web]\ncommand = ["true"]\npath = "/b"',
            '3: service.Web: "Web" and "web" are too alike; write names that differ in more than case, - and _',
        ),
    ],
    ids=range(12),
)
def test_what_does_not_fit_together_is_told(problems: Problems, text: str, problem: str) -> None:
    """Each value is fine by itself; only a person can say which one is meant."""
    assert [told.replace(str(Path.cwd()), "HERE") for told in problems(text)] == [f"wakegate.toml:{problem}"]


@pytest.mark.parametrize(("name", "other"), [("tls_certificate", "tls_key"), ("tls_key", "tls_certificate")])
def test_a_certificate_needs_its_key(problems: Problems, name: str, other: str) -> None:
    """One alone would leave a gateway that speaks plain HTTP, which nobody who writes this wants."""
    text = f'[gateway]\n{name} = "file.pem"\n[service.web]\ncommand = ["true"]\n'
    expected = f"wakegate.toml:2: gateway.{name}: it needs {other} as well; write both, or neither for plain HTTP"
    assert problems(text) == (expected,)


def test_a_fixed_port_alone_means_one_replica(reads: Reads) -> None:
    """Nobody has to say twice that an app cannot be told its port."""
    assert reads(WEB + "port = 80").services[0].scale.replicas_max == 1
    assert reads(WEB + "port = 80\nscale.max = 1").services[0].scale.replicas_max == 1
    assert reads(WEB).services[0].scale.replicas_max == 3


def test_a_command_without_a_port_is_no_problem(reads: Reads) -> None:
    """The port is in the environment, which many frameworks read."""
    assert reads('[service.web]\ncommand = ["npm", "start"]').services[0].run.port == 0


def test_two_services_do_not_share_a_container_that_exists(problems: Problems, folder: Path) -> None:
    """One would put to sleep what the other has just woken."""
    (folder / "compose.yaml").write_text("services: {web: {}, api: {}}")
    two = '[service.web]\n{0}\n[service.api]\npath = "/api"\n{0}\n{1}'
    told = problems(two.format('container = "a"', ""))
    said = '"web" runs this container already; give that one more hosts, or take one out'
    assert told == (f"wakegate.toml:5: service.api.container: {said}",)
    told = problems(two.format('compose = "."', 'compose_service = "web"'))
    assert told == (f"wakegate.toml:5: service.api.compose: {said}",)


def test_two_services_of_one_compose_file_or_one_image_are_fine(reads: Reads, folder: Path) -> None:
    """Each has a container of its own."""
    (folder / "compose.yaml").write_text("services: {web: {}, api: {}}")
    two = '[service.web]\n{0}\n[service.api]\npath = "/api"\n{0}\n'
    assert len(reads(two.format('compose = "."')).services) == 2
    assert len(reads(two.format('image = "a"')).services) == 2


def test_the_gateway_does_not_listen_where_the_compose_file_publishes(problems: Problems, folder: Path) -> None:
    """8080 is everybody's first choice: the container could never start, and nobody would see why."""
    (folder / "compose.yaml").write_text("services: {web: {ports: ['80'], depends_on: [db]}, db: {ports: ['8080:1']}}")
    said = "it publishes port 8080, where the gateway listens; change one of them (listen, or ports in that file)"
    assert problems('[service.web]\ncompose = "."') == (f"wakegate.toml:2: service.web.compose: {said}",)


def test_services_may_share_a_host_or_a_path(reads: Reads) -> None:
    """The longest path and the closest host win; only the same of both is a conflict."""
    spec = reads(
        WEB + API + "path = '/api'\n[service.shop]\ncommand = ['true']\nhosts = ['shop.localhost', '*.localhost']"
    )
    assert [service.name for service in spec.services] == ["web", "api", "shop"]


def test_a_value_that_is_wrong_by_itself_is_told_only_once(problems: Problems) -> None:
    """A default in its place must not cause a second problem that nobody has."""
    assert len(problems(WEB + "scale = { min = 9, max = 'x' }")) == 1
    assert len(problems(WEB + "path = '/a'\n" + API + "path = 'b'")) == 1
    assert len(problems(WEB + "wake.timeout = 1\nhold.timeout = '9m'")) == 1


def test_a_directory_that_cannot_be_looked_at_is_no_folder(problems: Problems) -> None:
    """The system refuses names that are too long with an error of its own."""
    (told,) = problems(WEB + f"directory = '{'a' * 5000}'")
    assert told.endswith("is no folder here; make it, or write another")


def test_the_path_of_a_socket_may_not_be_longer_than_the_kernel_takes(problems: Problems, reads: Reads) -> None:
    """It would be an error without a word at the start; a folder of the file counts, as it is a part of it."""
    path = f"/{'a' * 107}"
    said = f'"{path}" is 108 bytes long, and the path of a socket may have 107; write a shorter one'
    assert problems(f"[gateway]\nlisten = 'unix:{path}'\n{WEB}") == (f"wakegate.toml:2: gateway.listen: {said}",)
    assert reads(f"[gateway]\nlisten = 'unix:{path[:-1]}'\n{WEB}").gateway.unix_path == path[:-1]


def test_a_proxy_header_is_believed_only_from_whom_it_was_said(problems: Problems, reads: Reads) -> None:
    """By default nobody is trusted; with the header from everybody, every client could choose its address."""
    told = problems(f"[gateway]\nproxy_protocol = true\n{WEB}")
    said = 'true needs trusted_proxies as well: from whom the header is believed; write ["127.0.0.1"]'
    assert told == (f"wakegate.toml:2: gateway.proxy_protocol: {said}",)
    assert reads(f"[gateway]\nproxy_protocol = true\ntrusted_proxies = ['10.0.0.7']\n{WEB}").gateway.proxy_protocol


@pytest.mark.parametrize(
    ("listen", "trusted", "said"),
    [
        (":8080", "unix", 'the gateway listens on a TCP port; write ["127.0.0.1"]'),
        ("unix:/run/w.sock", "10.0.0.7", 'the gateway listens on a Unix socket; write ["unix"]'),
    ],
)
def test_a_proxy_that_cannot_come_by_this_door_is_refused(
    problems: Problems, reads: Reads, listen: str, trusted: str, said: str
) -> None:
    """Every connection would be closed."""
    lines = f"[gateway]\nlisten = '{listen}'\nproxy_protocol = true\n"
    told = problems(f"{lines}trusted_proxies = ['{trusted}']\n{WEB}")
    assert told == (f"wakegate.toml:4: gateway.trusted_proxies: with proxy_protocol nobody could connect: {said}",)
    of_systemd = f"[gateway]\nproxy_protocol = true\ntrusted_proxies = ['{trusted}']\n{WEB}"
    assert reads(of_systemd).gateway.proxy_protocol, "its socket may be of either kind"
    assert reads(f"{lines}trusted_proxies = ['unix', '10.0.0.7']\n{WEB}").gateway.proxy_protocol


def test_each_worker_has_room_for_a_client(problems: Problems, reads: Reads) -> None:
    """Of one connection nobody can have a half."""
    told = problems(f"[gateway]\nconnections_max = 1\nworkers = 2\n{WEB}")
    said = "1 is less than workers (2), and each of them has its share; raise it"
    assert told == (f"wakegate.toml:2: gateway.connections_max: {said}",)
    assert reads(f"[gateway]\nconnections_max = 1\nworkers = 'auto'\n{WEB}").gateway.workers == 0

"""Compose files as values: ports, projects, variables, and who is started before whom."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakegate.config.compose import ComposeProject, interpolated, port_of, project_of, steps_of
from wakegate.config.show import UnfitError
from wakegate.core.spec import ComposeStep

NO_VARIABLES: Mapping[str, str] = {}


def project(services: object, *, variables: Mapping[str, str] = NO_VARIABLES, **more: object) -> ComposeProject:
    """Return what a file with these services says."""
    return project_of([{"services": services, **more}], folder="shop", variables=variables)


def order(services: object, service: str = "web") -> list[str]:
    """Return what is started for a service, in order."""
    return [step.service for step in steps_of(project(services), service)]


@pytest.mark.parametrize(
    ("body", "ports"),
    [
        ({"ports": ["8080:80"]}, (80,)),
        ({"ports": ["80"]}, (80,)),
        ({"ports": ["127.0.0.1:8080:80/tcp"]}, (80,)),
        ({"ports": ["[::1]:8080:80"]}, (80,)),
        ({"ports": ["8000-8001:80-81", "80"]}, (80, 81)),
        ({"ports": ["53:53/udp"]}, ()),
        ({"ports": [{"target": "80", "published": "8080"}]}, (80,)),
        ({"ports": [{"target": "53", "protocol": "udp"}]}, ()),
        ({"ports": ["${HOST_PORT:-8080}:${PORT:-3000}"]}, (3000,)),
        ({"ports": ["8080:80"], "expose": ["9000"]}, (80,)),
        ({"expose": ["9000"]}, (9000,)),
        ({"ports": ""}, ()),
        ("", ()),
    ],
)
def test_a_port_is_found_in_every_form(body: object, ports: tuple[int, ...]) -> None:
    """The port in the container: what is published may be another one, or none."""
    assert project({"web": body}).services["web"].ports == ports


@pytest.mark.parametrize(
    ("ports", "host_ports"),
    [
        (["8080:80"], (8080,)),
        (["80"], ()),
        (["127.0.0.1:8080:80/tcp", "[::1]:8081:81"], (8080, 8081)),
        (["8000-8001:80-81"], (8000, 8001)),
        (["8000-8010:80"], ()),
        (["127.0.0.1::80"], ()),
        (["53:53/udp"], ()),
        ([{"target": "80", "published": "8080"}, {"target": "81"}], (8080,)),
    ],
)
def test_the_ports_of_this_machine_are_known(ports: list[object], host_ports: tuple[int, ...]) -> None:
    """One of them may be the gateway's own; of a range that Compose may choose from, none is sure."""
    assert project({"web": {"ports": ports}}).services["web"].host_ports == host_ports


def test_the_only_port_is_the_one_for_requests() -> None:
    """Nobody has to write it twice; of two, only a person knows."""
    services = project({"web": {"ports": ["80:80"]}, "worker": {}, "two": {"ports": ["80", "443"]}})
    assert (port_of(services, "web"), port_of(services, "worker")) == (80, 0)
    with pytest.raises(UnfitError, match="gives two the ports 80, 443; write the one for requests as port"):
        port_of(services, "two")


def test_what_a_service_needs_is_started_before_it() -> None:
    """However it is written; each once, though two need it."""
    services = {
        "web": {"depends_on": ["api", "cache"]},
        "api": {"depends_on": {"db": {"condition": "service_healthy"}}},
        "cache": {},
        "db": {},
        "worker": {"depends_on": ["db"]},
    }
    steps = steps_of(project(services), "web")
    assert [step.service for step in steps][-1] == "web"
    assert sorted(step.service for step in steps) == ["api", "cache", "db", "web"]
    by_name = {step.service: step for step in steps}
    assert by_name["db"] == ComposeStep(service="db", until="healthy", users=("api", "web", "worker"))
    assert by_name["cache"] == ComposeStep(service="cache", until="started", users=("web",))
    assert by_name["web"].users == ()


@pytest.mark.parametrize(
    ("conditions", "until"),
    [
        (["service_started", "service_healthy"], "healthy"),
        (["service_healthy", "service_completed_successfully"], "completed"),
        (["service_started"], "started"),
    ],
)
def test_the_strictest_of_those_who_need_it_counts(conditions: list[str], until: str) -> None:
    """Whoever asks for less gets more, and is content."""
    users: dict[str, Any] = {f"user{n}": {"depends_on": {"db": {"condition": c}}} for n, c in enumerate(conditions)}
    steps = steps_of(project({"web": {"depends_on": list(users)}, "db": {}} | users), "web")
    assert next(step.until for step in steps if step.service == "db") == until


@pytest.mark.parametrize(
    "body",
    [
        {"network_mode": "service:db"},
        {"pid": "service:db"},
        {"ipc": "service:db"},
        {"links": ["db:database"]},
        {"volumes_from": ["db:ro"]},
    ],
)
def test_what_shares_something_of_another_is_started_after_it(body: object) -> None:
    """Compose starts it so, though nobody wrote depends_on."""
    assert order({"web": body, "db": {}}) == ["db", "web"]


def test_a_network_of_no_service_is_no_dependency() -> None:
    """Only "service:" names one."""
    body = {"network_mode": "container:db", "pid": "host", "volumes_from": ["container:db"]}
    assert order({"web": body, "db": {}}) == ["web"]


def test_what_need_not_be_there_may_be_missing() -> None:
    """A profile may have left it out."""
    services = {"web": {"depends_on": {"db": {"required": "false"}, "gone": {"required": "false"}}}, "db": {}}
    assert [(step.service, step.is_required) for step in steps_of(project(services), "web")] == [
        ("db", False),
        ("web", True),
    ]


@pytest.mark.parametrize(
    ("services", "circle"),
    [
        ({"web": {"depends_on": ["web"]}}, "web → web"),
        ({"web": {"depends_on": ["api"]}, "api": {"depends_on": ["web"]}}, "web → api → web|api → web → api"),
        (
            {
                "web": {"depends_on": ["a"]},
                "a": {"depends_on": ["b"]},
                "b": {"links": ["c"]},
                "c": {"depends_on": ["a"]},
            },
            "a → b → c → a|b → c → a → b|c → a → b → c",
        ),
    ],
)
def test_a_circle_is_named_in_the_order_of_who_needs_whom(services: object, circle: str) -> None:
    """One sees at once which of them to take out."""
    with pytest.raises(UnfitError, match=f"depend on each other in a circle, ({circle}); take one out"):
        order(services)


def test_a_circle_elsewhere_in_the_file_does_not_matter() -> None:
    """Only what is started for this service is looked at."""
    assert order({"web": {}, "a": {"depends_on": ["b"]}, "b": {"depends_on": ["a"]}}) == ["web"]


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ({"api": {}}, 'has no service "web"; there is api: write one as compose_service'),
        ({"web": {"depends_on": ["db"]}}, 'lets web depend on "db", which is no service of it'),
        (
            {"web": {"depends_on": {"db": {"condition": "x"}}}, "db": {}},
            "lets web depend on db by an unknown condition",
        ),
        ({"web": {"depends_on": {"db": "x"}}, "db": {}}, "lets web depend on db by an unknown condition"),
        ({"web": ["x"]}, 'has a service "web" that is no table'),
        ({"web": {"ports": ["eighty"]}}, 'has "eighty" for a port'),
        ({"web": {"ports": ["${PORT:?say which}"]}}, r"needs the variable PORT, which is not set \(say which\)"),
        (["web"], "has no services"),
    ],
    ids=range(8),
)
def test_what_is_wrong_is_told_so_that_the_file_can_stand_before_it(services: object, said: str) -> None:
    """ "compose.yaml has no service …"."""
    with pytest.raises(UnfitError, match=f"^{said}"):
        order(services)


@pytest.mark.parametrize("document", [None, "", [], {}, {"services": ""}])
def test_a_document_without_services_is_no_compose_file(document: object) -> None:
    """An empty file parses well."""
    with pytest.raises(UnfitError, match="has no services"):
        project_of([document], folder="shop", variables={})


def test_a_later_document_adds_to_an_earlier_one() -> None:
    """As Compose does with compose.override.yaml."""
    base = {"name": "base", "services": {"web": {"ports": ["80:80"], "depends_on": ["db"]}, "db": {}}}
    more = {
        "services": {
            "web": {"build": ".", "depends_on": {"cache": {}, "db": {"condition": "service_healthy"}}},
            "cache": {},
        }
    }
    found = project_of([base, more], folder="shop", variables={})
    assert found.name == "base"
    assert found.services["web"].ports == (80,)
    assert found.services["web"].is_built
    assert {step.service: step.until for step in steps_of(found, "web")} == {
        "db": "healthy",
        "cache": "started",
        "web": "started",
    }


@pytest.mark.parametrize(
    ("folder", "name", "variables", "found"),
    [
        ("shop", "", {}, "shop"),
        ("My Shop_2.0", "", {}, "myshop_20"),
        ("_-shop", "", {}, "shop"),
        ("shop", "other", {}, "other"),
        ("shop", "${NAME:-x}-dev", {}, "x-dev"),
        ("shop", "other", {"COMPOSE_PROJECT_NAME": "third"}, "third"),
    ],
)
def test_a_project_is_called_as_compose_calls_it(folder: str, name: str, variables: dict[str, str], found: str) -> None:
    """By its name the containers are found."""
    document = {"name": name, "services": {"web": {}}}
    assert project_of([document], folder=folder, variables=variables).name == found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A", "1"),
        ("${A}", "1"),
        ("$$A", "$A"),
        ("$A-$B", "1-"),
        ("${E-x}", ""),
        ("${E:-x}", "x"),
        ("${B-x}", "x"),
        ("${B:-${A}}", "1"),
        ("${B:-${E:-${A}}}", "1"),
        ("${A:+x}", "x"),
        ("${E:+x}", ""),
        ("${E+x}", "x"),
        ("${A:?why}", "1"),
        ("100%", "100%"),
        ("$ {A} ${", "$ {A} ${"),
    ],
)
def test_variables_are_replaced_as_compose_replaces_them(text: str, value: str) -> None:
    """Ports are often written so."""
    assert interpolated(text, {"A": "1", "E": ""}) == value


@given(st.text("$AB{}:-?+x", max_size=20))
def test_whatever_is_written_with_dollars_is_a_text_or_refused(text: str) -> None:
    """A file of somebody else must not break ours."""
    try:
        assert isinstance(interpolated(text, {"A": "${A}"}), str)
    except UnfitError:
        return


NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])


@given(st.dictionaries(NAMES, st.lists(NAMES, max_size=3, unique=True), min_size=1))
def test_the_order_holds_for_every_graph_without_a_circle(graph: dict[str, list[str]]) -> None:
    """Everything before what needs it, each once, the service itself last; else the circle is real."""
    services: dict[str, Any] = {name: {} for needs in graph.values() for name in needs} | {
        name: {"depends_on": needs} for name, needs in graph.items()
    }
    service = next(iter(graph))
    try:
        steps = order(services, service)
    except UnfitError as error:
        way = str(error).partition("circle, ")[2].partition(";")[0].split(" → ")
        assert way[0] == way[-1]
        assert all(after in graph[before] for before, after in pairwise(way))
        return
    assert steps[-1] == service
    assert len(set(steps)) == len(steps)
    assert all(steps.index(need) < steps.index(name) for name in steps for need in graph.get(name, []))

"""Routes: by host, then by the longest path prefix on a segment boundary."""

import pytest

from wakegate.core.spec import ProcessSpec, ServiceSpec
from wakegate.local.routes import CACHED_HOSTS_MAX, Routes, bare


def service(name: str, *, hosts: tuple[str, ...] = (), path: str = "/") -> tuple[ServiceSpec, str]:
    """Make a service whose lane is its name."""
    return ServiceSpec(name=name, run=ProcessSpec(command=("true",)), hosts=hosts, path=path), name


ROUTES = Routes(
    [
        service("any"),
        service("shop", hosts=("shop.localhost",)),
        service("api", hosts=("shop.localhost",), path="/api"),
        service("admin", hosts=("shop.localhost",), path="/api/admin/"),
        service("wild", hosts=("*.example.com",)),
        service("deep", hosts=("*.eu.example.com",)),
    ]
)


@pytest.mark.parametrize(
    ("host", "path", "found"),
    [
        ("shop.localhost", "/", "shop"),
        ("shop.localhost:8080", "/", "shop"),
        ("SHOP.localhost", "/", "shop"),
        ("shop.localhost.", "/", "shop"),
        ("shop.localhost", "/api", "api"),
        ("shop.localhost", "/api/", "api"),
        ("shop.localhost", "/api/orders", "api"),
        ("shop.localhost", "/apis", "shop"),
        ("shop.localhost", "/api/admin", "admin"),
        ("shop.localhost", "/api/admin/users", "admin"),
        ("shop.localhost", "/api/administer", "api"),
        ("a.example.com", "/", "wild"),
        ("a.b.example.com", "/", "wild"),
        ("example.com", "/", "any"),
        ("x.eu.example.com", "/", "deep"),
        ("[::1]:8080", "/", "any"),
        ("elsewhere", "/x", "any"),
    ],
)
def test_a_request_goes_to_the_most_specific_service(host: str, path: str, found: str) -> None:
    """Two services on one host, or a wildcard beside an exact name, must not depend on the order in the file."""
    assert ROUTES.find(host, path) == found


def test_the_longest_wildcard_wins_whatever_its_path() -> None:
    """A path of the narrower name is looked for first; what it does not have, the wider one may."""
    routes = Routes(
        [
            service("wide", hosts=("*.example.com",), path="/api/deep"),
            service("narrow", hosts=("*.eu.example.com", "eu.example.com"), path="/api"),
            service("any", path="/x"),
        ]
    )
    assert routes.find("a.eu.example.com", "/api/deep") == "narrow"
    assert routes.find("eu.example.com", "/api/deep") == "narrow"
    assert routes.find("a.example.com", "/api/deep") == "wide"
    assert routes.find("a.eu.example.com", "/x") == "any"
    assert routes.find(".eu.example.com", "/api") == "narrow"


def test_a_host_that_is_all_dots_is_not_taken_apart_for_ever() -> None:
    """A client may send 32 KiB of them."""
    routes = Routes([service("wild", hosts=("*.example.com",))])
    assert routes.find("a." * 15_000 + "example.com", "/") == "wild"
    assert routes.find("a." * 15_000 + "example.org", "/") is None


def test_an_unknown_host_has_no_service() -> None:
    """Where every service names its hosts, another host gets 404, not somebody's app."""
    routes = Routes([service("shop", hosts=("shop.localhost",))])
    assert routes.find("evil.localhost", "/") is None
    assert routes.find("", "/") is None


def test_many_hosts_do_not_grow_the_table_for_ever() -> None:
    """`Host` is chosen by the client: a scanner must not fill the memory."""
    routes = Routes([service("any")])
    for number in range(CACHED_HOSTS_MAX * 3):
        assert routes.find(f"host-{number}", "/") == "any"
    assert len(routes._by_host) <= CACHED_HOSTS_MAX


def test_a_host_is_compared_without_port_case_and_final_dot() -> None:
    """All of them name the same service to a browser."""
    assert [bare("A.b:80"), bare("a.b."), bare("[::1]:80"), bare("[FE80::1]")] == ["a.b", "a.b", "[::1]", "[fe80::1]"]

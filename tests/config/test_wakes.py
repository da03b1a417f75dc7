"""wakes: names that exist, no circles, and services that need no place of their own."""

import pytest
from tests.config.conftest import Problems, Reads


def service(name: str, *lines: str) -> str:
    """Write one service."""
    return "\n".join((f"[service.{name}]", 'command = ["true"]', *lines, ""))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            service("web", 'wakes = ["dbs"]') + service("db"),
            '3: service.web.wakes: "dbs" is no service; did you mean "db"?',
        ),
        (
            service("web", 'wakes = ["postgres"]'),
            '3: service.web.wakes: "postgres" is no service; write the NAME of another [service.NAME]',
        ),
        (service("web", 'wakes = ["web"]'), '3: service.web.wakes: "web" cannot wake itself first; take it out'),
        (service("web", 'wakes = [""]'), '3: service.web.wakes: "" names no service; write the NAME of [service.NAME]'),
        (service("web", 'wakes = "db"'), '3: service.web.wakes: "db" is no list; write ["db"]'),
    ],
)
def test_a_name_that_is_wrong_is_told_with_its_place_and_cure(problems: Problems, text: str, problem: str) -> None:
    """A need that does not exist would be found by the first request, which waits for nothing."""
    assert any(one.startswith(f"wakegate.toml:{problem}") for one in problems(text))


def test_a_circle_is_named_once_and_whole(problems: Problems) -> None:
    """Each would wait for the next for ever; d only leads to it."""
    text = service("a", 'wakes = ["b"]', 'path = "/a"') + service("b", 'wakes = ["c"]')
    text += service("c", 'wakes = ["a"]') + service("d", 'wakes = ["a"]')
    said = "a → b → c → a: each waits for the next, so none could be the first to wake; take one out"
    assert problems(text) == (f"wakegate.toml:3: service.a.wakes: {said}",)


def test_two_ways_to_the_same_need_are_no_circle(reads: Reads) -> None:
    """The cache and the app both need the database."""
    text = service("web", 'wakes = ["cache", "db"]') + service("cache", 'wakes = ["db"]') + service("db")
    assert [one.wakes for one in reads(text).services] == [("cache", "db"), ("db",), ()]


def test_a_service_that_others_wake_needs_no_place_of_its_own(reads: Reads) -> None:
    """A database speaks no HTTP: it gets no requests, and does not collide with "/"."""
    text = service("web", 'wakes = ["db"]') + service("db")
    assert [(one.name, one.is_routed) for one in reads(text).services] == [("web", True), ("db", False)]


@pytest.mark.parametrize("place", ['path = "/api"', 'hosts = ["api.localhost"]'])
def test_one_that_has_a_place_gets_requests_too(reads: Reads, place: str) -> None:
    """An API that the site calls may have visitors of its own."""
    text = service("web", 'wakes = ["api"]') + service("api", place)
    assert all(one.is_routed for one in reads(text).services)


def test_one_that_writes_the_place_of_another_still_collides(problems: Problems) -> None:
    """What is written is meant."""
    (problem,) = problems(service("web", 'wakes = ["api"]') + service("api", 'path = "/"'))
    assert 'any host and path / belong to "web" already' in problem

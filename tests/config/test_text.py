"""Paths, methods, agents, probes and cookie names: what is taken, in which form, and what is refused."""

import re

import pytest

from wakegate.config.kind import Kind
from wakegate.config.show import UnfitError
from wakegate.config.text import AGENTS, COOKIE, FOLDER, IGNORED_PATHS, METHODS, PATH_PREFIX, PROBE, REQUEST_PATHS


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (PATH_PREFIX, "/", "/"),
        (PATH_PREFIX, "/shop/", "/shop"),
        (PATH_PREFIX, "/a/b-c_d.e~%20", "/a/b-c_d.e~%20"),
        (REQUEST_PATHS, ["/api", "/käse"], ("/api", "/käse")),
        (IGNORED_PATHS, ["/healthz", "/static/*"], ("/healthz", "/static/*")),
        (PROBE, "tcp", "tcp"),
        (PROBE, "/healthz?full=1", "/healthz?full=1"),
        (METHODS, ["get", "PURGE"], ("GET", "PURGE")),
        (AGENTS, ["monitors", "Go-http-client"], ("monitors", "Go-http-client")),
        (COOKIE, "uuid", "uuid"),
        (COOKIE, "", ""),
        (COOKIE, "__Host-id", "__Host-id"),
        (FOLDER, "/srv/shop", "/srv/shop"),
    ],
)
def test_a_text_is_taken_in_its_final_form(kind: Kind, value: object, read: object) -> None:
    """The request path compares, it does not convert."""
    assert kind.read(value) == read


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        (PATH_PREFIX, "shop", '"shop" is no path; write "/" or "/shop"'),
        (PATH_PREFIX, "/a?b", '"/a?b" is no path; write'),
        (PATH_PREFIX, "/a//b", '"/a//b" is no path; write'),
        (PATH_PREFIX, "/a/../b", '"/a/../b" is no path; write'),
        (PATH_PREFIX, "/a; Secure", '"/a; Secure" is no path; write'),
        (PATH_PREFIX, "/a,b", '"/a,b" is no path; write'),
        (PATH_PREFIX, "/käse", '"/käse" is no path; write'),
        (PATH_PREFIX, "/a\r\nX: y", 'is no path; write "/" or "/shop"'),
        (REQUEST_PATHS, ["api"], '"api" is no path of a request; write "/healthz", without a query'),
        (REQUEST_PATHS, ["/api?x"], '"/api?x" is no path of a request'),
        (IGNORED_PATHS, ["/*/x"], '"/*/x": "*" may only end a path; write "/static/*"'),
        (PROBE, "http", '"http" is no probe; write "tcp" (it accepts connections) or a path such as "/healthz"'),
        (PROBE, "/a b", '"/a b" is no probe'),
        (PROBE, "/a\r\nHost: x", "is no probe"),
        (METHODS, ["G T"], '"G T" is no method; write "GET"'),
        (METHODS, [""], '"" is no method; write "GET"'),
        (AGENTS, [""], '"" is no part of a user agent; write "curl", "monitors" or "bots"'),
        (AGENTS, [" "], '" " is no part of a user agent'),
        (COOKIE, "a b", '"a b" is no name of a cookie; write letters, digits, - and _, or "" for no sessions'),
        (COOKIE, "a;b", '"a;b" is no name of a cookie'),
        (COOKIE, "uuid\n", "is no name of a cookie"),
        (FOLDER, "", '"" is no folder; write "." or "/srv/shop"'),
        (FOLDER, "a\0b", 'is no folder; write "." or "/srv/shop"'),
        (FOLDER, "~nobody-has-this-name/x", "this machine has no such user; write the whole path"),
    ],
)
def test_what_could_not_work_or_would_do_harm_is_refused(kind: Kind, value: object, problem: str) -> None:
    """A path goes into a cookie's attributes, a probe into a request head, an empty agent matches everybody."""
    with pytest.raises(UnfitError, match=re.escape(problem)):
        kind.read(value)


def test_a_folder_of_the_user_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """No shell is there to make ~ a path."""
    monkeypatch.setenv("HOME", "/srv/me")
    assert FOLDER.read("~/state") == "/srv/me/state"

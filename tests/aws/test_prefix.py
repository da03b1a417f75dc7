"""The stage before every path: redirects and cookies of an app that knows nothing of it must still lead home."""

import pytest

from wakegate.aws.prefix import cookie, location, starts_with

HOST = "api.example.com"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/login", "/prod/login"),
        ("/", "/prod/"),
        ("/login?next=/a#top", "/prod/login?next=/a#top"),
        ("/prod/login", "/prod/login"),  # the app knows X-Forwarded-Prefix
        ("/prod", "/prod"),
        ("/prod?x=1", "/prod?x=1"),
        ("/production", "/prod/production"),
        ("https://api.example.com/login?a=b", "https://api.example.com/prod/login?a=b"),
        ("http://api.example.com/login", "https://api.example.com/prod/login"),  # the front speaks TLS only
        ("HTTPS://API.example.com:443/login", "https://api.example.com/prod/login"),
        ("https://api.example.com", "https://api.example.com/prod/"),
        ("https://api.example.com?x=1", "https://api.example.com/prod/?x=1"),
        ("https://api.example.com/prod/x", "https://api.example.com/prod/x"),
        ("https://api.example.com:8443/x", "https://api.example.com:8443/x"),
        ("https://other.example.com/x", "https://other.example.com/x"),
        ("https://api.example.com.evil.example/x", "https://api.example.com.evil.example/x"),
        ("https://api.example.com@evil.example/x", "https://api.example.com@evil.example/x"),
        ("https://[broken/x", "https://[broken/x"),
        ("//other.example.com/x", "//other.example.com/x"),
        ("/\\other.example.com/x", "/\\other.example.com/x"),
        ("next", "next"),
        ("?page=2", "?page=2"),
        ("", ""),
        ("mailto:a@example.com", "mailto:a@example.com"),
    ],
)
def test_a_redirect_leads_below_the_stage(value: str, expected: str) -> None:
    """Without the stage an HTTP API answers "Not Found"; what leads elsewhere is nobody's to change."""
    assert location(value, prefix="/prod", host=HOST, proto="https") == expected


@pytest.mark.parametrize("value", ["/login", "https://api.example.com/login", "//x/y", "next"])
def test_without_a_prefix_a_redirect_stays_as_it_is(value: str) -> None:
    """The $default stage and Function URLs add nothing."""
    assert location(value, prefix="", host=HOST, proto="https") == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a=1; Path=/", "a=1; Path=/prod"),
        ("a=1; path=/shop; HttpOnly", "a=1; path=/prod/shop; HttpOnly"),
        ("a=1;Path = /shop ;Secure", "a=1;Path = /prod/shop;Secure"),
        ("a=1; Path=/prod/shop", "a=1; Path=/prod/shop"),
        ("a=/x; Max-Age=3", "a=/x; Max-Age=3"),  # without a Path the client takes that of the request, with the stage
        ("a=1; Path=", "a=1; Path="),
        ("__Host-a=1; Path=/; Secure", "__Host-a=1; Path=/; Secure"),
    ],
)
def test_a_cookies_path_is_below_the_stage(value: str, expected: str) -> None:
    """Else the client never sends it back: logged out after every login."""
    assert cookie(value, prefix="/prod") == expected
    assert cookie(value, prefix="") == value


def test_only_whole_segments_are_a_prefix() -> None:
    """`/prod2` is another place."""
    assert [starts_with(path, "/prod") for path in ("/prod", "/prod/", "/prod?x", "/prod2", "/pro")] == [
        True, True, True, False, False
    ]  # fmt: skip

"""What a front and two encodings may spoil arrives as it was sent: bytes, cookies, paths, answers without a body."""

import hashlib

import httpx
import pytest
from tests.e2e.deployed import Deployed
from tests.e2e.visitors import ask

MB = 1024 * 1024
ANY = bytes(range(256)) * 400


def headers(seen: httpx.Response) -> dict[str, str]:
    """Return the headers that the app has got, by their names in small letters."""
    return {name.lower(): value for name, value in seen.json()["headers"]}


@pytest.fixture(params=["an HTTP API", "a Function URL"])
def url(request: pytest.FixtureRequest, deployed: Deployed) -> str:
    """Return an address of the app, awake; both fronts have to do."""
    found = deployed.url if request.param == "an HTTP API" else deployed.long_url
    assert ask(f"{found}/").status_code == 200
    return found


def test_bytes_arrive_as_they_were_sent(url: str) -> None:
    """JSON has no bytes: they travel as base64, both ways."""
    response = ask(f"{url}/echo", "POST", content=ANY, headers={"Content-Type": "application/x-any"})
    assert (response.content, response.headers["content-type"]) == (ANY, "application/x-any")
    text = "größer – ✓".encode()
    response = ask(f"{url}/echo", "PUT", content=text, headers={"Content-Type": "text/plain; charset=utf-8"})
    assert response.content == text


def test_megabytes_go_both_ways(url: str) -> None:
    """Up to what Lambda lets through, which is 6 MB of base64."""
    content = ANY * 40
    seen = ask(f"{url}/", "POST", content=content).json()
    assert (seen["length"], seen["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert len(ask(f"{url}/bytes?n={4 * MB}").content) == 4 * MB


def test_what_is_too_large_is_said_to_be(url: str) -> None:
    """Lambda itself would answer with an error that names nothing."""
    response = ask(f"{url}/bytes?n={6 * MB}")
    assert (response.status_code, response.headers["content-type"]) == (502, "application/problem+json")
    assert "MB" in response.text
    assert ask(f"{url}/", "POST", content=b"\xff" * (6 * MB)).status_code == 413
    assert ask(f"{url}/").status_code == 200


def test_every_cookie_arrives(url: str) -> None:
    """A cookie has commas in its date: joined with others it is lost."""
    response = ask(f"{url}/cookies")
    cookies = [value for value in response.headers.get_list("set-cookie") if not value.startswith("uuid=")]
    assert [one.partition(";")[0] for one in cookies] == ["a=1", "b=2", "c=3"]
    assert cookies[2] == "c=3; Expires=Wed, 09 Jun 2027 10:18:14 GMT"
    assert response.headers["x-twice"].replace(" ", "") == "1,2"
    assert headers(ask(f"{url}/", headers={"Cookie": "a=1; b=2"}))["cookie"] == "a=1; b=2"


def test_the_app_knows_nothing_of_the_stage(deployed: Deployed) -> None:
    """It is written for the root; its links, redirects and cookies lead back to where the visitor is."""
    seen = ask(f"{deployed.url}/shop/a%20b?x=%2F&x=2&empty=")
    assert seen.json()["path"] == "/shop/a%20b?x=%2F&x=2&empty="
    assert headers(seen)["x-forwarded-prefix"] == "/prod"
    assert ask(f"{deployed.url}/redirect?to=/cart").headers["location"] == "/prod/cart"
    assert ask(f"{deployed.url}/redirect?to=https://example.org/").headers["location"] == "https://example.org/"
    cookies = ask(f"{deployed.url}/cookies").headers.get_list("set-cookie")
    assert [one for one in cookies if one[0] in "ab"] == ["a=1; Path=/prod", "b=2; Path=/prod/shop; HttpOnly"]
    assert ask(f"{deployed.url}").json()["path"] == "/"


def test_a_function_url_has_no_prefix(deployed: Deployed) -> None:
    """Nothing is rewritten where nothing was taken off."""
    seen = ask(f"{deployed.long_url}/prod/x")
    assert (seen.json()["path"], "x-forwarded-prefix" in headers(seen)) == ("/prod/x", False)
    assert ask(f"{deployed.long_url}/redirect?to=/cart").headers["location"] == "/cart"


def test_answers_without_a_body_have_none(url: str) -> None:
    """A body behind a 304 is the beginning of the next answer."""
    for status in (204, 304):
        response = ask(f"{url}/status?s={status}")
        assert (response.status_code, response.content, response.headers["etag"]) == (status, b"", '"1"')
    head = ask(f"{url}/status?s=200", "HEAD")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", '"1"')
    assert ask(f"{url}/status?s=404").text == "as asked"


def test_methods_are_the_apps_business(url: str) -> None:
    """Also those that a browser never sends."""
    for method in ("DELETE", "OPTIONS", "PATCH"):
        assert ask(f"{url}/", method).json()["method"] == method


def test_the_app_learns_who_asks(deployed: Deployed) -> None:
    """Of the client and its front, and nothing that a client has made up about the session."""
    seen = headers(ask(f"{deployed.url}/", headers={"X-Wakegate-Session": "mine", "User-Agent": "curl/8"}))
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"], seen["user-agent"]) == ("127.0.0.1", "http", "curl/8")
    assert seen.get("x-wakegate-session") != "mine"
    assert seen["host"] == httpx.URL(deployed.url).netloc.decode()

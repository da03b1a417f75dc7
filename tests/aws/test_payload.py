"""Events of payload format 2.0 as requests for the app: nothing lost, nothing added, nothing guessed."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.aws.conftest import EVENTS, load_event

from wakegate.aws.cloud import AppRequest
from wakegate.aws.payload import PAYLOAD_BYTES_MAX, Incoming, header, read, request_id, to_app
from wakegate.core.errors import BadRequestError, BodyTooLargeError

CHROME = {"accept": "text/html,*/*;q=0.8", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def changed(name: str = "http_api_named_stage", **headers: str) -> dict[str, Any]:
    """Return an event with some more headers; "_" stands for "-"."""
    event = load_event(name)
    event["headers"] |= {key.replace("_", "-"): value for key, value in headers.items()}
    return event


def of_method(method: str) -> dict[str, Any]:
    """Return an event of this method."""
    event = load_event("http_api_named_stage")
    event["requestContext"]["http"]["method"] = method
    return event


def app_header(name: str, request: AppRequest) -> list[str]:
    """Return every line of a header as the app gets it."""
    return [value for key, value in request.headers if key.lower() == name]


@pytest.mark.parametrize(
    ("name", "method", "target", "prefix"),
    [
        ("http_api_named_stage", "GET", "/orders/17?size=10&size=20&sort=-date", "/prod"),
        ("http_api_root", "GET", "/", "/prod"),
        ("http_api_default_stage", "GET", "/prod/orders", ""),
        ("custom_domain_key", "GET", "/orders/17", "/shop"),
        ("custom_domain_stage", "GET", "/orders/17", "/shop"),
        ("custom_domain_root", "GET", "/prod/is/the/apps/own", "/shop"),
        ("function_url", "POST", "/orders?dry=1", ""),
        ("jwt_authorizer", "GET", "/me", "/prod"),
        ("iam_authorizer", "DELETE", "/admin", "/prod"),
        ("binary_body", "PUT", "/upload", "/prod"),
        ("cookies", "GET", "/cart", "/prod"),
        ("empty_body", "POST", "/ping", "/prod"),
        ("unicode_path", "GET", "/k%C3%A4se/%E5%A1%A9%2050%25%3F%231", "/prod"),
        ("encoded_path", "GET", "/a%2Fb/k%C3%A4se/50%25%3F?path=a%2Fb&redirect=https%3A%2F%2Fexample.com%2F", ""),
        ("plus_signs", "GET", "/c++/a+b?q=a+b%2Bc&q=%20&flag&=&x=%26", "/prod"),
    ],
)
def test_an_event_becomes_the_request_that_its_client_sent(name: str, method: str, target: str, prefix: str) -> None:
    """An app that sees another path or query than it would without us answers another question."""
    incoming = read(load_event(name), base_path="shop")
    assert (incoming.method, incoming.target, incoming.prefix) == (method, target, prefix)
    request = to_app(incoming)
    assert (request.method, request.target) == (method, target)
    assert app_header("x-forwarded-prefix", request) == ([prefix] if prefix else [])


def test_every_event_is_read_by_a_test() -> None:
    """A fixture that nobody reads proves nothing."""
    marks = test_an_event_becomes_the_request_that_its_client_sent.pytestmark  # type: ignore[attr-defined]  # pytest's
    assert {row[0] for row in marks[0].args[1]} == {path.stem for path in EVENTS.glob("*.json")}


def test_the_stage_is_taken_off_once() -> None:
    """An app below /prod/prod is somebody's."""
    event = load_event("http_api_named_stage") | {"rawPath": "/prod/prod/x", "pathParameters": {"proxy": "prod/x"}}
    assert read(event).path == "/prod/x"


def test_a_path_that_only_begins_like_the_stage_is_whole() -> None:
    """`/production` is not below `/prod`."""
    event = load_event("http_api_named_stage") | {"rawPath": "/production", "pathParameters": {}}
    assert read(event).path == "/production"


def test_a_route_below_a_path_of_its_own_leaves_that_path_to_the_app() -> None:
    """`ANY /api/{proxy+}`: what stands before the proxy is the stage and the app's own path."""
    event = load_event("http_api_named_stage") | {"rawPath": "/prod/api/x", "pathParameters": {"proxy": "x"}}
    assert read(event).path == "/api/x"


def test_a_mapping_key_counts_on_the_custom_domain_only() -> None:
    """The API's own address stays usable beside the custom domain."""
    assert read(load_event("http_api_named_stage"), base_path="/orders/").target.startswith("/orders/17?")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("binary_body", b"\x89PNG\r\n\x1a\n\x00\xff"),
        ("function_url", '{"sku": "A-7", "note": "grüezi"}'.encode()),
        ("empty_body", b""),
        ("http_api_root", b""),
    ],
)
def test_the_body_arrives_as_its_bytes(name: str, body: bytes) -> None:
    """Text comes as text and all else as base64; the app gets neither."""
    assert to_app(read(load_event(name))).body == body


def test_cookies_are_one_header_again() -> None:
    """Payload 2.0 takes them apart; a Function URL sends them twice."""
    assert app_header("cookie", to_app(read(load_event("function_url")))) == ["uuid=abc.def; theme=dark"]
    incoming = read(load_event("cookies"))
    assert app_header("cookie", to_app(incoming)) == ['uuid=abc.def; theme=dark; empty=; quoted="a b"']
    assert [incoming.cookie(name) for name in ("uuid", "empty", "quoted", "theme ", "none")] == [
        "abc.def", "", "a b", None, None
    ]  # fmt: skip


def test_a_cookie_header_alone_is_read_as_well() -> None:
    """A front that is like payload 2.0 and leaves out the list must not cost the session."""
    assert read(changed(cookie="uuid=a.b; x=1")).cookies == ("uuid=a.b", "x=1")


def test_the_app_is_told_who_asked_and_how() -> None:
    """Its redirects, its logs and its rate limits depend on it."""
    request = to_app(read(load_event("http_api_named_stage")), session_id="s-1", session_data=b"cart=3")
    host = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
    assert {key: value for key, value in request.headers if key[0].isupper()} == {
        "Host": host,
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Host": host,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Prefix": "/prod",
        "Forwarded": f'for=203.0.113.9;host="{host}";proto=https',
        "X-Request-Id": "JKJaXmPLvHcESHA=",
        "X-Wakegate-Session": "s-1",
        "Wakegate-Session-Data": "cart=3",
    }
    assert app_header("x-tags", request) == ["red,green"]


def test_proxies_before_the_front_stay_in_the_chain() -> None:
    """The front's own address of the client is added where it is missing, and only there."""
    request = to_app(read(changed(x_forwarded_for="198.51.100.1, 203.0.113.9", forwarded="for=198.51.100.1")))
    assert app_header("x-forwarded-for", request) == ["198.51.100.1, 203.0.113.9"]
    assert app_header("forwarded", request)[0].startswith("for=198.51.100.1, for=203.0.113.9;")
    request = to_app(read(changed(x_forwarded_for="198.51.100.1")))
    assert app_header("x-forwarded-for", request) == ["198.51.100.1, 203.0.113.9"]


def test_of_two_protocols_the_fronts_own_counts() -> None:
    """It adds its own behind what a client has sent."""
    assert read(changed(x_forwarded_proto="https, http")).proto == "http"


def test_an_ipv6_client_is_quoted_in_forwarded() -> None:
    """RFC 7239 asks for brackets and quotes; a bare colon ends the address for its readers."""
    incoming = replace(read(load_event("function_url")), source_ip="2001:db8::1")
    assert app_header("forwarded", to_app(incoming))[0].startswith('for="[2001:db8::1]";host=')


def test_a_client_cannot_speak_for_us() -> None:
    """Whoever could send these headers through would choose his session, or his prefix."""
    event = changed(
        x_wakegate_session="root", wakegate_session_data="admin=1", x_forwarded_prefix="/evil", x_forwarded_host="evil"
    )
    request = to_app(read(event))
    assert app_header("x-wakegate-session", request) == app_header("wakegate-session-data", request) == []
    assert app_header("x-forwarded-prefix", request) == ["/prod"]
    assert app_header("x-forwarded-host", request) == app_header("host", request)


def test_what_is_about_the_clients_connection_stays_there() -> None:
    """Hop by hop, and what `Connection` names: the connection to the app is another one."""
    event = changed(
        connection="close, X-Hop", keep_alive="5", te="trailers", trailer="x", upgrade="h2c", x_hop="1", expect="100"
    )
    names = {name.lower() for name, _ in to_app(read(event)).headers}
    assert names.isdisjoint(
        {"connection", "keep-alive", "te", "trailer", "upgrade", "x-hop", "expect", "content-length"}
    )


def test_a_connection_header_cannot_take_the_host_away() -> None:
    """Named or not, what we set ourselves is set."""
    assert app_header("host", to_app(read(changed(connection="host, content-length")))) != []


@pytest.mark.parametrize("sent", ["made-by-client-1", "a b", "x" * 129, "…"])
def test_a_request_id_is_the_clients_where_it_has_a_good_one(sent: str) -> None:
    """It goes into logs and headers: of any other form it is the front's own."""
    expected = sent if sent == "made-by-client-1" else "JKJaXmPLvHcESHA="
    assert read(changed(x_request_id=sent)).request_id == expected


@pytest.mark.parametrize("event", [None, [], {}, {"headers": 3, "requestContext": 4}, {"requestContext": {}}])
def test_what_is_no_event_is_refused_and_still_has_a_request_id(event: Any) -> None:
    """The console's test button sends anything: the answer says what is expected, and no traceback does."""
    assert len(request_id(event)) == 16
    with pytest.raises(BadRequestError, match=r"payload format 2\.0"):
        read(event)


def test_an_event_of_format_1_says_what_to_set() -> None:
    """The default of an integration made by the CLI without a version."""
    with pytest.raises(BadRequestError, match="set it in the integration"):
        read(load_event("http_api_named_stage") | {"version": "1.0"})


@pytest.mark.parametrize(
    "event",
    [
        of_method("GET /evil"),
        of_method("G\r\nT"),
        of_method(""),
        of_method("CONNECT"),
        changed(x_bad="a\r\nX-Injected: 1"),
        changed(x_bad="a\0b"),
        changed(**{"bad name": "1"}),
        changed(host="a/b"),
        changed(host="user@host"),
        load_event("cookies") | {"cookies": ["a=1\r\nX-Injected: 1"]},
        load_event("cookies") | {"rawQueryString": "a\nb"},
        load_event("function_url") | {"rawPath": "/a\r\nHost: evil"},
        load_event("function_url") | {"rawPath": "no/slash"},
        load_event("unicode_path") | {"rawPath": "/\ud800"},
        load_event("binary_body") | {"body": "no base64!"},
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(event: dict[str, Any]) -> None:
    """What one parser lets through and the next reads otherwise is how requests are smuggled."""
    with pytest.raises(BadRequestError):
        read(event)


def test_a_control_character_that_was_encoded_goes_on_encoded() -> None:
    """`%0A` in a path is legal; an HTTP API has decoded it, and it must not reach the app's request line so."""
    event = load_event("unicode_path") | {"rawPath": "/prod/a\r\nb", "pathParameters": {"proxy": "a\r\nb"}}
    assert read(event).path == "/a%0D%0Ab"


def test_a_body_that_no_function_can_take_is_too_large() -> None:
    """413 with what to do; the front refuses most of these before us."""
    with pytest.raises(BodyTooLargeError, match="6291456 bytes"):
        read(load_event("empty_body") | {"body": "x" * (PAYLOAD_BYTES_MAX + 1)})


@pytest.mark.parametrize(
    ("headers", "is_page"),
    [
        (CHROME, True),
        ({"accept": "text/html"}, True),  # an old browser has no Sec-Fetch headers
        ({**CHROME, "sec-fetch-mode": "cors"}, False),
        ({"accept": "text/html", "sec-fetch-dest": "image"}, False),
        ({"accept": "*/*"}, False),
    ],
)
def test_a_browsers_navigation_is_known(headers: dict[str, str], is_page: bool) -> None:
    """Only that gets the waiting page: a script that asks for data could not read it."""
    event = load_event("http_api_named_stage")
    event["headers"] = event["headers"] | {"accept": "*/*"} | headers
    assert read(event).is_page is is_page


def test_another_site_is_known() -> None:
    """The waiting page's button must not be pressed from elsewhere."""
    found = [read(changed(sec_fetch_site=site)).is_same_origin for site in ("same-origin", "none", "cross-site")]
    assert found == [True, True, False]


def test_the_function_url_is_known() -> None:
    """It may hold a request as long as the function may run; an HTTP API may not."""
    assert read(load_event("function_url")).is_function_url
    assert not read(load_event("custom_domain_key")).is_function_url


@given(path=st.text(min_size=1, max_size=30), query=st.text(max_size=30), value=st.text(max_size=20))
def test_nothing_that_a_front_sends_breaks_the_request_line(path: str, query: str, value: str) -> None:
    """Whatever is read at all has a target of visible ASCII and headers without control characters."""
    event = changed(x_any=value) | {"rawPath": f"/prod/{path}", "rawQueryString": query, "pathParameters": {}}
    try:
        incoming = read(event)
    except BadRequestError:
        return
    assert isinstance(incoming, Incoming)
    request = to_app(incoming)
    assert request.target.isascii()
    assert all("!" <= char <= "~" and char != "#" for char in request.target)
    assert header(request.headers, "x-any") == value

"""The fronts: HTTP into payload 2.0 and back, with the limits of API Gateway and Function URLs."""

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.account.account import Account
from tests.account.sample import made

ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "headers": {"X-One": "1"}, "cookies": ["a=1", "b=2"], "body": json.dumps(event)}
"""


@pytest.fixture
def echo(account: Account) -> Iterator[httpx.Client]:
    """Return a client of an API whose function returns the event."""
    made.function(account, ECHO)
    with httpx.Client(base_url=account.api_url(made.api(account)), timeout=30) as client:
        yield client


def raw(url: str, lines: list[str]) -> bytes:
    """Send a head exactly as it is; return the whole answer."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"))
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_the_event_has_the_stage_before_a_decoded_path_and_the_query_as_sent(echo: httpx.Client) -> None:
    """Handlers strip the stage; one that never saw it here would strip nothing there."""
    event = echo.get("/a%20b/c?x=%2F&x=2&y=").json()
    assert (event["rawPath"], event["requestContext"]["stage"]) == ("/prod/a b/c", "prod")
    assert event["requestContext"]["http"]["path"] == "/prod/a b/c"
    assert (event["routeKey"], event["pathParameters"]) == ("ANY /{proxy+}", {"proxy": "a b/c"})
    assert event["rawQueryString"] == "x=%2F&x=2&y="
    assert event["queryStringParameters"] == {"x": "/,2", "y": ""}
    assert event["requestContext"]["domainName"].startswith(event["requestContext"]["apiId"] + ".execute-api.")


def test_headers_are_joined_by_commas_and_cookies_are_a_list(echo: httpx.Client) -> None:
    """A header that comes twice is one value here, as there."""
    headers = [("X-Two", "1"), ("x-two", "2"), ("Cookie", "a=1; b=2"), ("X-Forwarded-For", "192.0.2.1")]
    event = echo.get("/", headers=headers).json()
    assert event["headers"]["x-two"] == "1,2"
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-forwarded-for"] == "192.0.2.1, 127.0.0.1"
    assert event["routeKey"] == "ANY /"


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [("text/plain", "é".encode(), ("é", False)), ("image/png", b"\x89PNG", ("iVBORw==", True))],
)
def test_text_comes_as_text_and_all_else_as_base64(echo: httpx.Client, kind: str, body: bytes, expected: Any) -> None:
    """A handler that forgets one of the two breaks uploads."""
    event = echo.post("/", content=body, headers={"Content-Type": kind}).json()
    assert (event["body"], event["isBase64Encoded"]) == expected


def test_each_cookie_of_the_answer_is_a_header_of_its_own(echo: httpx.Client) -> None:
    """Set-Cookie cannot be joined by commas."""
    response = echo.get("/")
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert response.headers["x-one"] == "1"


def test_a_body_over_10_mb_is_refused_by_the_front(echo: httpx.Client) -> None:
    """The function never sees it."""
    head = ["POST /prod/ HTTP/1.1", "Host: x", f"Content-Length: {10 * 1024 * 1024 + 1}"]
    assert raw(str(echo.base_url), head).startswith(b"HTTP/1.1 413 ")


def test_a_body_over_what_an_event_holds_is_refused_too(echo: httpx.Client) -> None:
    """Between 6 and 10 MB it is Lambda that refuses."""
    response = echo.post("/", content=b"x" * (7 * 1024 * 1024), headers={"Content-Type": "text/plain"})
    assert response.status_code == 413


def test_what_takes_longer_than_the_integration_may_is_503_and_the_function_runs_on(account: Account) -> None:
    """The 30 s of an HTTP API are the reason for most of the startup handler."""
    made.function(account, "import time\ndef handler(event, context): time.sleep(0.5); return {'statusCode': 200}")
    response = httpx.get(account.api_url(made.api(account, TimeoutInMillis=100)) + "/")
    assert (response.status_code, response.json()) == (503, {"message": "Service Unavailable"})
    made.until(lambda: len(account.functions.outcomes["made"]) == 1)
    assert account.functions.outcomes["made"][0].error == ""


@pytest.mark.parametrize(
    "code",
    [
        "raise ValueError('x')",
        "return {'statusCode': 'x'}",
        "return {'statusCode': 200, 'headers': [1]}",
        "os._exit(1)",
    ],
)
def test_a_function_that_fails_is_500_and_says_nothing_else(account: Account, code: str) -> None:
    """What went wrong is in the log, not in front of the client."""
    made.function(account, f"import os\ndef handler(event, context): {code}")
    response = httpx.get(account.api_url(made.api(account)) + "/", timeout=30)
    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


def test_a_function_without_free_concurrency_is_503(account: Account) -> None:
    """500 first requests in a new account of ten see this."""
    made.function(account, ECHO)
    account.client("lambda").put_function_concurrency(FunctionName="made", ReservedConcurrentExecutions=0)
    assert httpx.get(account.api_url(made.api(account)) + "/").status_code == 503
    assert account.functions.throttled["made"] == 1


def test_an_api_that_may_not_invoke_the_function_is_500(account: Account) -> None:
    """The permission that is forgotten most often."""
    made.function(account, ECHO)
    api_id = made.api(account)
    account.client("lambda").remove_permission(FunctionName="made", StatementId="apigateway")
    assert httpx.get(account.api_url(api_id) + "/").status_code == 500


def test_what_no_stage_or_route_serves_is_404(echo: httpx.Client, account: Account) -> None:
    """A path without the stage is the commonest wrong address."""
    response = httpx.get(account.api_url(stage="$default") + "/x")
    assert (response.status_code, response.json()) == (404, {"message": "Not Found"})


def test_more_than_the_stage_admits_is_429(account: Account) -> None:
    """Throttling is a parameter of the template."""
    made.function(account, ECHO)
    api_id = made.api(account)
    stage = account.moto.apis.get_stage(api_id, "prod")
    stage.default_route_settings = {"throttlingRateLimit": 0.001, "throttlingBurstLimit": 2}
    with httpx.Client(base_url=account.api_url(api_id), timeout=30) as client:
        assert [client.get("/").status_code for _ in range(3)] == [200, 200, 429]


def test_a_preflight_is_answered_by_the_front_only_where_no_route_takes_it(account: Account) -> None:
    """A route for ANY takes it, too, with whatever authorization it asks for."""
    made.function(account, ECHO)
    api_id = made.api(account)
    cors = {"allowOrigins": ["https://a.example"], "allowMethods": ["GET"], "maxAge": 60}
    account.client("apigatewayv2").update_api(ApiId=api_id, CorsConfiguration=_titled(cors))
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    with httpx.Client(base_url=account.api_url(api_id), timeout=30) as client:
        assert client.options("/", headers=asked).json()["requestContext"]["http"]["method"] == "OPTIONS"
        routes = account.client("apigatewayv2").get_routes(ApiId=api_id)["Items"]
        for route in routes:
            account.client("apigatewayv2").update_route(
                ApiId=api_id, RouteId=route["RouteId"], RouteKey=route["RouteKey"].replace("ANY", "GET")
            )
        preflight = client.options("/", headers=asked)
        assert len(account.functions.outcomes["made"]) == 1
        simple = client.get("/", headers={"Origin": "https://a.example"})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-methods"] == "GET"
    assert simple.headers["access-control-allow-origin"] == "https://a.example"


def test_a_function_url_has_no_stage_and_keeps_the_path_encoded(account: Account) -> None:
    """The same handler runs behind both fronts."""
    made.deploy(account, **made.network(account))
    event = httpx.get(account.function_url("tiny-front") + "/a%2Fb/echo", timeout=30).json()
    assert (event["rawPath"], event["routeKey"]) == ("/a%2Fb/echo", "$default")
    assert ".lambda-url." in event["requestContext"]["domainName"]


def test_a_function_url_needs_both_permissions(account: Account) -> None:
    """Since October 2025 AWS asks for lambda:InvokeFunction, too."""
    made.deploy(account, **made.network(account))
    statements = account.moto.functions.get_function("tiny-front").policy.statements
    statements[:] = [one for one in statements if "InvokedViaFunctionUrl" not in str(one)]
    assert httpx.get(account.function_url("tiny-front") + "/echo", timeout=30).status_code == 403


def _titled(config: dict[str, Any]) -> dict[str, Any]:
    return {key[:1].upper() + key[1:]: value for key, value in config.items()}

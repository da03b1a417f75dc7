"""What the app and the client see of the gateway between them (acceptance list H1-H3, H5, H7)."""

import json
import sys
from pathlib import Path

import anyio
import httpx
import pytest
from tests.scenarios.conftest import PLAIN, WAITING, Start
from websockets.asyncio.client import connect

ECHO = json.dumps([sys.executable, str(Path(__file__).parent / "echo.py"), "{port}"])
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_the_app_is_told_who_asked_for_what(wakegate: Start) -> None:
    """H1, H7 (Knative conformance): Host as the client sent it, everything else verbatim.

    Lists of proxies are begun anew; those of a trusted one are continued (test_proxy.py).
    """
    gateway = wakegate(PLAIN)
    answer = gateway.exchange(
        b"GET / HTTP/1.1\r\nHost: shop.localhost:8080\r\nX-Forwarded-For: 192.0.2.1, 192.0.2.2\r\n"
        b"Forwarded: for=192.0.2.1;proto=https\r\ntraceparent: " + TRACEPARENT.encode() + b"\r\n"
        b"X-CaSe: kept  as is\r\nX-Twice: one\r\nX-Twice: two\r\nX-Empty:\r\n"
        b"Connection: close, X-Hop\r\nX-Hop: no\r\n\r\n"
    )
    headers = [tuple(pair) for pair in json.loads(answer.partition(b"\r\n\r\n")[2])["headers"]]
    seen = {name.lower(): value for name, value in headers}
    assert seen["host"] == "shop.localhost:8080"
    assert seen["x-forwarded-for"] == "127.0.0.1", "what a stranger says is replaced"
    assert seen["x-forwarded-host"] == "shop.localhost:8080"
    assert seen["x-forwarded-proto"] == "http"
    assert seen["forwarded"] == 'for=127.0.0.1;host="shop.localhost:8080";proto=http'
    assert seen["traceparent"] == TRACEPARENT
    assert ("X-CaSe", "kept  as is") in headers
    assert [value for name, value in headers if name == "X-Twice"] == ["one", "two"]
    assert ("X-Empty", "") in headers
    assert "x-hop" not in seen
    assert seen["x-request-id"].encode() in answer.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("target", ["/?a=%zz&b=%&c=%2F;d", "/two//slashes/../up", "/%00%ff?x=[1]|2", "/?", "/a%2fb"])
def test_a_target_goes_on_as_it_came(wakegate: Start, target: str) -> None:
    """H5 (kamal): what the gateway cannot parse is still the app's to understand."""
    gateway = wakegate(PLAIN)
    answer = gateway.exchange(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["path"] == target


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["no Host", "two", "path in it", "folded", "space", "CONNECT", "TLS"],
)
def test_what_is_no_request_is_400_and_wakes_nothing(wakegate: Start, request_bytes: bytes) -> None:
    """H5: scanners find every open port; they must not start a process."""
    gateway = wakegate(PLAIN)
    assert gateway.exchange(request_bytes).startswith(b"HTTP/1.1 400 ")
    assert gateway.starts() == 0


def test_events_arrive_one_by_one(wakegate: Start) -> None:
    """H3 (kamal, KEDA #918): the first event is there before the app has sent the second; through the wake, too."""
    gateway = wakegate(PLAIN)
    with gateway.client.stream("GET", "/stream?n=2&for=answer") as answer:
        lines = (line for line in answer.iter_lines() if line)
        assert next(lines) == "data: 0"
        gateway.let("answer")
        assert next(lines) == "data: 1"


def test_head_and_options_have_their_answers(wakegate: Start) -> None:
    """A HEAD has the length of the GET and no body; the connection is good for more."""
    gateway = wakegate(PLAIN)
    head = gateway.client.head("/bytes?n=1000")
    assert (head.headers["content-length"], head.content) == ("1000", b"")
    assert gateway.client.get("/bytes?n=1000").content == b"x" * 1000
    assert gateway.client.options("/").json()["method"] == "OPTIONS"


def test_requests_sent_ahead_are_answered_in_order(wakegate: Start) -> None:
    """Pipelining, as wrk and old clients do it, through the wake."""
    gateway = wakegate(PLAIN)
    request = "GET /{} HTTP/1.1\r\nHost: x\r\n\r\n"
    last = "GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = gateway.exchange((request.format(1) + request.format(2) + last.format(3)).encode())
    places = [answer.index(b'"path": "/%d"' % number) for number in (1, 2, 3)]
    assert places == sorted(places)


@pytest.mark.anyio
async def test_a_websocket_works_through_the_wake(wakegate: Start) -> None:
    """H2 (Knative ViaActivator): the upgrade waits for the app; large and many messages come back as they went."""
    service = f'[service.web]\ncommand = {ECHO}\nenv = {{ LISTEN_ON = "listen" }}\n'
    config = f'{service}[service.web.forward]\ntimeout = "1s"\n'
    gateway = await anyio.to_thread.run_sync(wakegate, config)
    async with anyio.create_task_group() as tasks:

        async def let_when_held() -> None:
            await anyio.to_thread.run_sync(lambda: gateway.until(held=1))
            gateway.let("listen")

        tasks.start_soon(let_when_held)
        async with connect(gateway.url.replace("http", "ws"), max_size=None, open_timeout=60) as socket:
            for message in ("text", b"\0bytes", "x" * 200_000):
                await socket.send(message)
                assert await socket.recv() == message
            await anyio.sleep(1.5)  # the claim is that the limit of a whole request is none for a tunnel
            await (await socket.ping())


@pytest.mark.anyio
async def test_a_websocket_that_the_app_refuses_is_refused(wakegate: Start) -> None:
    """H2: an app that does not upgrade answers as it likes, and the connection stays HTTP."""
    gateway = await anyio.to_thread.run_sync(wakegate, WAITING)
    gateway.let("listen")
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    async with httpx.AsyncClient(base_url=gateway.url, timeout=60, verify=False) as client:
        answer = await client.get("/", headers=upgrade | {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="})
        assert answer.status_code == 200
        assert dict(answer.json()["headers"])["Upgrade"] == "websocket"
        assert (await client.get("/bytes?n=5")).text == "xxxxx"

"""The head that the app gets."""

import pytest
from tests.local.request.peer import GET
from tests.local.request.stage import Book, Stage

from wakegate.core.spec import ForwardSpec, ProcessSpec, ServiceSpec
from wakegate.local.visit import CookieVisit

pytestmark = pytest.mark.anyio


async def seen(stage: Stage, data: bytes = GET) -> bytes:
    """Send a request; return its head as the app reads it."""
    client = await stage.client()
    client.send(data)
    return await (await stage.app()).head()


async def test_the_head_passes_with_what_the_gateway_adds(stage: Stage) -> None:
    """Line by line: what stands here is a contract with every app."""
    head = await seen(stage, b"GET /a?b=c HTTP/1.1\r\nHost: shop\r\nX-Wakegate-Session: stolen\r\nA: b\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[-3].startswith(b"X-Request-Id: ")
    assert lines[:-3] + lines[-2:] == [
        b"GET /a?b=c HTTP/1.1",
        b"Host: shop",
        b"A: b",
        b"X-Forwarded-For: 127.0.0.1",
        b"X-Forwarded-Host: shop",
        b"X-Forwarded-Proto: http",
        b'Forwarded: for=127.0.0.1;host="shop";proto=http',
        b"",
        b"",
    ]


async def test_the_clients_own_request_id_passes_once(stage: Stage) -> None:
    """A trace begins where the client says; the gateway has none of its own then."""
    head = await seen(stage, GET.replace(b"\r\n\r\n", b"\r\nX-Request-Id: mine-1\r\n\r\n"))
    assert head.lower().count(b"x-request-id: ") == 1
    assert b"X-Request-Id: mine-1\r\n" in head


@pytest.mark.parametrize(
    ("asked", "passed"), [(b"/shop/a?b", b"/a?b"), (b"/shop", b"/"), (b"/shop/", b"/"), (b"/shop?b", b"/?b")]
)
async def test_a_prefix_is_taken_off_and_told(stage: Stage, asked: bytes, passed: bytes) -> None:
    """An app that knows nothing of its prefix makes its links by X-Forwarded-Prefix."""
    stage.lane.spec = ServiceSpec(
        name="shop", run=ProcessSpec(command=("app",)), path="/shop/", forward=ForwardSpec(strip_path=True)
    )
    head = await seen(stage, GET.replace(b" / ", b" " + asked + b" "))
    assert head.startswith(b"GET " + passed + b" HTTP/1.1\r\n")
    assert b"\r\nX-Forwarded-Prefix: /shop\r\n" in head


async def test_a_session_is_told_with_its_data(stage: Stage) -> None:
    """The app keeps small state with the gateway, through any sleep."""
    book = stage.lane.sessions = Book()
    visit = CookieVisit("s1", set_cookie=None, entry=None)
    book.visits = [visit]
    head = await seen(stage)
    assert b"\r\nX-Wakegate-Session: s1\r\n" in head
    assert b"Wakegate-Session-Data" not in head

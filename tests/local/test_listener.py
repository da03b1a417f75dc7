"""The socket that requests come in by, and what is said where it cannot be had."""

import asyncio
import resource
import socket
from pathlib import Path

import pytest

from wakegate.core.errors import StateError
from wakegate.core.spec import GatewaySpec
from wakegate.local.listener import allow_connections, listen, url_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Use asyncio's own loop: uvloop warns of the socket that it could not bind, long after the test."""
    return "asyncio"


async def test_a_port_that_is_taken_says_what_to_choose() -> None:
    """The commonest mistake of all: it still runs in another terminal."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StateError, match=rf"127\.0\.0\.1:{port} is taken .* --listen 127\.0\.0\.1:{port + 1}"):
            await listen(GatewaySpec(port=port))


@pytest.mark.parametrize(("host", "said"), [("0.0.0.0", ""), ("::1", "[::1]")])
async def test_what_to_choose_is_written_as_it_would_be_given(host: str, said: str) -> None:
    """It is copied: ":8081" for every address, and brackets where a colon would be read in two ways."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as taken:
        taken.bind((host, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StateError) as caught:
            await listen(GatewaySpec(host=host, port=port))
    wanted = f"{said}:{port} is taken by another program; choose another with --listen {said}:{port + 1}"
    assert str(caught.value) == wanted


async def test_nothing_is_served_before_the_services_are_there() -> None:
    """The first request must not meet a gateway that knows no route yet."""
    listener = await listen(GatewaySpec(port=0))
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*listener.sockets[0].getsockname())
    listener.close()


async def test_whoever_accepts_has_sockets_of_its_own() -> None:
    """A successor is given those that stay here: nobody is refused while one of both has them open."""
    listener = await listen(GatewaySpec(port=0))
    (own,) = listener.own_sockets()
    own.listen()
    own.close()
    _, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
    writer.close()
    listener.close()


async def test_an_address_of_another_machine_says_what_to_choose() -> None:
    """The commonest: the public address of a cloud machine, which its own interface does not have."""
    with pytest.raises(StateError, match=r"192\.0\.2\.1 is not an address of this machine; listen on 127\.0\.0\.1 or"):
        await listen(GatewaySpec(host="192.0.2.1", port=0))


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("", "http://127.0.0.1:80"),
        ("::", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("shop.localhost", "http://shop.localhost:80"),
    ],
)
async def test_the_url_is_one_that_can_be_clicked(host: str, url: str) -> None:
    """`http://0.0.0.0:8080` is none everywhere."""
    assert url_of(host, 80) == url


async def test_the_limit_of_open_files_is_raised_and_never_lowered() -> None:
    """10,000 held requests are 10,000 sockets; the usual limit is 1,024."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket():
        allow_connections(1)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= min(before[0], 258)
    allow_connections(10_000_000)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= before[0]


async def test_a_lost_client_is_asked_for_by_the_kernel() -> None:
    """A laptop shut in mid-WebSocket never says that it has gone: nothing would ever end its connection."""
    listener = await listen(GatewaySpec(port=0))
    (listening,) = listener.sockets
    listening.listen()
    with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    listener.close()


async def test_a_unix_socket_leaves_nothing(tmp_path: Path) -> None:
    """Its file would make the next client wait for nobody."""
    path = tmp_path / "gateway.sock"
    listener = await listen(GatewaySpec(unix_path=str(path)))
    assert listener.url(scheme="http") == f"unix:{path}"
    listener.close()
    assert path.exists()  # an heir may have the socket, and needs it
    listener.remove()
    assert not path.exists()

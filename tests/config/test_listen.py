"""Addresses to listen on."""

import re

import pytest

from wakegate.config.listen import Listen
from wakegate.config.show import UnfitError

LISTEN = Listen(default_host="127.0.0.1")


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("localhost:0", ("localhost", 0)),
        (":8080", ("0.0.0.0", 8080)),
        ("8080", ("127.0.0.1", 8080)),
        (8080, ("127.0.0.1", 8080)),
        ("[::1]:8080", ("::1", 8080)),
        ("[::]:80", ("::", 80)),
        ("[fe80::1%eth0]:80", ("fe80::1%eth0", 80)),
        ("Example.COM:443", ("example.com", 443)),
    ],
)
def test_an_address_is_host_and_port(written: object, address: tuple[str, int]) -> None:
    """Port 0 is a free one, a privileged one is fine: who starts it knows."""
    assert LISTEN.read(written) == address


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", 'is no address to listen on; write "127.0.0.1:8080", ":8080" or "[::1]:8080"'),
        ("nope", '"nope" is no address to listen on'),
        ("127.0.0.1", '"127.0.0.1" is no address to listen on'),
        ("127.0.0.1:", "is no address to listen on"),
        ("127.0.0.1:65536", "is no address to listen on"),
        ("127.0.0.1:-1", "is no address to listen on"),
        ("127.0.0.1:\uff18\uff10", "is no address to listen on"),
        ("::1:8080", '"::1:8080" may be read in two ways; write "[::1]:8080"'),
        ("http://127.0.0.1:8080", '"http://127.0.0.1" is no host to listen on; write "127.0.0.1:8080"'),
        ("[nope]:80", '"nope" is no host to listen on'),
        ("*:80", '"*" is no host to listen on; write "127.0.0.1:80", or ":80" for every address'),
        (65_536, '65536 is no address to listen on; write "127.0.0.1:8080"'),
        (-1, "-1 is no address to listen on"),
        (True, "true is no address to listen on"),
        (80.5, "80.5 is no address to listen on"),
    ],
)
def test_what_is_no_address_is_told_what_to_write(written: object, problem: str) -> None:
    """Better here than as an error of the system at the start."""
    with pytest.raises(UnfitError, match=re.escape(problem)):
        LISTEN.read(written)


def test_an_address_is_written_as_it_is_read() -> None:
    """For what a reload tells."""
    assert [LISTEN.write(LISTEN.read(text)) for text in ("[::1]:80", ":80")] == ["[::1]:80", "0.0.0.0:80"]

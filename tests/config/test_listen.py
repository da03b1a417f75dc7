"""Addresses to listen on."""

import re
from pathlib import Path

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
    assert LISTEN.read(written) == (*address, "")


def test_a_unix_socket_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative one starts at the folder of the file, as every path in it does."""
    monkeypatch.setenv("HOME", "/var/www")
    read = [LISTEN.read(f"unix:{path}") for path in ("/run/wakegate.sock", "~/w.sock", "w.sock")]
    assert read == [("", 0, "/run/wakegate.sock"), ("", 0, "/var/www/w.sock"), ("", 0, "w.sock")]
    placed = [LISTEN.placed(one, folder=tmp_path) for one in read]
    assert [path for _, _, path in placed] == ["/run/wakegate.sock", "/var/www/w.sock", str(tmp_path / "w.sock")]
    assert LISTEN.placed(("::", 80, ""), folder=tmp_path) == ("::", 80, "")


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
        ("unix:", '"unix:" is no socket to listen on; write "unix:/run/wakegate.sock"'),
        ("UNIX:/run/w", '"UNIX:/run/w" is no address to listen on; write "unix:/run/w"'),
        ("unix:/run/", '"unix:/run/" is no socket to listen on'),
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
    written = [LISTEN.write(LISTEN.read(text)) for text in ("[::1]:80", ":80", "unix:/run/w")]
    assert written == ["[::1]:80", "0.0.0.0:80", "unix:/run/w"]

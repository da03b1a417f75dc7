"""Hosts: the one form that the routes compare."""

import re

import pytest

from wakegate.config.host import HOSTS, host_name
from wakegate.config.show import UnfitError


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("shop.localhost", "shop.localhost"),
        ("Shop.Example.COM", "shop.example.com"),
        ("shop.example.com.", "shop.example.com"),
        ("*.example.com", "*.example.com"),
        ("käse.example.com", "xn--kse-qla.example.com"),
        ("KÄSE.example.com", "xn--kse-qla.example.com"),
        ("faß.de", "xn--fa-hia.de"),
        ("日本語.jp", "xn--wgv71a119e.jp"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "[::1]"),
        ("[2001:DB8::1]", "[2001:db8::1]"),
        ("my_app", "my_app"),
    ],
)
def test_a_host_is_taken_in_the_form_of_a_request(written: str, compared: str) -> None:
    """A browser sends lower case and punycode; comparing anything else never matches."""
    assert host_name(written) == compared


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("shop.localhost:8080", 'has a port; write "shop.localhost" (the port is that of gateway.listen)'),
        ("https://shop.example.com/a", 'is more than a host; write "shop.example.com" (a path goes to path = "/…")'),
        ("shop.example.com/a", 'is more than a host; write "shop.example.com"'),
        ("*", '"*" is any host; leave hosts out for that'),
        ("*example.com", 'is no host; write "shop.example.com", or "*.example.com" for all names below it'),
        ("a.*.com", "is no host; write"),
        ("*.", "any host"),
        ("", "is no host; write"),
        ("a..b", "is no host; write"),
        ("-a.com", "is no host; write"),
        ("a b.com", "is no host; write"),
        ("a" * 64 + ".com", "is no host; write"),
        ("a." * 127 + "com", "is no host; write"),
        ("a\u200d\u2488b.com", "is no host; write"),
        ("a\u0627.com", "has letters that no host may have"),
        ("ä" * 64 + ".com", "has letters that no host may have"),
    ],
)
def test_what_is_no_host_is_told_what_to_write(written: str, problem: str) -> None:
    """Ports, schemes and paths are the usual slips."""
    with pytest.raises(UnfitError, match=re.escape(problem)):
        host_name(written)


def test_a_host_that_is_written_twice_is_one() -> None:
    """Two spellings of one host are no conflict."""
    assert HOSTS.read(["Shop.localhost", "shop.localhost."]) == ("shop.localhost",)

"""Whose word is believed."""

import pytest

from wakegate.local.http.peer import is_proxy

TRUSTED = ("127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.255.0.1", "2001:db8::7", "2001:db8::7%eth0", "::ffff:10.0.0.1"])
def test_an_address_within_a_trusted_network_is_a_proxy(address: str) -> None:
    """A socket for both families writes IPv4 addresses as IPv6; they are the same machine."""
    assert is_proxy(address, TRUSTED)


@pytest.mark.parametrize("address", ["127.0.0.2", "11.0.0.1", "2001:db9::1", "::1", "unix", "", "10.0.0.1.evil", "10"])
def test_everything_else_is_a_stranger(address: str) -> None:
    """What is no address is nobody's."""
    assert not is_proxy(address, TRUSTED)


def test_whoever_is_at_the_unix_socket_is_trusted_by_its_own_word_only() -> None:
    """It has no address: neither 127.0.0.1 nor a network means it."""
    assert is_proxy("unix", (*TRUSTED, "unix"))
    assert not is_proxy("127.0.0.2", (*TRUSTED, "unix"))

"""The proxies that are trusted, as people write them."""

import pytest

from wakegate.config.proxies import PROXIES
from wakegate.config.show import UnfitError


def test_an_address_is_a_network_of_one() -> None:
    """So that there is one way to compare."""
    assert PROXIES.read(["127.0.0.1", "10.0.0.0/8", "::1", "unix"]) == (
        "127.0.0.1/32", "10.0.0.0/8", "::1/128", "unix"
    )  # fmt: skip


@pytest.mark.parametrize("text", ["10.0.0.0/33", "proxy.example", "", "10.0.0", "*", "unix:"])
def test_what_is_no_network_is_refused(text: str) -> None:
    """A name would have to be looked up at every connection."""
    with pytest.raises(UnfitError, match=r'no address or network; write "127\.0\.0\.1" or "10\.0\.0\.0/8"'):
        PROXIES.read([text])


def test_a_network_with_an_address_in_it_says_which_was_meant() -> None:
    """It is the commonest slip, and might mean the address alone."""
    with pytest.raises(UnfitError, match=r'"10\.1\.2\.3/8" is no address or network; write "10\.0\.0\.0/8"'):
        PROXIES.read(["10.1.2.3/8"])

"""What is believed of forwarding headers: the right end, as far as trusted proxies wrote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakegate.local.http.forwarded import HOPS_MAX, Forwarded, read_forwarded
from wakegate.local.http.head import HOST

TRUSTED = ("10.0.0.0/8",)


def read(**headers: str) -> Forwarded:
    """Read these headers; "_" in a name is "-"."""
    values = {name.replace("_", "-").encode(): [value.encode("latin-1")] for name, value in headers.items()}
    return read_forwarded(values, trusted=TRUSTED, host_form=HOST)


@pytest.mark.parametrize(
    ("sent", "hops"),
    [
        ("203.0.113.9", ("203.0.113.9",)),
        ("6.6.6.6, 203.0.113.9", ("203.0.113.9",)),
        ("6.6.6.6, 203.0.113.9, 10.1.1.1 ,10.2.2.2", ("203.0.113.9", "10.1.1.1", "10.2.2.2")),
        ("10.1.1.1, 10.2.2.2", ("10.1.1.1", "10.2.2.2")),
        ("203.0.113.9:4711, 10.1.1.1:80", ("203.0.113.9", "10.1.1.1")),
        ("[2001:db8::7]:4711", ("2001:db8::7",)),
        ("2001:db8::7", ("2001:db8::7",)),
        ("::ffff:203.0.113.9", ("203.0.113.9",)),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_no_trusted_proxy(sent: str, hops: tuple[str, ...]) -> None:
    """What stands left of it the client may have written itself."""
    assert read(x_forwarded_for=sent).hops == hops


@pytest.mark.parametrize(
    ("sent", "hops"),
    [
        ("203.0.113.9, unknown", ()),
        ("203.0.113.9, unknown, 10.1.1.1", ("10.1.1.1",)),
        ("203.0.113.9, , 10.1.1.1", ("10.1.1.1",)),
        ("203.0.113.9, 10.1.1.1;x", ()),
        ("203.0.113.9,", ()),
        ("", ()),
        ("\xff", ()),
        ("203.0.113.9\r\nX: y", ()),
    ],
)
def test_nothing_left_of_a_malformed_hop_is_believed(sent: str, hops: tuple[str, ...]) -> None:
    """Who wrote what stands left of it cannot be known."""
    assert read(x_forwarded_for=sent).hops == hops


def test_a_chain_longer_than_any_is_read_from_its_right_end() -> None:
    """A head of 32 KB holds thousands of hops: an app need not be sent them all."""
    hops = read(x_forwarded_for=", ".join(["10.0.0.1"] * 1000)).hops
    assert len(hops) == HOPS_MAX


@pytest.mark.parametrize(
    ("sent", "scheme"),
    [
        ("https", b"https"), ("HTTPS", b"https"), ("wss", b"https"), ("ws", b"http"), ("http, https", b"https"),
        ("https, http", b"http"), ("gopher", b""), ("", b""), ('https"', b""),
    ],
)  # fmt: skip
def test_the_scheme_is_what_the_nearest_proxy_says(sent: str, scheme: bytes) -> None:
    """Others may have been written by the client; what is no scheme of ours is not passed on."""
    assert read(x_forwarded_for="203.0.113.9", x_forwarded_proto=sent).scheme == scheme


@pytest.mark.parametrize("sent", ["a b", "shop/", "shop:port", "user@shop", 'shop"'])
def test_a_host_that_is_none_is_not_believed(sent: str) -> None:
    """It would stand in the app's links."""
    assert read(x_forwarded_host=sent).host == b""


def test_forwarded_says_the_same_in_one_header() -> None:
    """RFC 7239: names in any case, values quoted where they must be."""
    told = read(forwarded='for=6.6.6.6, For="[2001:db8::7]:4711" , for=10.1.1.1;PROTO=https;host="shop.example:8443"')
    assert told == Forwarded(hops=("2001:db8::7", "10.1.1.1"), scheme=b"https", host=b"shop.example:8443")


@pytest.mark.parametrize(
    "sent", ['for="x', "for=203.0.113.9; proto", 'for="a";by="', "=", "for=a=b", "for=203.0.113.9 x"]
)
def test_a_malformed_forwarded_is_not_believed_at_all(sent: str) -> None:
    """Nobody knows where its next element begins: a quote that does not end would swallow what a proxy appended."""
    assert read(forwarded=sent) == Forwarded()


def test_forwarded_does_not_count_beside_x_forwarded_for() -> None:
    """The commonest proxies set the one and let the other, which the client wrote, through."""
    told = read(x_forwarded_for="203.0.113.9", forwarded="for=6.6.6.6;proto=https;host=bank")
    assert told == Forwarded(hops=("203.0.113.9",))


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_whatever_is_sent_only_addresses_come_out(chain: str, forwarded: str) -> None:
    """They are written into the head that the app reads: one line end in them would be a header of the client's."""
    for told in (read(x_forwarded_for=chain, x_forwarded_host=chain), read(forwarded=forwarded)):
        assert not {character for hop in told.hops for character in hop} - set("0123456789abcdef.:")
        assert told.host == b"" or HOST.fullmatch(told.host)

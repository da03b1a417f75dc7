"""Sessions: an id nobody else can issue, the replica that it sticks to, and responses that must carry no cookie."""

from collections import Counter
from secrets import token_urlsafe

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakegate.core.session import rendezvous, shareable, sign, verify

SECRET = b"k" * 32
IDS = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=40)
SERVICES = st.text(min_size=1, max_size=20).filter(lambda name: "\0" not in name and name.isprintable())
SECRETS = st.binary(min_size=32, max_size=32)
KEYS = st.lists(st.text(alphabet="0123456789.:", min_size=1, max_size=21), min_size=1, max_size=12, unique=True)


@given(IDS, SERVICES, SECRETS)
def test_what_we_signed_is_ours(session_id: str, service: str, secret: bytes) -> None:
    """A visitor comes back as the same one."""
    cookie = sign(session_id, service=service, secret=secret)
    assert verify(cookie, service=service, secret=secret) == session_id


def test_a_cookie_is_an_id_and_128_bits_that_fit_a_cookie() -> None:
    """URL-safe without padding: nobody has to quote it. Fixed (openssl dgst agrees): an upgrade logs nobody out."""
    assert sign("visitor", service="web", secret=SECRET) == "visitor.mwklsLR-p9fRczIPXRJbmg"


@given(st.text())
def test_whatever_a_client_sends_is_refused_and_never_fails(cookie: str) -> None:
    """Total: a cookie is input from anybody."""
    assert verify(cookie, service="web", secret=SECRET) is None


@pytest.mark.parametrize("cookie", ["", ".", "a", "a.", ".a", "a.b.c", "é.é", "a.\udcff", "\0.\0", "a" * 100_000])
def test_a_malformed_cookie_is_nobodys(cookie: str) -> None:
    """Each of them broke somebody's parser."""
    assert verify(cookie, service="web", secret=SECRET) is None


@given(IDS, st.data())
def test_a_cookie_with_one_character_changed_is_refused(session_id: str, data: st.DataObject) -> None:
    """Also the last one, whose lower bits base64 ignores: the text is compared, not what it decodes to."""
    cookie = sign(session_id, service="web", secret=SECRET)
    index = data.draw(st.integers(0, len(cookie) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda character: character != cookie[index]))
    assert verify(cookie[:index] + other + cookie[index + 1 :], service="web", secret=SECRET) is None


@given(IDS, SERVICES, SERVICES, SECRETS, SECRETS)
def test_a_cookie_of_another_service_or_secret_is_refused(
    session_id: str, service: str, other: str, secret: bytes, stolen: bytes
) -> None:
    """One app of a gateway must not be able to act as a visitor of another."""
    cookie = sign(session_id, service=service, secret=secret)
    assert (verify(cookie, service=other, secret=secret) is not None) == (other == service)
    assert (verify(cookie, service=service, secret=stolen) is not None) == (stolen == secret)


def test_service_and_id_cannot_be_cut_elsewhere() -> None:
    """ "web" + "1x" and "web1" + "x" are the same letters, and must be different cookies."""
    _, _, mac = sign("x", service="web1", secret=SECRET).partition(".")
    assert verify(f"1x.{mac}", service="web", secret=SECRET) is None
    with pytest.raises(AssertionError, match="NUL"):
        sign("x", service="web\0", secret=SECRET)


@pytest.mark.parametrize("session_id", ["", "a.b", "é"])
def test_an_id_that_could_not_be_read_back_is_not_signed(session_id: str) -> None:
    """A bug of the caller, found where it is made."""
    with pytest.raises(AssertionError):
        sign(session_id, service="web", secret=SECRET)


@given(IDS, KEYS)
def test_a_session_sticks_to_its_replica_in_whatever_order_they_are_listed(session_id: str, keys: list[str]) -> None:
    """Every worker comes to the same answer without asking another."""
    assert rendezvous(session_id, keys) == rendezvous(session_id, sorted(keys))
    assert rendezvous(session_id, keys) in keys


@given(IDS, KEYS, st.data())
def test_when_a_replica_goes_only_its_sessions_move(session_id: str, keys: list[str], data: st.DataObject) -> None:
    """Scale-in must not throw everybody's warm caches away; nor must scale-out, which is the same backwards."""
    before = rendezvous(session_id, keys)
    gone = data.draw(st.sampled_from(keys))
    left = [key for key in keys if key != gone]
    if left and gone != before:
        assert rendezvous(session_id, left) == before


@pytest.mark.parametrize("count", [2, 3, 7])
def test_sessions_are_spread_evenly(count: int) -> None:
    """With 9,000 sessions each replica has its share within a tenth or so: seven standard deviations."""
    keys = [f"127.0.0.1:{40_000 + number}" for number in range(count)]
    shares = Counter(rendezvous(token_urlsafe(16), keys) for _ in range(9000))
    share = 9000 / count
    assert all(abs(shares[key] - share) < 7 * share**0.5 for key in keys)


def test_a_session_without_a_replica_is_a_bug() -> None:
    """Requests are held while there is none."""
    with pytest.raises(AssertionError):
        rendezvous("visitor", [])


@pytest.mark.parametrize(
    ("cache_control", "expected"),
    [
        ("", False),
        ("public", True),
        ("PUBLIC, Max-Age=0", True),
        ("max-age=60", True),
        ("max-age=0", False),
        ("max-age=000", False),
        ('max-age="60"', True),
        ("max-age=0, must-revalidate", False),
        ("max-age", False),
        ("s-maxage=60", True),
        ("s-maxage=60, max-age=0", True),
        ("no-cache", False),
        ("public, no-cache", True),  # kept, and asked for again: the kept cookie would come with the 304
        ("private", False),
        ("private, max-age=3600", False),
        ("public, private", False),
        ('private="x-account", max-age=3600', True),  # only that field is private
        ("public, max-age=31536000, no-store", False),
        ("must-revalidate", False),
        (" , ,= ,max-age==", True),  # not understood: rather no cookie than one that is shared
    ],
)
def test_a_response_that_shared_caches_may_keep_carries_no_cookie(cache_control: str, expected: bool) -> None:
    """Whoever comes next through that cache would be the first one's session."""
    assert shareable(cache_control) is expected


@given(st.text())
def test_every_cache_control_has_an_answer(cache_control: str) -> None:
    """It is what some app wrote."""
    assert shareable(cache_control) in (True, False)

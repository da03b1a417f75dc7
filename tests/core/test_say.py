"""How times, sizes and counts are said."""

from math import inf, nan

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wakegate.core.say import say_address, say_bytes, say_count, say_duration, say_place


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"), (0.00004, "0 s"), (0.0003, "0.3 ms"), (0.003, "3 ms"), (0.00994, "9.9 ms"), (0.01, "0.01 s"),
        (0.84, "0.84 s"), (0.9, "0.9 s"), (5, "5 s"), (9.994, "9.99 s"), (9.996, "10 s"), (12, "12 s"),
        (59.4, "59 s"), (59.6, "1m"), (300, "5m"), (308, "5m 08s"), (3599.7, "1h"), (7800, "2h 10m"), (7500, "2h 5m"),
        (10.4, "10 s"), (86_400, "1d"),
        (3 * 86_400 + 4 * 3600, "3d 4h"), (-1, "0 s"), (nan, "0 s"), (inf, "∞"), (-inf, "0 s"),
    ],
)  # fmt: skip
def test_a_duration_is_said_as_people_say_it(seconds: float, said: str) -> None:
    """The same words stand in the terminal, the log, the dashboard and the waiting page."""
    assert say_duration(seconds) == said


@given(st.floats())
@example(9.995)
@example(59.5)
@example(3599.5)
@example(86_399.5)
def test_every_number_has_a_duration(seconds: float) -> None:
    """A sentence about a time must never be what fails."""
    assert say_duration(seconds)


@given(st.floats(min_value=0, max_value=400 * 86_400))
def test_what_is_said_is_near_what_was_meant(seconds: float) -> None:
    """Two figures are enough, but they must be the right ones; also where one unit gives way to the next."""
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
    finest = {"ms": 0.0001, "s": 0.01 if seconds < 9.995 else 1, "m": 1, "h": 60, "d": 3600}
    said = say_duration(seconds).replace(" s", "s").replace(" ms", "ms")
    parts = [(float(part.rstrip("msdh")), part.lstrip("0123456789.")) for part in said.split()]
    meant = sum(number * units[unit] for number, unit in parts)
    assert abs(meant - seconds) <= finest[parts[0][1]]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1499, "1.5 kB"), (9949, "9.9 kB"), (9950, "10 kB"),
        (999_499, "999 kB"), (999_500, "1.0 MB"), (84_000_000, "84 MB"), (2 * 10**12, "2.0 TB"), (10**16, "10000 TB"),
    ],
)  # fmt: skip
def test_a_size_is_said_in_the_unit_that_fits(count: int, said: str) -> None:
    """Powers of 1,000, as disks and downloads are sold."""
    assert say_bytes(count) == said


@pytest.mark.parametrize(("count", "said"), [(0, "0 requests"), (1, "1 request"), (10_000, "10,000 requests")])
def test_a_count_agrees_with_its_noun(count: int, said: str) -> None:
    """ "1 requests" is how programs talk."""
    assert say_count(count, "request") == said


@pytest.mark.parametrize(
    ("url", "host", "path", "said"),
    [
        ("http://127.0.0.1:8080", "", "/api", "http://127.0.0.1:8080/api"),
        ("https://[::1]:8443", "shop.localhost", "/", "https://shop.localhost:8443/"),
        ("unix:/run/w.sock", "", "/", "unix:/run/w.sock"),
        ("unix:/run/w.sock", "", "/api", "unix:/run/w.sock · http://localhost/api"),
        ("unix:/run/w.sock", "shop.localhost", "/", "unix:/run/w.sock · http://shop.localhost/"),
    ],
)
def test_a_place_is_one_that_a_client_can_be_given(url: str, host: str, path: str, said: str) -> None:
    """Over TCP it can be clicked; for a Unix socket there is no such form, so both halves are said."""
    assert say_place(url, host=host, path=path) == said


def test_an_address_can_be_read_in_one_way_only() -> None:
    """Colons of IPv6 are not the one in front of the port; without a host it is every address."""
    said = [say_address(host, 80) for host in ("127.0.0.1", "localhost", "::1", "")]
    assert said == ["127.0.0.1:80", "localhost:80", "[::1]:80", ":80"]

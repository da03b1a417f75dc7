"""Behind a proxy: what the app and the browser get of what it says."""

from tests.scenarios.conftest import PLAIN, Start

SAID = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example"}


def test_the_app_learns_of_the_client_behind_a_trusted_proxy(wakegate: Start) -> None:
    """Its log, its rate limits and its links are about the visitor, not about the machine next door."""
    gateway = wakegate(f'[gateway]\ntrusted_proxies = ["127.0.0.1"]\n{PLAIN}')
    answer = gateway.get(headers=SAID)
    seen = dict(answer.json()["headers"])
    assert seen["X-Forwarded-For"] == "203.0.113.9, 127.0.0.1"
    assert (seen["X-Forwarded-Proto"], seen["X-Forwarded-Host"]) == ("https", "shop.example")
    assert "; Secure" in answer.headers["Set-Cookie"]


def test_nobody_else_can_claim_to_be_a_proxy_until_a_reload_says_so(wakegate: Start) -> None:
    """The same words from a stranger are a lie about who it is; trust is given without a restart."""
    gateway = wakegate(PLAIN)
    answer = gateway.get(headers=SAID)
    seen = dict(answer.json()["headers"])
    assert (seen["X-Forwarded-For"], seen["X-Forwarded-Proto"]) == ("127.0.0.1", "http")
    assert "Secure" not in answer.headers["Set-Cookie"]
    gateway.reload(f'[gateway]\ntrusted_proxies = ["127.0.0.0/8"]\n{PLAIN}')

    assert dict(gateway.get(headers=SAID).json()["headers"])["X-Forwarded-For"] == "203.0.113.9, 127.0.0.1"

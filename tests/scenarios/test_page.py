"""What browsers see while they wait, and what everybody else sees (acceptance list D1, D2, D4-D6)."""

import pytest
from tests.scenarios.conftest import PLAIN, SHORT_SLEEP, WAITING, Start, with_env
from tests.scenarios.gateway import eventually

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}
PAGE = '[service.web.hold]\non_cold = "page"\n'


def test_a_browser_gets_the_page_and_then_the_app(wakegate: Start) -> None:
    """D1, D4, D5: never a 200, never kept by a cache, loads itself again; one wake for all of it."""
    gateway = wakegate(WAITING + PAGE)
    page = gateway.client.get("/", headers=BROWSER)
    assert page.status_code == 503
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "no-store" in page.headers["cache-control"]
    assert int(page.headers["retry-after"]) >= 1
    assert int(page.headers["refresh"]) >= 1
    assert int(page.headers["content-length"]) == len(page.content)
    assert "set-cookie" not in page.headers
    assert "web" in page.text
    assert gateway.client.get("/.wakegate/status").json()["state"] == "waking"
    gateway.let("listen")
    eventually(lambda: gateway.client.get("/.wakegate/status").json()["state"] == "ready", what="it is ready")
    app = gateway.client.get("/", headers=BROWSER)
    assert app.status_code == 200
    assert "refresh" not in app.headers
    assert gateway.starts() == 1


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"Accept": "*/*"}),
        ("GET", {"Accept": "application/json"}),
        ("GET", {"Accept": "text/html", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}),
        ("GET", {"Accept": "image/avif,image/webp,*/*", "Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"}),
        ("POST", {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}),
    ],
    ids=["curl", "JSON", "fetch", "image", "form"],
)
def test_all_but_a_navigation_is_held(wakegate: Start, method: str, headers: dict[str, str]) -> None:
    """D2: a page instead of data, or instead of the answer to a form, would be taken for the app's."""
    gateway = wakegate(with_env(START_DELAY_S="0.5") + PAGE)
    answer = gateway.client.request(method, "/", headers=headers)
    assert answer.status_code == 200
    assert answer.json()["method"] == method


def test_a_browser_is_held_where_the_page_is_not_wanted(wakegate: Start) -> None:
    """D2: `on_cold = "hold"`."""
    gateway = wakegate(with_env(START_DELAY_S="0.5") + '[service.web.hold]\non_cold = "hold"\npage_after = "100ms"\n')
    assert gateway.client.get("/", headers=BROWSER).status_code == 200


def test_a_quick_wake_shows_no_page(wakegate: Start) -> None:
    """D1: a browser waits `page_after` before it is shown anything."""
    gateway = wakegate(with_env(START_DELAY_S="0.2") + '[service.web.hold]\npage_after = "60s"\n')
    assert gateway.client.get("/", headers=BROWSER).status_code == 200


def test_asking_for_the_status_neither_wakes_nor_keeps_awake(wakegate: Start) -> None:
    """A tab left open on the waiting page must not hold a service awake for ever."""
    gateway = wakegate(PLAIN + SHORT_SLEEP)
    assert gateway.client.get("/.wakegate/status").json()["state"] == "asleep"
    assert gateway.starts() == 0
    gateway.get()

    def sleeps() -> bool:
        return str(gateway.client.get("/.wakegate/status").json()["state"]) == "asleep"

    eventually(sleeps, what="it sleeps although it is asked all the time")
    assert gateway.starts() == 1


def test_the_page_of_a_failed_wake_says_so_and_offers_a_retry(wakegate: Start) -> None:
    """D6: the public reason, when it is tried again, and no word of the app's own log."""
    gateway = wakegate(with_env(EXIT_BEFORE_LISTEN="4") + '[service.web.wake]\nbackoff_min = "60s"\n')
    gateway.get()
    page = gateway.client.get("/", headers=BROWSER)
    assert page.status_code == 503
    assert "no-store" in page.headers["cache-control"]
    assert 1 <= int(page.headers["retry-after"]) <= 60
    assert "status 4" in page.text
    assert "a setting is missing" not in page.text
    assert "Try now" in page.text
    status = gateway.client.get("/.wakegate/status").json()
    assert (status["state"], "status 4" in status["reason"]) == ("failed", True)


def test_try_now_is_heard_before_the_backoff_has_passed(wakegate: Start) -> None:
    """D6: a person who has mended the app does not wait for a timer; another site cannot press the button."""
    gateway = wakegate(with_env(EXIT_BEFORE_LISTEN="1") + '[service.web.wake]\nbackoff_min = "5m"\n')
    gateway.get()
    assert gateway.client.post("/.wakegate/retry", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    gateway.let("mended")

    def press() -> bool:
        gateway.client.post("/.wakegate/retry", headers={"Sec-Fetch-Site": "same-origin"})
        return gateway.get().status_code == 200

    eventually(press, what="it is awake")
    assert gateway.starts() == 2

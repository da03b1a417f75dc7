"""What does not wake a service (acceptance list D3, D7-D9)."""

import threading

import pytest
from tests.scenarios.conftest import PLAIN, SHORT_SLEEP, Start, with_env

MONITOR = {"User-Agent": "Mozilla/5.0+(compatible; UptimeRobot/2.0)"}
ICON = {
    "Accept": "image/avif,image/webp,image/svg+xml,*/*;q=0.8",
    "Sec-Fetch-Dest": "image",
    "Sec-Fetch-Mode": "no-cors",
}


@pytest.mark.parametrize("status", [204, 503])
def test_a_request_that_may_not_wake_is_answered_and_wakes_nothing(wakegate: Start, status: int) -> None:
    """D7, D8, D9: monitors, listed paths and methods at zero; forwarded while awake."""
    gateway = wakegate(
        PLAIN + '[service.web.ignore]\nagents = ["monitors"]\npaths = ["/healthz", "/static/*"]\n'
        f'methods = ["OPTIONS"]\nstatus = {status}\n'
    )
    assert gateway.get(headers=MONITOR).status_code == status
    assert gateway.get("/healthz?deep=1").status_code == status
    assert gateway.get("/static/logo.svg").status_code == status
    assert gateway.client.options("/").status_code == status
    assert gateway.starts() == 0
    assert gateway.get().status_code == 200
    assert gateway.get("/healthz").status_code == 200
    assert gateway.get(headers=MONITOR).status_code == 200


def test_an_ignored_request_does_not_keep_a_service_awake(wakegate: Start) -> None:
    """D9: a monitor each second must not hold off the sleep."""
    gateway = wakegate(PLAIN + '[service.web.ignore]\npaths = ["/healthz"]\n' + SHORT_SLEEP)
    gateway.get()
    done = threading.Event()

    def monitor() -> None:
        while not done.wait(0.1):
            gateway.get("/healthz")

    thread = threading.Thread(target=monitor)
    thread.start()
    try:
        gateway.wait_for("asleep")
    finally:
        done.set()
        thread.join()
    assert gateway.starts() == 1


def test_only_listed_paths_and_methods_wake(wakegate: Start) -> None:
    """GoDoxy's StartEndpoint: `on_paths` and `on_methods` restrict what may wake."""
    gateway = wakegate(PLAIN + '[service.web.wake]\non_paths = ["/app"]\non_methods = ["GET"]\n')
    assert gateway.get("/other").status_code == 503
    assert gateway.client.post("/app").status_code == 503
    assert gateway.starts() == 0
    assert gateway.get("/app/x").status_code == 200


def test_a_health_check_of_a_service_that_cannot_start_is_503(wakegate: Start) -> None:
    """D9 (kamal #228): 204 stands for a service that sleeps well; after a failed wake it would hide an outage."""
    gateway = wakegate(
        with_env(EXIT_BEFORE_LISTEN="1")
        + '[service.web.wake]\nbackoff_min = "5m"\n[service.web.ignore]\npaths = ["/healthz"]\nstatus = 204\n'
    )
    assert gateway.get("/healthz").status_code == 204
    assert gateway.get().status_code == 503
    assert gateway.get("/healthz").status_code == 503


@pytest.mark.parametrize("path", ["/favicon.ico", "/apple-touch-icon.png"])
def test_a_browser_that_asks_for_an_icon_wakes_nothing(wakegate: Start, path: str) -> None:
    """D3 (GoDoxy): bookmarks, tabs and history ask for icons on their own, long after somebody has left."""
    gateway = wakegate(PLAIN)
    assert gateway.get(path, headers=ICON).status_code in (404, 503)
    assert gateway.starts() == 0
    assert gateway.get().status_code == 200
    assert gateway.get(path, headers=ICON).status_code == 200

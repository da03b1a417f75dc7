"""What is told of a wake afterwards (acceptance list C7, I7)."""

import sqlite3
from contextlib import closing

from tests.scenarios.conftest import PLAIN, WAITING, Start, with_env
from tests.scenarios.gateway import Wakegate, eventually


def ledger(gateway: Wakegate) -> list[dict[str, int]]:
    """Return how the requests of each wake ended, as it is stored."""
    with closing(sqlite3.connect(gateway.folder / ".wakegate" / "state.sqlite")) as store:
        store.row_factory = sqlite3.Row
        return [dict(row) for row in store.execute("SELECT held, served, refused, gone FROM wake ORDER BY at")]


def test_every_held_request_has_an_ending_in_the_ledger(wakegate: Start) -> None:
    """C7 (kamal's 499): served, refused, or gone because the client hung up; nobody is lost."""
    gateway = wakegate(WAITING + "[service.web.hold]\ndepth_max = 6\n")
    with gateway.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        gateway.until(held=1)
        others = gateway.together(5)
        gateway.until(held=6)
        assert gateway.get().status_code == 503
    gateway.until(held=5)
    gateway.let("listen")
    assert [other.result().status_code for other in others] == [200] * 5
    wanted = {"held": 7, "served": 5, "refused": 1, "gone": 1}
    eventually(lambda: ledger(gateway) == [wanted], what=f"the ledger says {wanted}")
    assert "7 requests held, 5 served, 1 told when to come back, 0 lost" in gateway.cli("explain", "web").stdout


def test_the_ledger_of_a_wake_that_failed_says_who_was_refused(wakegate: Start) -> None:
    """C7: also for those who were answered with the reason."""
    gateway = wakegate(WAITING)
    held = gateway.together(4)
    gateway.until(held=4)
    gateway.cli("sleep", "web", "--force")
    assert [one.result().status_code for one in held] == [503] * 4
    eventually(lambda: ledger(gateway) == [{"held": 4, "served": 0, "refused": 4, "gone": 0}], what="four refused")


def test_a_monitor_that_wakes_a_service_is_named(wakegate: Start) -> None:
    """I7: "why is it awake at night" has an answer, and the answer has a cure."""
    gateway = wakegate(PLAIN)
    gateway.get("/health", headers={"User-Agent": "Mozilla/5.0+(compatible; UptimeRobot/2.0)"})
    said = gateway.cli("explain", "web").stdout
    assert "GET /health" in said
    assert "UptimeRobot/2.0" in said
    assert 'agents = ["monitors"]' in said


def test_a_cold_start_is_told_in_server_timing(wakegate: Start) -> None:
    """Browsers' tools show it; a warm answer has none."""
    gateway = wakegate(with_env(START_DELAY_S="0.2"))
    timing = gateway.get().headers["server-timing"]
    assert float(timing.split("dur=")[1].split(",")[0]) >= 200
    assert "server-timing" not in gateway.get().headers

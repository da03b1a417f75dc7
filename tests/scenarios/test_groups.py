"""Services that need one another, and hours in which one is awake unasked: the real gateway with real processes."""

from concurrent.futures import ThreadPoolExecutor

from tests.scenarios.conftest import Start
from tests.scenarios.gateway import alive, eventually

GROUP = """
[service.web]
command = {app}
hosts = ["web.localhost"]
wakes = ["db"]
[service.web.sleep]
idle_timeout = "600ms"
grace = "100ms"
[service.db]
command = {app}
env = { LISTEN_ON = "listen" }
[service.db.sleep]
idle_timeout = "100ms"
grace = "100ms"
"""
ALWAYS = """
[service.web]
command = {app}
awake = "00:00-24:00"
"""


def test_a_request_wakes_what_its_service_needs_first(wakegate: Start) -> None:
    """And all of it sleeps again when nobody comes."""
    gateway = wakegate(GROUP)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(gateway.get_by_host, "web.localhost")
        gateway.wait_for("starting", service="db")
        assert [notice["service"] for notice in gateway.told("starting")] == ["db"]
        gateway.let("listen")
        assert answer.result().status_code == 200
    gateway.wait_for("asleep", service="web")
    gateway.wait_for("asleep", service="db")
    assert gateway.starts() == 2
    eventually(lambda: not any(map(alive, gateway.started_pids())), what="both have ended")


def test_what_is_used_is_not_put_to_sleep_but_by_force(wakegate: Start) -> None:
    """The users are named, as it is they that would break."""
    gateway = wakegate(GROUP.replace('"600ms"', '"1h"'))
    gateway.let("listen")
    assert gateway.get_by_host("web.localhost").status_code == 200
    refused = gateway.cli("sleep", "db", check=False)
    assert (refused.returncode, "used by web" in refused.stderr) == (1, True)
    gateway.cli("sleep", "db", "--force")
    assert gateway.status("db")["phase"] == "asleep"
    assert gateway.get_by_host("db.localhost").status_code == 404, "what only others use has no place of its own"


def test_users_stop_before_what_they_need(wakegate: Start) -> None:
    """Whatever an app writes on its way out, it finds its database for."""
    gateway = wakegate(GROUP.replace('"600ms"', '"1h"'))
    gateway.let("listen")
    assert gateway.get_by_host("web.localhost").status_code == 200
    gateway.stop()
    assert [notice["service"] for notice in gateway.told("asleep")] == ["web", "db"]


def test_in_its_hours_a_service_is_awake_unasked(wakegate: Start) -> None:
    """It is woken without a request, and says until when."""
    gateway = wakegate(ALWAYS)
    gateway.wait_for("ready", service="web")
    assert "schedule" in gateway.status()["next"]

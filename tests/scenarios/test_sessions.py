"""Sessions, as visitors and apps see them (invariant 8 of the design)."""

from tests.scenarios.conftest import PLAIN, Start

FORGED = "AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA"


def test_a_session_outlives_sleep_and_keeps_its_data(wakegate: Start) -> None:
    """From any replica, after any sleep."""
    gateway = wakegate(PLAIN)
    gateway.client.get("/data")
    first = gateway.client.get("/data?set=cart%3A7").json()
    gateway.cli("sleep", "web")
    second = gateway.client.get("/data").json()
    assert second["data"] == "cart:7"
    assert second["session"] == first["session"]
    assert second["pid"] != first["pid"]
    assert first["session"] in gateway.cli("sessions", "web").stdout


def test_two_visitors_do_not_see_each_other(wakegate: Start) -> None:
    """Data belongs to one session."""
    gateway = wakegate(PLAIN)
    gateway.client.get("/data?set=mine")
    assert gateway.client.get("/data").json()["data"] == "mine"
    assert gateway.get("/data").json()["data"] is None


def test_an_id_that_was_not_issued_here_is_not_accepted(wakegate: Start) -> None:
    """A forged or copied cookie begins a new session."""
    gateway = wakegate(PLAIN)
    seen = gateway.get("/data", headers={"Cookie": f"uuid={FORGED}"})
    assert seen.json()["session"] not in (None, FORGED.split(".", maxsplit=1)[0])
    assert "uuid=" in seen.headers["set-cookie"]


def test_a_client_cannot_speak_for_a_session(wakegate: Start) -> None:
    """The headers by which the gateway tells the app are the gateway's alone."""
    gateway = wakegate(PLAIN)
    lies = {"X-Wakegate-Session": "somebody", "Wakegate-Session-Data": "admin", "Wakegate-Keep-Awake": "9"}
    seen = gateway.get("/", headers=lies).json()
    told = {name.lower(): value for name, value in seen["headers"]}
    assert told["x-wakegate-session"] != "somebody"
    assert "wakegate-session-data" not in told
    assert "wakegate-keep-awake" not in told


def test_the_cookie_is_set_once_and_not_for_scripts(wakegate: Start) -> None:
    """HttpOnly, SameSite, no second Set-Cookie while the first is young."""
    gateway = wakegate(PLAIN)
    first = gateway.client.get("/").headers["set-cookie"]
    assert "HttpOnly" in first
    assert "SameSite=Lax" in first
    assert "set-cookie" not in gateway.client.get("/").headers

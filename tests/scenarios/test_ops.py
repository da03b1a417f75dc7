"""Running it: many services, reload, a second gateway, and mistakes (acceptance list I, design chapter 8)."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.scenarios.conftest import PLAIN, Start
from tests.scenarios.gateway import APP, PATIENCE_S, alive, eventually
from tests.scenarios.test_scale import load


def up(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `wakegate up`, which is expected to end by itself."""
    command = [sys.executable, "-m", "wakegate", "up", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def named(name: str, *, host: str = "", path: str = "/") -> str:
    """Return a service that is found by its host."""
    return f'[service.{name}]\ncommand = {{app}}\nhosts = ["{host or name}.localhost"]\npath = "{path}"\n'


def test_services_are_found_by_host_and_path(wakegate: Start) -> None:
    """One gateway, many services; an unknown host learns nothing."""
    gateway = wakegate(
        named("shop") + named("api", host="shop", path="/api") + "[service.api.forward]\nstrip_path = true\n"
    )
    shop = gateway.get_by_host("shop.localhost", "/x").json()
    api = gateway.get_by_host("shop.localhost", "/api/x?y").json()
    unknown = gateway.get_by_host("other.localhost")
    assert shop["pid"] != api["pid"]
    assert (shop["path"], api["path"]) == ("/x", "/x?y")
    assert dict(api["headers"])["X-Forwarded-Prefix"] == "/api"
    assert unknown.status_code == 404
    assert "shop" not in unknown.text


def test_a_reload_drops_no_request(wakegate: Start) -> None:
    """I4: SIGHUP under load; what is in flight ends where it began, a changed command is taken up by new replicas."""
    gateway = wakegate(PLAIN)
    first = gateway.get().json()["pid"]
    (long,) = gateway.together(1, "/wait")
    gateway.until(in_flight=1)
    with load(gateway, "/", clients=4) as statuses:
        gateway.reload(PLAIN + 'env = { CHANGED = "1" }\n')
        eventually(lambda: gateway.get().json()["pid"] != first, what="the changed service answers")
        gateway.let("answer")
        assert long.result().json()["pid"] == first
        eventually(lambda: not alive(first), what="the old one is gone")
    assert set(statuses) == {200}


def test_routes_are_added_changed_and_taken_away_live(wakegate: Start) -> None:
    """I4 (KEDA route_update, route_deletion): and an app that nobody can reach any more does not stay behind."""
    gateway = wakegate(named("old") + named("stays"))
    old = gateway.get_by_host("old.localhost").json()["pid"]
    stays = gateway.get_by_host("stays.localhost").json()["pid"]
    gateway.reload(named("stays", host="moved") + named("new"))
    eventually(lambda: gateway.get_by_host("new.localhost").status_code == 200, what="the new one is there")
    assert gateway.get_by_host("moved.localhost").json()["pid"] == stays
    assert gateway.get_by_host("stays.localhost").status_code == 404
    assert gateway.get_by_host("old.localhost").status_code == 404
    eventually(lambda: not alive(old), what="the app of the service that was taken away is gone")
    assert "old" not in gateway.cli("status").stdout


def test_a_service_that_is_taken_away_finishes_what_it_has(wakegate: Start) -> None:
    """I4: what is in flight is answered by the app, although no request finds the way to it any more."""
    gateway = wakegate(named("web") + named("stays"))
    with gateway.connect() as client:
        client.sendall(b"GET /wait HTTP/1.1\r\nHost: web.localhost\r\nConnection: close\r\n\r\n")
        gateway.until(in_flight=1)
        gateway.reload(named("stays"))
        eventually(lambda: gateway.get_by_host("web.localhost").status_code == 404, what="it takes nothing new")
        gateway.let("answer")
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 200 ")
    assert gateway.get_by_host("stays.localhost").status_code == 200


def test_a_broken_file_at_reload_changes_nothing(wakegate: Start) -> None:
    """The old configuration goes on, and every problem is told."""
    gateway = wakegate(PLAIN)
    gateway.configure(PLAIN + '[service.web.sleep]\nidle_timeout = "soon"\n')
    gateway.process.send_signal(signal.SIGHUP)
    told = gateway.wait_for("warning")
    assert "idle_timeout" in json.dumps(told)
    assert gateway.get().status_code == 200


def test_a_second_gateway_on_the_same_state_is_refused(wakegate: Start) -> None:
    """Two writers of one record would undo each other."""
    gateway = wakegate(PLAIN)
    second = up(gateway.folder, "--listen", "127.0.0.1:0", str(gateway.config_file))
    assert second.returncode == 1
    assert str(gateway.process.pid) in second.stderr
    assert "Traceback" not in second.stderr


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    """What happened, with which value, what to do next."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = up(tmp_path, "--listen", f"127.0.0.1:{port}", "--", sys.executable, str(APP), "{port}")
    assert ended.returncode == 1
    assert f"127.0.0.1:{port}" in ended.stderr
    assert "--listen" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    """Design chapter 8: file, line, key, what was found, what is expected; exit 2."""
    (tmp_path / "wakegate.toml").write_text(
        '[service.web]\ncommand = ["true"]\n\n[service.web.sleep]\nidle_timeout = "5 minutes"\n\n'
        "[service.web.scale]\nmaximum = 3\n"
    )
    ended = up(tmp_path)
    assert ended.returncode == 2
    assert 'wakegate.toml:5: service.web.sleep.idle_timeout: "5 minutes"' in ended.stderr
    assert "wakegate.toml:8: service.web.scale.maximum" in ended.stderr
    assert 'did you mean "max"' in ended.stderr
    assert "2 problems; nothing was started" in ended.stderr


def test_logs_are_there_while_it_runs_and_after(wakegate: Start) -> None:
    """`wakegate logs` reads what the app wrote, with or without a gateway."""
    gateway = wakegate(PLAIN)
    gateway.get("/find-me")
    eventually(lambda: "GET /find-me" in gateway.cli("logs", "web").stdout, what="the line is there")
    gateway.stop()
    assert "GET /find-me" in gateway.cli("logs", "web").stdout


def test_status_without_a_gateway_says_how_to_start_one(tmp_path: Path) -> None:
    """The commonest mistake gets the commonest answer."""
    command = [sys.executable, "-m", "wakegate", "status"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 1
    assert "wakegate up" in ended.stderr

"""Nonsense is refused with its reason, wakes nothing, and breaks nothing."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.e2e.deployed import Deployed, run
from tests.e2e.visitors import ask

EVENTS: list[Any] = [{}, [], None, "text", {"version": "1.0", "httpMethod": "GET", "path": "/"}, {"requestContext": 1}]


@pytest.mark.parametrize("event", EVENTS, ids=repr)
def test_an_event_that_is_no_request_is_refused(deployed: Deployed, event: Any) -> None:
    """Somebody presses "Test" in the console, or puts another front before it."""
    functions = deployed.account.client("lambda")
    answer = functions.invoke(FunctionName=deployed.startup, Payload=json.dumps(event))
    assert "FunctionError" not in answer
    said = json.loads(answer["Payload"].read())
    assert (said["statusCode"], json.loads(said["body"])["status"]) == (400, 400)
    assert deployed.calls() == []


@pytest.mark.parametrize("event", EVENTS, ids=repr)
def test_the_cleanup_takes_any_event_for_a_tick(deployed: Deployed, event: Any) -> None:
    """Whoever calls it, it does what is due."""
    answer = deployed.account.client("lambda").invoke(FunctionName=deployed.cleanup, Payload=json.dumps(event))
    assert "FunctionError" not in answer
    assert (deployed.phase, deployed.desired) == ("asleep", 0)


def test_a_forged_session_is_another_one(deployed: Deployed) -> None:
    """An id that was not given out is never taken."""
    for forged in ("x", "x.y", "awZYADLo9xNHNdR098TrTA.AAAAAAAAAAAAAAAAAAAAAA", "a" * 4000):
        response = ask(f"{deployed.url}/", headers={"Cookie": f"uuid={forged}"})
        assert response.status_code == 200
        assert response.headers["set-cookie"].startswith("uuid=")
        assert not response.headers["set-cookie"].startswith(f"uuid={forged}")


def test_strange_paths_reach_the_app_or_are_refused(deployed: Deployed) -> None:
    """None of them becomes another host, another header or a traceback."""
    parts = urlsplit(deployed.url)
    assert ask(f"{deployed.url}/").status_code == 200
    for target in ("//evil.example/x", "/%0d%0aX-Evil:%201", "/..%2f..%2fetc", "/a\\b", "/?q=%ff%00", "/" + "a" * 6000):
        with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=30) as connection:
            request = f"GET /prod{target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            status = connection.makefile("rb").readline().split()[1]
        assert status in (b"200", b"400", b"404", b"414"), target


def test_reserved_paths_wake_nothing(deployed: Deployed) -> None:
    """The waiting page asks there; a monitor may, too."""
    found = ask(f"{deployed.url}/.wakegate/status")
    assert (found.status_code, found.json()["phase"]) == (200, "asleep")
    assert ask(f"{deployed.url}/.wakegate/other").status_code == 404
    assert [call.name for call in deployed.calls() if not call.name.startswith("dynamodb:Get")] == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["deploy", "nosuch:1", "--yes", "--port", "http"], 2, '--port: "http" is no whole number'),
        (["destroy", "--stack", "nosuch", "--yes"], 1, "There is no stack nosuch in eu-central-1"),
        (["verify", "--aws", "nosuch"], 1, "nosuch"),
        (["verify", "http://127.0.0.1:1/prod"], 1, "cannot be reached"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else None,
)
def test_a_command_that_cannot_work_says_why_in_a_sentence(
    deployed: Deployed, words: list[str], code: int, said: str
) -> None:
    """No traceback: whoever reads it did not write this."""
    done = run(deployed.account, *words)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (code, True, False), done.stderr

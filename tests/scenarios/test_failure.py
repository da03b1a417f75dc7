"""When a wake fails, or a replica dies (acceptance list B5-B7)."""

import os
import signal

from tests.scenarios.conftest import PLAIN, Start, with_env
from tests.scenarios.gateway import eventually


def test_an_app_that_exits_while_waking_is_an_error_at_once(wakegate: Start) -> None:
    """B5 (sablier-traefik #24 answered 200): the reason, long before the timeout, never a 200."""
    gateway = wakegate(with_env(EXIT_BEFORE_LISTEN="3") + '[service.web.wake]\ntimeout = "1h"\n')
    answer = gateway.get()
    problem = answer.json()
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1
    assert problem["type"] == "urn:wakegate:problem:wake-failed"
    assert "status 3" in problem["detail"]
    assert "a setting is missing" not in answer.text
    failed = gateway.wait_for("wake-failed")
    assert "cannot go on: a setting is missing" in "\n".join(failed["detail"])


def test_show_errors_puts_the_last_words_of_the_app_into_the_answer(wakegate: Start) -> None:
    """B5: for development, and only where it is asked for."""
    gateway = wakegate("[gateway]\nshow_errors = true\n" + with_env(EXIT_BEFORE_LISTEN="3"))
    assert "a setting is missing" in gateway.get().text


def test_a_command_that_does_not_exist_is_named(wakegate: Start) -> None:
    """B6: the operator is told what to mend, the client gets 503."""
    gateway = wakegate('[service.web]\ncommand = ["no-such-program", "{port}"]\n')
    assert gateway.get().status_code == 503
    assert "no-such-program" in gateway.wait_for("wake-failed")["text"]


def test_a_failed_wake_is_tried_again_after_its_backoff(wakegate: Start) -> None:
    """B7 (GoDoxy RetriesCachedError): not tried at every request, and not cached for ever."""
    gateway = wakegate(with_env(EXIT_BEFORE_LISTEN="1") + '[service.web.wake]\nbackoff_min = "5s"\n')
    assert gateway.get().status_code == 503
    refused = gateway.get()
    assert refused.status_code == 503
    assert 1 <= int(refused.headers["retry-after"]) <= 5
    assert gateway.starts() == 1
    gateway.let("mended")
    eventually(lambda: gateway.get().status_code == 200, what="it is tried again")
    assert gateway.starts() == 2


def test_a_crash_while_awake_is_followed_by_a_new_replica(wakegate: Start) -> None:
    """The next request is served by another process, without an error in between."""
    gateway = wakegate(PLAIN)
    first = gateway.get().json()["pid"]
    os.kill(first, signal.SIGKILL)
    gateway.wait_for("exited")
    assert gateway.get().json()["pid"] != first


def test_a_request_whose_replica_dies_gets_an_error_that_says_so(wakegate: Start) -> None:
    """A POST that reached the app must not be sent twice: 502, and the service is there for the next."""
    gateway = wakegate(PLAIN)
    gateway.get()
    answer = gateway.client.post("/exit?status=7", content=b"x")
    assert answer.status_code == 502
    assert answer.json()["type"] == "urn:wakegate:problem:connection-lost"
    assert gateway.get().status_code == 200
    assert gateway.starts() == 2


def test_a_replica_that_crashes_again_and_again_backs_off(wakegate: Start) -> None:
    """A crash loop must not burn the machine."""
    gateway = wakegate(PLAIN + '[service.web.wake]\nbackoff_min = "60s"\n')
    for _ in range(2):
        os.kill(gateway.get().json()["pid"], signal.SIGKILL)
        gateway.wait_for("exited")
    failed = gateway.wait_for("wake-failed")
    assert "after it was ready" in failed["text"]
    answer = gateway.get()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 1
    assert gateway.starts() == 2

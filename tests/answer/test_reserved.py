"""The paths below /.wakegate/, from a record that counts what is asked of it."""

import json
from typing import Any

import pytest

from wakegate.answer.reserved import is_reserved, reserved, routed_path
from wakegate.core.phase import Phase
from wakegate.core.progress import Progress
from wakegate.local.request.reply import encode

STATUS, RETRY = "/.wakegate/status", "/.wakegate/retry"


class Asked:
    """A lane, as far as the reserved paths may ask one: it has nothing that could touch or wake."""

    def __init__(self, phase: Phase = Phase.WAKING, *, failure: str = "", retry: bool = True) -> None:
        self.phase = phase
        self.failure = failure
        self.may_retry = retry
        self.retries = 0

    def progress(self) -> Progress:
        """See `Lane.progress`."""
        return Progress(
            service="shop", phase=self.phase, elapsed_s=3.14159, usual_s=12.0, retry_after_s=4.2, failure=self.failure
        )

    def retry(self) -> bool:
        """See `Lane.retry`."""
        self.retries += 1
        return self.may_retry


def ask(
    path: str, *, method: str = "GET", lane: Asked | None, same_origin: bool = True
) -> tuple[int, str, dict[str, Any]]:
    """Return status, head and body of the answer."""
    reply = reserved(path, method=method, lane=lane, same_origin=same_origin, request_id="r1")
    head, _, body = encode(reply, keep_alive=True, is_head=False).decode().partition("\r\n\r\n")
    assert f"\r\nContent-Length: {len(body)}\r\n" in head + "\r\n"
    assert "\r\nCache-Control: no-store\r\n" in head
    return int(head.split(" ")[1]), head, json.loads(body)


def test_the_status_says_how_far_the_wake_is() -> None:
    """All that the page needs, and nothing of the app."""
    status, head, body = ask(STATUS, lane=Asked())
    assert status == 200
    assert "\r\nContent-Type: application/json\r\n" in head
    assert body == {
        "service": "shop",
        "phase": "waking",
        "state": "waking",
        "elapsed_s": 3.142,
        "usual_s": 12.0,
        "retry_after_s": 4.2,
        "reason": "",
    }


@pytest.mark.parametrize(
    ("phase", "failure", "state"),
    [
        (Phase.ASLEEP, "", "asleep"),
        (Phase.ASLEEP, "it broke", "failed"),
        (Phase.WAKING, "", "waking"),
        (Phase.WAKING, "it broke the last time", "waking"),
        (Phase.AWAKE, "", "ready"),
        (Phase.AWAKE, "it broke once", "ready"),
        (Phase.DRAINING, "", "ready"),
        (Phase.STOPPING, "", "asleep"),
        (Phase.STOPPING, "it broke", "failed"),
    ],
)
def test_each_phase_has_a_state_for_the_page(phase: Phase, failure: str, state: str) -> None:
    """A draining service is ready: a request cancels its sleep. An old failure is none of a wake that goes on."""
    assert ask(STATUS, lane=Asked(phase, failure=failure))[2]["state"] == state


def test_the_reason_of_a_failure_has_none_of_the_apps_words() -> None:
    """Log lines are for the operator."""
    lane = Asked(Phase.ASLEEP, failure="exited with status 3 after 0.4 s\npassword=hunter2")
    assert ask(STATUS, lane=lane)[2]["reason"] == "exited with status 3 after 0.4 s"


def test_asking_does_not_retry() -> None:
    """A page that polls must not wake what it looks at."""
    lane = Asked(Phase.ASLEEP, failure="it broke")
    ask(STATUS, lane=lane)
    assert lane.retries == 0


@pytest.mark.parametrize("may", [True, False])
def test_a_retry_is_passed_on_and_told(*, may: bool) -> None:
    """The service decides; the answer says what it did, and how things stand now."""
    lane = Asked(Phase.ASLEEP, failure="it broke", retry=may)
    status, _, body = ask(RETRY, method="POST", lane=lane)
    assert (status, body["retried"], body["state"], lane.retries) == (200, may, "failed", 1)


def test_another_site_cannot_press_the_button() -> None:
    """A form on some other page would wake a service again and again."""
    lane = Asked(Phase.ASLEEP, failure="it broke")
    status, _, body = ask(RETRY, method="POST", lane=lane, same_origin=False)
    assert (status, body["type"], lane.retries) == (403, "urn:wakegate:problem:cross-site", 0)


@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [(STATUS, "POST", "GET, HEAD"), (STATUS, "DELETE", "GET, HEAD"), (RETRY, "GET", "POST"), (RETRY, "HEAD", "POST")],
)
def test_a_wrong_method_is_told_the_right_ones(path: str, method: str, allow: str) -> None:
    """A retry by GET could be caused by a prefetch."""
    lane = Asked(Phase.ASLEEP, failure="it broke")
    status, head, _ = ask(path, method=method, lane=lane)
    assert status == 405
    assert f"\r\nAllow: {allow}\r\n" in head + "\r\n"
    assert lane.retries == 0


@pytest.mark.parametrize("path", ["/.wakegate/", "/.wakegate/statusx", "/.wakegate/status/", "/.wakegate/../secret"])
def test_anything_else_there_is_not_found(path: str) -> None:
    """And never reaches the app."""
    assert ask(path, lane=Asked())[0] == 404


def test_without_a_service_there_is_nothing_to_say() -> None:
    """An unknown host learns no name."""
    status, _, body = ask(STATUS, lane=None)
    assert status == 404
    assert "service" not in body


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/.wakegate/status", "/"),
        ("/.wakegate/status?", "/"),
        ("/.wakegate/status?path=", "/"),
        ("/.wakegate/status?path=%2Fshop%2Fcart", "/shop/cart"),
        ("/.wakegate/status?path=/shop&x=1", "/shop"),
        ("/.wakegate/status?x=1&path=%2Fshop", "/shop"),
        ("/.wakegate/status?xpath=%2Fno&path=%2Fyes&path=%2Fsecond", "/yes"),
        ("/.wakegate/status?path=%2Fa%2520b", "/a%20b"),
        ("/.wakegate/status?path=%2Fa+b", "/a+b"),
        ("/.wakegate/status?path=shop", "/"),
        ("/.wakegate/status?path=http%3A%2F%2Fx%2F", "/"),
        ("/.wakegate/status?path=%2F%FF%zz", "/\ufffd%zz"),
    ],
)
def test_a_reserved_request_is_about_the_path_it_names(target: str, path: str) -> None:
    """A service may have only a part of a host's paths; what is no path is the root."""
    assert routed_path(target) == path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/.wakegate/status", True),
        ("/.wakegate", True),
        ("/%2ewakegate/state.sqlite", True),
        ("/.%77akegate/state.sqlite", True),
        ("//.wakegate/state.sqlite", True),
        ("/./.wakegate/state.sqlite", True),
        ("/x/../.wakegate/state.sqlite", True),
        ("/.WakeGate/state.sqlite", True),
        ("/.wakegate;v=1/state.sqlite", True),
        ("/shop%2f.wakegate/lock", True),
        ("/", False),
        ("/wakegate", False),
        ("/.wakegate.toml", False),
        ("/x.wakegate/y", False),
        ("/100%", False),
        ("/caf%C3%A9", False),
    ],
)
def test_no_spelling_of_the_state_directory_reaches_the_app(path: str, *, expected: bool) -> None:
    """An app that serves its own folder would give away the key that signs sessions."""
    assert is_reserved(path) is expected

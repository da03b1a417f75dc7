"""How each failure is answered: the status, the reason and the next step, for programs and for people."""

import json
from collections.abc import Iterator
from math import ceil
from typing import Any

import pytest

from wakegate.answer.answer import ROWS, answer, wants_html
from wakegate.core import errors
from wakegate.core.errors import AsleepError, ForwardError, HeldError, RequestError
from wakegate.core.phase import Phase
from wakegate.core.progress import Progress
from wakegate.local.request.reply import encode

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def leaves(kind: type[RequestError] = RequestError) -> Iterator[type[RequestError]]:
    """Walk over all errors that can be raised: the classes that no other one refines."""
    below = kind.__subclasses__()
    if not below:
        yield kind
    for one in below:
        yield from leaves(one)


def make(kind: type[RequestError], **more: Any) -> RequestError:
    """Make an error of any class."""
    if issubclass(kind, HeldError):
        return kind("shop", "the reason", **{"retry_after_s": 4.2, **more})
    if issubclass(kind, ForwardError):
        return kind("shop", "the reason", **more)
    return kind("the reason")


def give(
    error: RequestError, *, html: bool = False, progress: Progress | None = None, show_errors: bool = False
) -> tuple[int, str, str]:
    """Return status, head and body of the answer."""
    reply = answer(error, request_id="r1", wants_html=html, progress=progress, path="/cart", show_errors=show_errors)
    written = encode(reply, keep_alive=True, is_head=False)
    head, _, body = written.partition(b"\r\n\r\n")
    if body:
        assert f"\r\nContent-Length: {len(body)}\r\n".encode() in head + b"\r\n"
    assert b"\r\nCache-Control: no-store\r\n" in head
    assert b"\r\nX-Request-Id: r1\r\n" in head + b"\r\n"
    assert b"\r\nDate: " in head
    return int(head.split(b" ")[1]), head.decode() + "\r\n", body.decode()


def test_every_error_has_a_row_and_every_row_an_error() -> None:
    """A class that is forgotten here would end a request without an answer."""
    assert set(ROWS) == set(leaves())


@pytest.mark.parametrize(
    ("kind", "status", "slug"),
    [
        (errors.ServiceUnknownError, 404, "service-unknown"),
        (errors.WakeFailedError, 503, "wake-failed"),
        (errors.WakeTimeoutError, 504, "wake-timeout"),
        (errors.HoldFullError, 503, "hold-full"),
        (errors.HoldTimeoutError, 503, "still-waking"),
        (errors.StillWakingError, 503, "still-waking"),
        (errors.AsleepError, 503, "asleep"),
        (errors.StoppingError, 503, "stopping"),
        (errors.CrowdedError, 503, "crowded"),
        (errors.BadRequestError, 400, "bad-request"),
        (errors.HeadTooLargeError, 431, "head-too-large"),
        (errors.BodyTooLargeError, 413, "body-too-large"),
        (errors.RequestTimeoutError, 408, "request-timeout"),
        (errors.VersionError, 505, "version"),
        (errors.NotImplementedCodingError, 501, "coding"),
        (errors.UnreachableError, 502, "unreachable"),
        (errors.ConnectionLostError, 502, "connection-lost"),
        (errors.BadResponseError, 502, "bad-response"),
        (errors.ResponseTimeoutError, 504, "response-timeout"),
    ],
)
def test_each_error_has_its_status_and_its_type(kind: type[RequestError], status: int, slug: str) -> None:
    """Programs go by them: they do not change between releases."""
    given, _, body = give(make(kind))
    members = json.loads(body)
    assert (given, members["status"], members["type"]) == (status, status, f"urn:wakegate:problem:{slug}")


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("html", [False, True], ids=["program", "browser"])
def test_each_answer_gives_the_reason_and_the_next_step(kind: type[RequestError], *, html: bool) -> None:
    """Either when to come back, or what to do: never only that it did not work."""
    error = make(kind)
    _, head, body = give(error, html=html)
    reason = "no service has this host" if kind is errors.ServiceUnknownError else "the reason"
    steps = (f"Retry-After: {ceil(error.retry_after_s or 0)}\r\n", ROWS[kind].next.lower() or "no next step")
    assert any(step in head or step in body.lower() for step in steps)
    if ROWS[kind].face != "waking" or not html:  # the page that waits says what goes on, not why it is shown
        assert reason in body.lower()


def test_a_program_reads_all_there_is_to_know_of_a_failed_wake() -> None:
    """As the docs show it."""
    error = errors.WakeFailedError("web", "exited with status 3 after 0.4 s, before it listened", retry_after_s=4.2)
    status, head, body = give(error)
    assert status == 503
    assert "\r\nContent-Type: application/problem+json\r\n" in head
    assert "\r\nRetry-After: 5\r\n" in head
    assert json.loads(body) == {
        "type": "urn:wakegate:problem:wake-failed",
        "title": "The service could not be started",
        "status": 503,
        "detail": "web: exited with status 3 after 0.4 s, before it listened",
        "service": "web",
        "retry_after_s": 5,
        "request_id": "r1",
    }


@pytest.mark.parametrize(("retry_s", "said"), [(0.0, 1), (0.2, 1), (1.0, 1), (1.01, 2), (59.5, 60)])
def test_nobody_is_told_to_come_back_too_early(retry_s: float, said: int) -> None:
    """Whole seconds, rounded up, and never at once."""
    _, head, body = give(make(errors.HoldFullError, retry_after_s=retry_s))
    assert f"\r\nRetry-After: {said}\r\n" in head
    assert json.loads(body)["retry_after_s"] == said


def test_an_unknown_host_learns_of_no_service() -> None:
    """Whatever the error says: the address may be guessed by somebody who looks for names."""
    error = errors.ServiceUnknownError("no service answers at x; there are shop and secret")
    for html in (False, True):
        _, _, body = give(error, html=html)
        assert "secret" not in body
        assert "shop" not in body
        assert "heck the host name" in body


@pytest.mark.parametrize("html", [False, True])
def test_the_apps_log_is_for_the_operator(*, html: bool) -> None:
    """It is answered only where `show_errors` says so."""
    error = make(errors.WakeFailedError, log_tail=("password=hunter2",))
    assert "hunter2" not in give(error, html=html)[2]
    assert "hunter2" in give(error, html=html, show_errors=True)[2]


def test_a_reason_of_several_lines_is_cut_to_the_first() -> None:
    """What follows may be the app's own words."""
    error = errors.WakeFailedError("web", "exited with status 3\npassword=hunter2", retry_after_s=1)
    assert "hunter2" not in give(error)[2]


@pytest.mark.parametrize("html", [False, True])
def test_the_port_inside_is_not_for_outside(*, html: bool) -> None:
    """The terminal names it; the public cannot reach it, and need not know it."""
    error = errors.WakeFailedError("web", "exited, before it listened on :43121; next try in 5 s", retry_after_s=5)
    body = give(error, html=html)[2]
    assert "43121" not in body
    assert "exited, before it listened; next try in 5 s" in body


@pytest.mark.parametrize("html", [False, True])
def test_a_quiet_sleeper_answers_nothing_but_that_it_is_well(*, html: bool) -> None:
    """`ignore.status = 204`: monitors are content, and no body is sent."""
    error = AsleepError("shop", "asleep", retry_after_s=1)
    error.is_quiet = True
    status, head, body = give(error, html=html)
    assert (status, body) == (204, "")
    assert "Content-Length" not in head


def test_a_browser_that_waits_sees_how_far_the_wake_is() -> None:
    """The page goes on from the record, and is never a 200."""
    progress = Progress(service="shop", phase=Phase.WAKING, elapsed_s=3.0, usual_s=12.0, retry_after_s=9.0)
    status, head, body = give(make(errors.StillWakingError), html=True, progress=progress)
    assert status == 503
    assert "\r\nContent-Type: text/html; charset=utf-8\r\n" in head
    assert "<title>Waking shop…</title>" in body
    assert 'data-elapsed="3.000" data-usual="12.000" data-retry="5"' in body
    assert 'data-path="/cart"' in body


def test_a_browser_whose_hold_ends_sees_the_page_too() -> None:
    """The wake goes on; so may the visitor."""
    body = give(make(errors.HoldTimeoutError, elapsed_s=11.0), html=True)[2]
    assert "<title>Waking shop…</title>" in body
    assert 'data-elapsed="11.000"' in body


@pytest.mark.parametrize("kind", [errors.WakeFailedError, errors.WakeTimeoutError])
def test_a_browser_sees_why_a_wake_failed(kind: type[RequestError]) -> None:
    """With when it will be tried again, and a button."""
    body = give(make(kind), html=True)[2]
    assert "<title>shop could not start</title>" in body
    assert "It could not start: the reason." in body
    assert "It will be tried again in 5 seconds." in body


@pytest.mark.parametrize(
    ("accept", "wants"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("application/json;q=0.9, text/html", True),
        ("text/html;q=0.5", True),
        ("text/html ; q=0.5 , application/json;q=0.4", True),
        ("application/json,text/html", True),
        ("text/html;level=1;q=0.3,application/json;q=0.3", True),
        ("", False),
        ("*/*", False),
        ("text/*", False),
        ("application/json", False),
        ("application/json, text/plain, */*", False),
        ("text/html;q=0", False),
        ("text/html;q=0.5,application/json", False),
        ("text/html;q=0.5,application/problem+json;q=0.6", False),
        ("text/html;q=nan", False),
        ("text/html;q=x", True),
        ("text/html-sandboxed", False),
        (",,;;=,text/html;;q,", True),
    ],
)
def test_a_page_is_for_those_who_ask_for_one(accept: str, *, wants: bool) -> None:
    """curl sends "*/*" and reads JSON better than markup."""
    assert wants_html(accept) is wants

"""Problems as programs read them (RFC 9457)."""

import json
from typing import Any

from wakegate.answer.problem import Problem, problem_reply
from wakegate.local.request.reply import encode


def body_of(problem: Problem) -> dict[str, Any]:
    """Return the members of the answer."""
    written = encode(problem_reply(problem, request_id="r1"), keep_alive=True, is_head=False)
    head, _, body = written.partition(b"\r\n\r\n")
    assert b"\r\nContent-Type: application/problem+json\r\n" in head
    assert f"\r\nContent-Length: {len(body)}\r\n".encode() in head + b"\r\n"
    members = json.loads(body)
    assert isinstance(members, dict)
    return members


def test_a_problem_has_what_the_docs_show_in_that_order() -> None:
    """People read it in a terminal, programs by name."""
    problem = Problem(
        status=503,
        slug="wake-failed",
        title="The service could not be started",
        detail="web: exited with status 3 after 0.4 s, before it listened",
        service="web",
        retry_after_s=5,
    )
    assert list(body_of(problem).items()) == [
        ("type", "urn:wakegate:problem:wake-failed"),
        ("title", "The service could not be started"),
        ("status", 503),
        ("detail", "web: exited with status 3 after 0.4 s, before it listened"),
        ("service", "web"),
        ("retry_after_s", 5),
        ("request_id", "r1"),
    ]


def test_what_is_not_known_is_left_out() -> None:
    """An empty name or a null would have to be checked by every client."""
    members = body_of(Problem(status=404, slug="s", title="t", detail="not here", next="look there"))
    assert set(members) == {"type", "title", "status", "detail", "request_id"}
    assert members["detail"] == "not here; look there"


def test_the_apps_last_words_are_lines() -> None:
    """As in the log."""
    assert body_of(Problem(status=503, slug="s", title="t", detail="d", log_tail=("a", "b")))["log_tail"] == ["a", "b"]


def test_hostile_words_stay_words() -> None:
    """Whatever a reason says, it ends neither the string nor the head."""
    hostile = '"}\r\nX: y\r\n\r\n<script>\u2028 \udcff é'
    assert body_of(Problem(status=400, slug="s", title="t", detail=hostile))["detail"] == hostile

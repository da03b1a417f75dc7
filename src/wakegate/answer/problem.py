"""problem: what went wrong and what to do next, as a value, and as `application/problem+json` (RFC 9457)."""

import json
from dataclasses import dataclass
from typing import Any

from wakegate.answer.reply import Headers, Reply

_KIND = "application/problem+json"
_encode = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make an encoder each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error in public words; `next` is the next step where coming back after `retry_after_s` (whole) is none."""

    status: int
    slug: str
    title: str
    detail: str
    next: str = ""
    service: str = ""
    retry_after_s: int | None = None
    log_tail: tuple[str, ...] = ()  # empty unless the operator wants the public to read it


def problem_reply(problem: Problem, *, request_id: str, headers: Headers = ()) -> Reply:
    """Write the answer for a program."""
    members: dict[str, Any] = {
        "type": f"urn:wakegate:problem:{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": f"{problem.detail}; {problem.next}" if problem.next else problem.detail,
    }
    if problem.service:
        members["service"] = problem.service
    if problem.retry_after_s is not None:
        members["retry_after_s"] = problem.retry_after_s
    members["request_id"] = request_id
    if problem.log_tail:
        members["log_tail"] = problem.log_tail
    return Reply(
        status=problem.status,
        request_id=request_id,
        kind=_KIND,
        body=_encode(members).encode() + b"\n",
        retry_after_s=problem.retry_after_s,
        headers=headers,
    )

"""reserved: answer the paths under `/.wakegate/` from the record alone; nothing here touches, only a retry wakes.

`GET status` is what the waiting page asks, `POST retry` its button. Both are routed by their query's `path`, the
page's own: a service may have only a part of the host's paths.
"""

import json
from typing import Any, Protocol
from urllib.parse import unquote

from wakegate.answer.page import public_reason
from wakegate.answer.problem import Problem, problem_reply
from wakegate.answer.reply import Headers, Reply
from wakegate.core.phase import Phase
from wakegate.core.progress import Progress

NAME = ".wakegate"
STATUS, RETRY = "/.wakegate/status", "/.wakegate/retry"
ALLOWED = {STATUS: ("GET", "HEAD"), RETRY: ("POST",)}


class Asked(Protocol):
    """The part of a `Lane` that the reserved paths ask."""

    def progress(self) -> Progress:
        """See `Lane.progress`."""
        ...

    def retry(self) -> bool:
        """See `Lane.retry`."""
        ...


def is_reserved(path: str) -> bool:
    """Say whether a path, as sent and without its query, is the gateway's own or could name a file of its state.

    An app that serves the folder it runs in has `.wakegate` in it, with the key that signs sessions.
    """
    if "%" not in path and NAME not in path.lower():
        return False
    return any(segment.partition(";")[0] == NAME for segment in unquote(path).lower().split("/"))


def routed_path(target: str) -> str:
    """Return the path that a reserved request is about: the decoded `path` of its query, "/" without one."""
    for field in target.partition("?")[2].split("&"):
        name, _, value = field.partition("=")
        if name == "path":
            path = unquote(value)
            return path if path.startswith("/") else "/"
    return "/"


def reserved(path: str, *, method: str, lane: Asked | None, same_origin: bool, request_id: str) -> Reply:
    """Answer a reserved path (without its query)."""
    problem, headers = _refusal(path, method=method, lane=lane, same_origin=same_origin)
    if problem is not None:
        return problem_reply(problem, request_id=request_id, headers=headers)
    assert lane is not None
    retried = {"retried": lane.retry()} if path == RETRY else {}
    return Reply(
        status=200,
        request_id=request_id,
        kind="application/json",
        body=json.dumps(retried | _status(lane.progress())).encode() + b"\n",
    )


def _refusal(path: str, *, method: str, lane: Asked | None, same_origin: bool) -> tuple[Problem | None, Headers]:
    """Return why this is not answered, and what the head must say of it."""
    allowed = ALLOWED.get(path)
    if allowed is None or lane is None:
        detail = f"{STATUS} and {RETRY} are all there is below /.wakegate/, for a path that a service has"
        return Problem(status=404, slug="not-found", title="Not found", detail=detail), ()
    if method not in allowed:
        detail = f"{path} answers {' and '.join(allowed)} only"
        allow = (("Allow", ", ".join(allowed)),)
        return Problem(status=405, slug="method-not-allowed", title="Method not allowed", detail=detail), allow
    if path == RETRY and not same_origin:
        detail = "only the waiting page may ask for a retry, not another site"
        return Problem(status=403, slug="cross-site", title="Not from another site", detail=detail), ()
    return None, ()


def _status(progress: Progress) -> dict[str, Any]:
    """Say how far the wake is, in the waiting page's words."""
    return {
        "service": progress.service,
        "phase": progress.phase,
        "state": _state(progress),
        "elapsed_s": round(progress.elapsed_s, 3),
        "usual_s": None if progress.usual_s is None else round(progress.usual_s, 3),
        "retry_after_s": round(progress.retry_after_s, 3),
        "reason": public_reason(progress.failure),
    }


def _state(progress: Progress) -> str:
    if progress.phase in (Phase.AWAKE, Phase.DRAINING):
        return "ready"
    if progress.phase is Phase.WAKING:
        return "waking"
    return "failed" if progress.failure else "asleep"

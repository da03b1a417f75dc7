"""answer: where the gateway answers itself; what it says is decided in `wakegate/answer`, for every substrate."""

from wakegate.answer import answer as decided
from wakegate.answer import reserved as paths
from wakegate.core.errors import RequestError
from wakegate.core.progress import Progress
from wakegate.local.request.reply import encode


def answer(
    error: RequestError,
    *,
    request_id: str,
    wants_html: bool,
    is_head: bool,
    keep_alive: bool,
    progress: Progress | None,
    path: str,
    show_errors: bool,
) -> bytes:
    """Write the complete response to a request that failed."""
    reply = decided.answer(
        error, request_id=request_id, wants_html=wants_html, progress=progress, path=path, show_errors=show_errors
    )
    return encode(reply, keep_alive=keep_alive, is_head=is_head)


def reserved(
    path: str,
    *,
    method: str,
    lane: paths.Asked | None,
    same_origin: bool,
    is_head: bool,
    keep_alive: bool,
    request_id: str,
) -> bytes:
    """Write the complete response to a request for a reserved path (without its query)."""
    reply = paths.reserved(path, method=method, lane=lane, same_origin=same_origin, request_id=request_id)
    return encode(reply, keep_alive=keep_alive, is_head=is_head)

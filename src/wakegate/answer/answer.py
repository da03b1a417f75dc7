"""answer: what a request that failed is answered. The only place that maps an error to an HTTP status."""

from dataclasses import dataclass
from math import ceil

from wakegate.answer.page import Face, page_reply, public_reason
from wakegate.answer.problem import Problem, problem_reply
from wakegate.answer.reply import Reply
from wakegate.core import errors
from wakegate.core.errors import AsleepError, ForwardError, HeldError, RequestError
from wakegate.core.phase import Phase
from wakegate.core.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How one class of error is answered; `next` is the next step where coming back later is none."""

    status: int
    slug: str
    title: str
    face: Face = Face.ERROR
    next: str = ""
    detail: str = ""  # stands instead of the error's own words


_LOGS = "whoever runs this service finds the cause with: wakegate logs"
_STILL_WAKING = Row(status=503, slug="still-waking", title="The service is waking", face=Face.WAKING)

ROWS: dict[type[RequestError], Row] = {
    errors.ServiceUnknownError: Row(
        status=404,
        slug="service-unknown",
        title="No service here",
        detail="no service has this host and path",  # and no word about the services that there are
        next="check the host name and the path; whoever runs this gateway finds what it serves in wakegate.toml",
    ),
    errors.WakeFailedError: Row(
        status=503, slug="wake-failed", title="The service could not be started", face=Face.FAILED
    ),
    errors.WakeTimeoutError: Row(
        status=504, slug="wake-timeout", title="The service was not ready in time", face=Face.FAILED
    ),
    errors.HoldFullError: Row(status=503, slug="hold-full", title="Too many requests are waiting"),
    errors.HoldTimeoutError: _STILL_WAKING,
    errors.StillWakingError: _STILL_WAKING,
    errors.AsleepError: Row(status=503, slug="asleep", title="The service is asleep"),
    errors.StoppingError: Row(status=503, slug="stopping", title="The gateway is going down"),
    errors.CrowdedError: Row(status=503, slug="crowded", title="Too many clients are connected"),
    errors.BadRequestError: Row(
        status=400,
        slug="bad-request",
        title="The request cannot be understood",
        next="mend the request before you send it again",
    ),
    errors.HeadTooLargeError: Row(
        status=431,
        slug="head-too-large",
        title="The request's headers are too large",
        next="send less; cookies are often the cause",
    ),
    errors.BodyTooLargeError: Row(
        status=413, slug="body-too-large", title="The request's body is too large", next="send less at once"
    ),
    errors.RequestTimeoutError: Row(
        status=408, slug="request-timeout", title="The request took too long to arrive", next="send it again, faster"
    ),
    errors.VersionError: Row(
        status=505, slug="version", title="This version of HTTP is not spoken here", next="use HTTP/1.1"
    ),
    errors.NotImplementedCodingError: Row(
        status=501,
        slug="coding",
        title="This transfer coding is not known here",
        next="send it chunked, or with a Content-Length",
    ),
    errors.UnreachableError: Row(status=502, slug="unreachable", title="The service cannot be reached", next=_LOGS),
    errors.ConnectionLostError: Row(
        status=502, slug="connection-lost", title="The service broke off its answer", next=_LOGS
    ),
    errors.BadResponseError: Row(
        status=502, slug="bad-response", title="The service's answer makes no sense", next=_LOGS
    ),
    errors.ResponseTimeoutError: Row(
        status=504, slug="response-timeout", title="The service took too long to answer", next=_LOGS
    ),
}


def answer(
    error: RequestError,
    *,
    request_id: str,
    wants_html: bool,
    progress: Progress | None,
    path: str,
    show_errors: bool,
    prefix: str = "",
) -> Reply:
    """Return the answer to a request that failed: a page for browsers, problem+json for the rest.

    `prefix` is what the front is known to have taken off before `path`, as the stage of an API.
    """
    if isinstance(error, AsleepError) and error.is_quiet:
        return Reply(status=204, request_id=request_id)
    row = ROWS[type(error)]
    problem = _problem(error, row, show_errors=show_errors)
    if not wants_html:
        return problem_reply(problem, request_id=request_id)
    return page_reply(
        problem,
        face=row.face,
        progress=_progress(error) if progress is None else progress,
        path=path,
        request_id=request_id,
        prefix=prefix,
    )


def wants_html(accept: str) -> bool:
    """Say whether an Accept header (in lower case) asks for a page: it names text/html, and JSON not before it.

    "*/*" names nothing: curl and most libraries send it.
    """
    if "text/html" not in accept:
        return False
    html_q = json_q = 0.0
    for item in accept.split(","):
        kind, _, parameters = item.partition(";")
        kind = kind.strip()
        if kind == "text/html":
            html_q = max(html_q, _q(parameters))
        elif kind in ("application/json", "application/problem+json"):
            json_q = max(json_q, _q(parameters))
    return html_q > 0 and html_q >= json_q


def _q(parameters: str) -> float:
    """Read the weight of a media range; one that cannot be read counts as none given."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                break
    return 1.0


def _problem(error: RequestError, row: Row, *, show_errors: bool) -> Problem:
    retry_s = None if error.retry_after_s is None else max(1, ceil(error.retry_after_s))
    return Problem(
        status=row.status,
        slug=row.slug,
        title=row.title,
        detail=row.detail or public_reason(str(error)) or row.title,
        next=row.next if retry_s is None else "",
        service=error.service if isinstance(error, HeldError | ForwardError) else "",
        retry_after_s=retry_s,
        log_tail=error.log_tail if show_errors and isinstance(error, HeldError) else (),
    )


def _progress(error: RequestError) -> Progress:
    """Say as much of a wake as an error knows, where nobody else could be asked."""
    if not isinstance(error, HeldError):
        return Progress(service="", phase=Phase.ASLEEP, elapsed_s=0.0, usual_s=None, retry_after_s=0.0)
    return Progress(
        service=error.service,
        phase=Phase.WAKING,
        elapsed_s=error.elapsed_s,
        usual_s=None,
        retry_after_s=error.retry_after_s,
    )

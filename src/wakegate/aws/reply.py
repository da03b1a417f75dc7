"""reply: what the function answers itself: an error, the waiting page, the reserved paths, the way to come back.

Imported when it is needed: a warm request answers nothing of our own.
"""

from typing import Any

from wakegate.answer.answer import answer, wants_html
from wakegate.answer.reply import Reply
from wakegate.answer.reserved import RETRY, STATUS, reserved
from wakegate.aws.cloud import UnknownOutcomeError
from wakegate.aws.hold import Hold
from wakegate.aws.payload import Incoming, header
from wakegate.aws.record import Keeper
from wakegate.aws.result import write_reply
from wakegate.aws.wake import Waker
from wakegate.core.backoff import retry_at
from wakegate.core.errors import ConflictError, HeldError, HoldTimeoutError, RequestError, StillWakingError
from wakegate.core.estimate import usual_wake_s
from wakegate.core.phase import Event, Phase
from wakegate.core.progress import Progress
from wakegate.core.record import Woken
from wakegate.core.spec import WakeSpec

RETRY_AFTER_S = 2.0  # who presses "try now" twice means it once


def refuse_event(error: RequestError, *, request_id: str) -> dict[str, Any]:
    """Answer an event that is no request."""
    reply = answer(error, request_id=request_id, wants_html=False, progress=None, path="/", show_errors=False)
    return write_reply(reply, is_head=False)


def preflight(incoming: Incoming) -> dict[str, Any]:
    """Answer a preflight for a front that adds the headers: it comes from anybody, and wakes nothing."""
    return write_reply(Reply(status=204, request_id=incoming.request_id), is_head=False)


def refuse(error: RequestError, incoming: Incoming, *, hold: Hold) -> dict[str, Any]:
    """Answer a request that failed; one that may go on waiting is sent to where it can."""
    is_head = incoming.method == "HEAD"
    location = hold.come_back() if isinstance(error, HoldTimeoutError) else None
    if location is not None:
        reply = Reply(status=307, request_id=incoming.request_id, headers=(("Location", location),))
        return write_reply(reply, is_head=is_head)
    accept = (header(incoming.headers, "accept") or "").lower()
    reply = answer(
        error,
        request_id=incoming.request_id,
        wants_html=wants_html(accept),
        progress=_progress(error, hold) if isinstance(error, (StillWakingError, HoldTimeoutError)) else None,
        path=incoming.path,
        show_errors=False,
        prefix=incoming.prefix,
    )
    return write_reply(reply, is_head=is_head)


def _progress(error: HeldError, hold: Hold) -> Progress:
    """Say how far a wake is that a page waits for, and how long it usually takes."""
    return Progress(
        service=error.service,
        phase=Phase.WAKING,
        elapsed_s=error.elapsed_s,
        usual_s=usual_wake_s(hold.durations),
        retry_after_s=error.retry_after_s,
    )


def answer_reserved(incoming: Incoming, *, keeper: Keeper, waker: Waker, hold: Hold, spec: WakeSpec) -> dict[str, Any]:
    """Answer a path under `/.wakegate/`, which touches nothing; a waiting page also moves on the wake it waits for."""
    page = Page(keeper, waker=waker, hold=hold, spec=spec)
    if incoming.path == STATUS:
        page.nudge()
    reply = reserved(
        incoming.path,
        method=incoming.method,
        lane=page if incoming.path in (STATUS, RETRY) else None,
        same_origin=incoming.is_same_origin,
        request_id=incoming.request_id,
    )
    return write_reply(reply, is_head=incoming.method == "HEAD")


class Page:
    """What the waiting page may ask: see `answer.reserved.Asked`."""

    def __init__(self, keeper: Keeper, *, waker: Waker, hold: Hold, spec: WakeSpec) -> None:
        self._keeper = keeper
        self._waker = waker
        self._hold = hold
        self._spec = spec
        self._record = keeper.load()

    def nudge(self) -> None:
        """Watch a wake for one round where nobody else does: a visitor who looks at the page holds no request."""
        record, waker = self._record, self._waker
        if record.phase is not Phase.WAKING or not waker.is_free(record):
            return
        try:
            self._record = waker.watch(waker.take_over(record))
        except (ConflictError, UnknownOutcomeError):
            self._record = self._keeper.load()

    def progress(self) -> Progress:
        """Say how far the wake is, from the record alone."""
        record, hold = self._record, self._hold
        failure = record.failure if record.phase in (Phase.ASLEEP, Phase.STOPPING) else None
        retry_s = hold.remaining_s(record)
        if failure is not None:
            retry_s = max(0.0, (retry_at(failure, self._spec) - self._waker.now()).total_seconds())
        return Progress(
            service=record.name,
            phase=record.phase,
            elapsed_s=hold.elapsed_s(record),
            usual_s=usual_wake_s(hold.durations),
            retry_after_s=retry_s,
            failure="" if failure is None else failure.reason,
        )

    def retry(self) -> bool:
        """Forget the backoff unless a wake was tried a moment ago; say whether."""
        record = self._record
        failure = record.failure
        if record.phase is not Phase.ASLEEP or failure is None:
            return False
        if (self._waker.now() - failure.at).total_seconds() < RETRY_AFTER_S:
            return False
        woken = Woken(cause="try now", agent="waiting page", at=self._waker.now())
        self._record = self._waker.begin(record, Event.REQUEST_ARRIVED, is_forced=True, woken=woken)
        return True

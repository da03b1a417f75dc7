"""startup: the function behind the API. accept -> touch -> wake -> hold -> forward, within what the front allows."""

import sys
from dataclasses import replace
from typing import Any

from wakegate.aws import function
from wakegate.aws.cloud import Cloud, Context, RefusedError, UnknownOutcomeError
from wakegate.aws.forward import Forwarder
from wakegate.aws.hold import Hold, split_hop
from wakegate.aws.instance import Instance
from wakegate.aws.payload import header, read, request_id
from wakegate.aws.record import Keeper, is_routable
from wakegate.aws.settings import Settings
from wakegate.aws.wake import Waker
from wakegate.core.errors import ConflictError, RequestError, WakeFailedError
from wakegate.core.phase import Event
from wakegate.core.record import ServiceRecord

TOUCH_TRIES = 5  # at the end of a request, whose answer is there already
JITTER_S = (0.01, 0.1)  # after a conflict, or a call whose answer did not come
RESERVED = "/.wakegate/"
UNKNOWN = "its state could not be read or written in time"
REFUSED = "AWS refused a call that this function needs; whoever runs it finds which in the function's log"
REFUSED_RETRY_S = 30.0


def lambda_handler(event: Any, context: Context) -> dict[str, Any]:
    """Answer one request: what Lambda calls."""
    return handle(event, context, cloud=function.cloud(), instance=function.instance(), settings=function.settings())


def handle(event: Any, context: Context, *, cloud: Cloud, instance: Instance, settings: Settings) -> dict[str, Any]:
    """Answer one request."""
    return Startup(context, cloud=cloud, instance=instance, settings=settings).answer(event)


class Startup:
    """One invocation of the function."""

    waker_class = Waker

    def __init__(self, context: Context, *, cloud: Cloud, instance: Instance, settings: Settings) -> None:
        self._cloud = cloud
        self._clock = cloud.clock
        self._instance = instance
        self._settings = settings
        self._arrived_at = self._clock.now()
        self._left_s = context.get_remaining_time_in_millis() / 1000
        self._name = settings.spec.name
        self._keeper = Keeper(cloud, name=self._name)
        self._me = context.aws_request_id
        self._was_held = False

    def answer(self, event: Any) -> dict[str, Any]:
        """Accept, then serve; what fails on the way is answered with its reason."""
        try:
            incoming = read(event, base_path=self._settings.base_path)
        except RequestError as error:
            from wakegate.aws.reply import refuse_event  # noqa: PLC0415  half of the start's imports, mostly not needed

            return refuse_event(error, request_id=request_id(event))
        if self._settings.has_cors and incoming.is_preflight:
            from wakegate.aws.reply import preflight  # noqa: PLC0415  as above

            return preflight(incoming)
        query, hops = split_hop(incoming.query)
        self._incoming = incoming if query == incoming.query else replace(incoming, query=query)
        self._waker = self.waker_class(
            self._cloud,
            self._settings,
            keeper=self._keeper,
            me=self._me,
            cause=f"{incoming.method} {incoming.path}",
            agent=header(incoming.headers, "user-agent") or "",
        )
        self._hold = Hold(
            self._incoming,
            hops=hops,
            cloud=self._cloud,
            settings=self._settings,
            arrived_at=self._arrived_at,
            left_s=self._left_s,
        )
        self._forwarder = Forwarder(
            self._incoming, cloud=self._cloud, instance=self._instance, settings=self._settings, hold=self._hold
        )
        try:
            return self._reserved() if incoming.path.startswith(RESERVED) else self._serve()
        except RefusedError as refused:
            sys.stderr.write(f"{refused}\n")
            return self._refuse(WakeFailedError(self._name, REFUSED, retry_after_s=REFUSED_RETRY_S))
        except RequestError as error:
            return self._refuse(error)
        finally:
            self.hand_on()

    # -- the flow

    def _serve(self) -> dict[str, Any]:
        """Touch, wake and hold if asleep, forward; again, until it is answered or has waited as long as it may."""
        while True:
            try:
                response = self._attempt()
                if response is not None:
                    return response
            except (ConflictError, UnknownOutcomeError) as error:
                self._instance.forget()
                if self._hold.is_over():
                    raise self._hold.timeout(self._name, UNKNOWN) from error
                self._clock.sleep(self._instance.random.uniform(*JITTER_S))

    def _attempt(self) -> dict[str, Any] | None:
        """Go as far as the record allows; None: look at it again."""
        record = self._route()
        if is_routable(record):
            record = self._touch(record)
        if is_routable(record):
            answered = self._forward(record)
            if answered is None:
                self._lost()
            return answered
        self._instance.forget()
        record = self._waker.advance(record)
        if is_routable(record):
            self._instance.touched_at = record.last_active_at
            return None
        self._was_held = True
        is_owner = self._waker.owns(record)
        self._hold.check(record, is_owner=is_owner)
        if is_owner:
            record = self._waker.watch(record)
        if not is_routable(record):
            jitter = self._instance.random.random()
            self._clock.sleep(self._hold.pause_s(record, is_owner=is_owner, jitter=jitter))
        return None

    def _route(self) -> ServiceRecord:
        """Return the record: as it was some seconds ago while that is good enough, else as it is."""
        now = self._clock.now()
        record = self._instance.route(now)
        if record is None:
            record = self._keeper.load()
            if is_routable(record):
                self._instance.learn(record, read_at=now, ttl_s=self._settings.cache_ttl_s)
        return record

    # -- touch

    def _touch(self, record: ServiceRecord) -> ServiceRecord:
        """Write that a request begins, once an interval; return what the record says now, perhaps another phase."""
        if self._instance.may_skip_touch(self._clock.now(), coalesce_s=self._settings.coalesce_s):
            return record
        now = self._clock.now()
        touched = self._touch_now()
        if touched is None:
            return self._keeper.load()
        self._instance.learn(touched, read_at=now, ttl_s=self._settings.cache_ttl_s)
        return touched

    def touch_end(self) -> None:
        """Write that a request has ended, if the interval has passed; its answer is there, so this raises nothing."""
        for _ in range(TOUCH_TRIES):
            if self._instance.may_skip_touch(self._clock.now(), coalesce_s=self._settings.coalesce_s):
                return
            try:
                self._touch_now()
            except UnknownOutcomeError:
                continue
            except RefusedError as refused:
                sys.stderr.write(f"{refused}\n")
                return

    def _touch_now(self) -> ServiceRecord | None:
        """Touch; an outcome that is not known counts as none, so that it is written again."""
        now = self._clock.now()
        record = self._cloud.table.touch(now)
        self._instance.touched_at = now
        return record

    # -- forward

    def _forward(self, record: ServiceRecord) -> dict[str, Any] | None:
        """Send the request on; whatever came of it, it has ended now. None: every target refuses."""
        if self._was_held:
            self._hold.check_time_to_forward(self._name)
        try:
            answered = self._forwarder.forward(record.targets, was_held=self._was_held)
        except RequestError:
            self.touch_end()
            raise
        if answered is not None:
            self.touch_end()
        return answered

    def _lost(self) -> None:
        """Every target refused: wake again if it is so for everybody, and not only by the route that was remembered."""
        self._instance.forget()
        record = self._keeper.load()
        if not is_routable(record):
            return
        if any(self._cloud.network.connects(target) for target in record.targets):
            self._clock.sleep(self._instance.random.uniform(*JITTER_S))
            if self._hold.is_over():
                raise self._hold.timeout(self._name, "its targets refuse connections now and then")
            return
        self._waker.begin(record, Event.TARGETS_LOST)

    # -- beside the flow

    def hand_on(self) -> None:
        """Leave a wake that this invocation owns to the next one; where that fails, its lease runs out."""
        if not self._waker.has_owned:
            return
        try:
            self._waker.hand_on(self._keeper.load())
        except (ConflictError, UnknownOutcomeError):
            return
        except RefusedError as refused:
            sys.stderr.write(f"{refused}\n")

    def _reserved(self) -> dict[str, Any]:
        from wakegate.aws.reply import answer_reserved  # noqa: PLC0415  as above

        for _ in range(TOUCH_TRIES):
            try:
                return answer_reserved(
                    self._incoming,
                    keeper=self._keeper,
                    waker=self._waker,
                    hold=self._hold,
                    spec=self._settings.spec.wake,
                )
            except (ConflictError, UnknownOutcomeError):
                self._clock.sleep(self._instance.random.uniform(*JITTER_S))
        raise self._hold.timeout(self._name, UNKNOWN)

    def _refuse(self, error: RequestError) -> dict[str, Any]:
        from wakegate.aws.reply import refuse  # noqa: PLC0415  as above

        return refuse(error, self._incoming, hold=self._hold)


if function.is_loading():
    function.cloud()

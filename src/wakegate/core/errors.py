"""Expected failures, each with its facts. Bugs are assertions; HTTP status is chosen in `answer/answer.py`."""


class WakegateError(Exception):
    """Base of every expected failure; `str(error)` says what, how long, and what next."""


class ConfigError(WakegateError):
    """A configuration with problems, every one of them, ready to print."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class StateError(WakegateError):
    """The gateway cannot start here: port taken, state directory in use or not writable."""


class ProxyHeaderError(WakegateError):
    """A connection does not begin with the PROXY header that is expected of it."""


class ConflictError(WakegateError):
    """A conditional write found another version than the one that was read."""


class WorkloadError(WakegateError):
    """A replica could not be started: command not found, not executable, directory missing."""

    def __init__(self, message: str, *, log_tail: tuple[str, ...] = ()) -> None:
        self.log_tail = log_tail
        super().__init__(message)


class RequestError(WakegateError):
    """Base of the failures that end one request; `answer.py` maps each class to a status."""

    retry_after_s: float | None = None


class ServiceUnknownError(RequestError):
    """No service has this host and path."""


class HeldError(RequestError):
    """Base of the failures of a request that waited, or was about to wait, for a wake of `service`."""

    def __init__(
        self, service: str, detail: str, *, retry_after_s: float, log_tail: tuple[str, ...] = (), elapsed_s: float = 0.0
    ) -> None:
        self.service = service
        self.detail = detail
        self.retry_after_s: float = retry_after_s
        self.log_tail = log_tail
        self.elapsed_s = elapsed_s
        super().__init__(f"{service}: {detail}")


class WakeFailedError(HeldError):
    """The wake failed, or keeps failing and is not tried yet."""


class WakeTimeoutError(HeldError):
    """The wake timeout passed before a replica was ready."""


class HoldFullError(HeldError):
    """As many requests wait as may wait."""


class HoldTimeoutError(HeldError):
    """The request waited as long as it may; the wake goes on."""


class StillWakingError(HeldError):
    """A browser navigation that gets the waiting page instead of a longer hold."""


class AsleepError(HeldError):
    """The service sleeps and this request may not wake it; a quiet one is answered 204, without a body."""

    is_quiet = False


class StoppingError(HeldError):
    """The gateway is going down."""


class CrowdedError(RequestError):
    """As many clients are connected as may be, `gateway.connections_max`."""

    retry_after_s = 1.0


class BadRequestError(RequestError):
    """The request is malformed, or of a form that a gateway must not forward."""


class HeadTooLargeError(RequestError):
    """The request head is larger than `gateway.head_bytes_max`."""


class BodyTooLargeError(RequestError):
    """The request body is larger than `forward.body_bytes_max`."""


class RequestTimeoutError(RequestError):
    """The client was too slow in sending its request."""


class VersionError(RequestError):
    """Not HTTP/1.0 or HTTP/1.1."""


class NotImplementedCodingError(RequestError):
    """A transfer coding other than chunked."""


class ForwardError(RequestError):
    """Base of the failures between the gateway and the app of `service`."""

    def __init__(self, service: str, detail: str, *, retry_after_s: float | None = None) -> None:
        self.service = service
        self.detail = detail
        self.retry_after_s = retry_after_s
        super().__init__(f"{service}: {detail}")


class UnreachableError(ForwardError):
    """No connection to the app could be made inside the deadline."""


class ConnectionLostError(ForwardError):
    """The app closed the connection before its answer was complete."""


class BadResponseError(ForwardError):
    """The app's answer is not HTTP."""


class ResponseTimeoutError(ForwardError):
    """The app did not answer, or not go on, within its limit."""

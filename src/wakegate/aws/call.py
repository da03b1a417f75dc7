"""call: one call to AWS, with jittered backoff inside a deadline, and no doubt about what may have happened.

The SDK's own retries are off: after a lost answer they would repeat a conditional write and report the conflict with
itself as somebody else's.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from wakegate.aws.cloud import Clock, RefusedError, UnknownOutcomeError
from wakegate.core.backoff import backoff_s

T = TypeVar("T")

BACKOFF_MIN_S, BACKOFF_MAX_S = 0.05, 1.0

_THROTTLED = frozenset(
    (
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
        "RequestLimitExceeded", "TooManyRequestsException", "ProvisionedThroughputExceededException",
        "LimitExceededException", "ConcurrentModificationException",
    )
)  # fmt: skip
_CONDITION = "ConditionalCheckFailedException"


class CallError(Exception):
    """One attempt failed: AWS said `code`, or nothing ("") because the connection did not hold."""

    def __init__(self, message: str, *, code: str = "", status: int = 0, is_sent: bool = True) -> None:
        self.code = code
        self.status = status
        self.is_sent = is_sent  # whether AWS may have seen it
        super().__init__(f"{code}: {message}" if code else message)

    @property
    def may_pass(self) -> bool:
        """Say whether another attempt could end better."""
        return not self.code or self.code in _THROTTLED or self.status >= 500

    @property
    def did_nothing(self) -> bool:
        """Say whether this attempt has surely changed nothing."""
        return not self.is_sent or self.code in _THROTTLED


class ConditionError(Exception):
    """The condition of a write did not hold; `is_doubtful` when an earlier attempt of it may have come through."""

    def __init__(self, *, is_doubtful: bool) -> None:
        self.is_doubtful = is_doubtful
        super().__init__("the condition of a write did not hold")


class Caller:
    """Makes calls, each within `within_s`; `jitter` returns 0 to 1."""

    def __init__(self, clock: Clock, *, within_s: float, jitter: Callable[[], float] = random.random) -> None:
        self._clock = clock
        self._within = timedelta(seconds=within_s)
        self._jitter = jitter

    def call(self, what: str, operation: Callable[[], T], *, repeats: bool = True) -> T:
        """Return what the operation returns; `repeats` False: repeat only an attempt that surely did nothing.

        Raise `UnknownOutcomeError` when the time is over, `RefusedError` when AWS says no for good.
        """
        give_up_at = self._clock.now() + self._within
        is_doubtful, attempts = False, 0
        while True:
            attempts += 1
            try:
                return operation()
            except CallError as error:
                if error.code == _CONDITION:
                    raise ConditionError(is_doubtful=is_doubtful) from error
                if not error.may_pass:
                    raise RefusedError(f"{what}: {error}") from error
                is_doubtful = is_doubtful or not error.did_nothing
                wait_s = backoff_s(attempts, min_s=BACKOFF_MIN_S, max_s=BACKOFF_MAX_S) * (0.5 + self._jitter() / 2)
                is_over = self._clock.now() + timedelta(seconds=wait_s) > give_up_at
                if is_over or (is_doubtful and not repeats):
                    times = "once" if attempts == 1 else f"{attempts} times"
                    raise UnknownOutcomeError(f"{what}: tried {times}, last: {error}") from error
            self._clock.sleep(wait_s)

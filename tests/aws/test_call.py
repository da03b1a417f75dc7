"""A call and its repeats: how long, how often, and what is said when it was in vain."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from tests.aws.conftest import RealClock

from wakegate.aws.call import Caller, CallError, ConditionError
from wakegate.aws.cloud import RefusedError, UnknownOutcomeError

THROTTLED = CallError("slow down", code="ThrottlingException", status=400)
LOST = CallError("it broke")
NOT_SENT = CallError("nobody listens", is_sent=False)
BROKEN = CallError("broken", code="InternalServerError", status=500)
DENIED = CallError("no", code="AccessDeniedException", status=400)
CONDITION = CallError("no", code="ConditionalCheckFailedException", status=400)


def ends(*outcomes: CallError | str) -> Callable[[], str]:
    """Return an operation whose attempts end like this, the last one for ever."""
    left = list(outcomes)

    def operate() -> str:
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(outcome, CallError):
            raise outcome
        return outcome

    return operate


def caller(clock: RealClock, *, within_s: float = 5.0) -> Caller:
    """Return a caller whose waits are the longest that they may be."""
    return Caller(clock, within_s=within_s, jitter=lambda: 1.0)


@pytest.mark.parametrize("error", [THROTTLED, LOST, NOT_SENT, BROKEN])
def test_what_may_pass_is_tried_again(error: CallError) -> None:
    """Most of it is over within a second."""
    clock = RealClock()
    assert caller(clock).call("read", ends(error, error, "done")) == "done"
    assert clock.slept == [0.05, 0.1]


def test_the_waits_grow_and_have_an_end() -> None:
    """Throttled callers that come back in step throttle one another."""
    clock = RealClock()
    with pytest.raises(UnknownOutcomeError, match=r"read: tried \d+ times, last: ThrottlingException: slow down"):
        caller(clock, within_s=10).call("read", ends(THROTTLED))
    assert all(after >= before for before, after in pairwise(clock.slept))
    assert max(clock.slept) == 1.0
    assert 8 < sum(clock.slept) <= 10


def test_the_jitter_spreads_the_waits_by_half() -> None:
    """Never less than half: a retry at once would be no backoff."""
    clock = RealClock()
    Caller(clock, within_s=5, jitter=lambda: 0.0).call("read", ends(LOST, "done"))
    assert clock.slept == [0.025]


def test_what_is_refused_is_not_tried_again() -> None:
    """It would be refused again, and the client waits."""
    clock = RealClock()
    with pytest.raises(RefusedError, match="write: AccessDeniedException: no"):
        caller(clock).call("write", ends(DENIED, "done"))
    assert clock.slept == []


@pytest.mark.parametrize("error", [LOST, BROKEN])
def test_a_call_that_must_not_be_doubled_is_given_up_in_doubt(error: CallError) -> None:
    """A scale call that arrives twice is one too many; who made it looks what has become of it."""
    clock = RealClock()
    with pytest.raises(UnknownOutcomeError, match="scale: tried once"):
        caller(clock).call("scale", ends(error, "done"), repeats=False)


@pytest.mark.parametrize("error", [THROTTLED, NOT_SENT])
def test_a_call_that_surely_did_nothing_is_repeated_all_the_same(error: CallError) -> None:
    """A throttled call has not happened: to repeat it doubles nothing."""
    assert caller(RealClock()).call("scale", ends(error, "done"), repeats=False) == "done"


@pytest.mark.parametrize(
    ("before", "is_doubtful"),
    [((), False), ((THROTTLED,), False), ((NOT_SENT,), False), ((LOST, THROTTLED), True), ((BROKEN,), True)],
)
def test_a_condition_that_fails_says_whether_it_may_be_our_own_doing(
    before: tuple[CallError, ...], is_doubtful: bool
) -> None:
    """Only after an attempt that may have come through is there a reason to look."""
    with pytest.raises(ConditionError) as caught:
        caller(RealClock()).call("write", ends(*before, CONDITION))
    assert caught.value.is_doubtful is is_doubtful

"""Each time limit of a forward, and what does not count against it."""

import pytest

from wakegate.core.spec import ForwardSpec
from wakegate.local.request.limits import overdue

ALL = ForwardSpec(response_timeout_s=10, stream_timeout_s=5, timeout_s=60)
NONE = ForwardSpec(response_timeout_s=0, stream_timeout_s=0, timeout_s=0)


@pytest.mark.parametrize(
    ("now_s", "asked_s", "answered_s", "said"),
    [
        (110, 100, None, ""),
        (111, 100, None, "no answer after 11 s (forward.response_timeout)"),
        (119, 109, None, ""),
        (150, None, None, ""),
        (155, 100, 150, ""),
        (156, 100, 150, "the answer stood still for 6 s (forward.stream_timeout)"),
        (156, None, 150, "the answer stood still for 6 s (forward.stream_timeout)"),
        (161, 160, None, "no complete answer after 1m 01s (forward.timeout)"),
        (161, None, 161, "no complete answer after 1m 01s (forward.timeout)"),
    ],
)
def test_the_limit_that_has_passed_is_named(now_s: int, asked_s: int | None, answered_s: int | None, said: str) -> None:
    """Whoever gets a 504 must be able to find the setting; a client that still sends is not waiting for an answer."""
    assert overdue(ALL, now_s=now_s, released_s=100, asked_s=asked_s, answered_s=answered_s) == said


@pytest.mark.parametrize("answered_s", [None, 100])
def test_a_limit_that_is_off_never_passes(answered_s: int | None) -> None:
    """An event stream may be open for a day."""
    assert overdue(NONE, now_s=1e9, released_s=100, asked_s=100, answered_s=answered_s) == ""

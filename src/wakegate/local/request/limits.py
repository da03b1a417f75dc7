"""limits: which time limit of a request on its way to the app has passed; waiting for a wake does not count."""

from wakegate.core.say import say_duration
from wakegate.core.spec import ForwardSpec


def overdue(
    limits: ForwardSpec, *, now_s: float, released_s: float, asked_s: float | None, answered_s: float | None
) -> str:
    """Return what took too long, in words that name the setting; "" for nothing.

    `asked_s` is when the last of the request was there for the app to read, None while the client still sends;
    `answered_s` is when the newest piece of the answer came, None where none has.
    """
    taken_s = now_s - released_s
    if limits.timeout_s and taken_s > limits.timeout_s:
        return f"no complete answer after {say_duration(taken_s)} (forward.timeout)"
    if answered_s is not None:
        still_s = now_s - answered_s
        if limits.stream_timeout_s and still_s > limits.stream_timeout_s:
            return f"the answer stood still for {say_duration(still_s)} (forward.stream_timeout)"
    elif asked_s is not None and limits.response_timeout_s and now_s - asked_s > limits.response_timeout_s:
        return f"no answer after {say_duration(now_s - asked_s)} (forward.response_timeout)"
    return ""

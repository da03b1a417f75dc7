"""What keeper and workers say arrives as it was said, however the bytes are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.local.workers.world import ask, cold, spec, warm

from wakegate.core import errors
from wakegate.core.errors import AsleepError, HeldError
from wakegate.core.spec import GatewaySpec
from wakegate.local.lane import Target
from wakegate.local.workers.wire import (
    Configure,
    Drain,
    Heard,
    Look,
    Message,
    Post,
    decode,
    encode,
    error_of,
    refusal,
)

TARGET = Target(number=1, host="127.0.0.1", port=4001)
MESSAGES: tuple[Message, ...] = (
    Configure(gateway=GatewaySpec(), posts=(Post(spec=spec(), row=2, epoch=7, outlook=warm(TARGET)),)),
    Look(service="web", epoch=8, outlook=cold()),
    Drain(),
    Heard(epochs={"web": 8}, busy={TARGET.serial: 2}),
    ask(path="/ä" * 1000),
)


@given(st.lists(st.integers(1, 4000), min_size=1))
def test_messages_arrive_whole_and_in_order(sizes: list[int]) -> None:
    """A socket cuts them anywhere."""
    data, buffer = b"".join(map(encode, MESSAGES)), bytearray()
    heard: list[Message] = []
    while data:
        size = sizes[len(heard) % len(sizes)]
        buffer += data[:size]
        data = data[size:]
        heard += decode(buffer)
    assert tuple(heard) == MESSAGES
    assert not buffer


@pytest.mark.parametrize("kind", HeldError.__subclasses__())
def test_every_refusal_of_a_service_can_be_written_down(kind: type[HeldError]) -> None:
    """The client of a worker gets the answer that one of the keeper would get."""
    error = kind("web", "it does not start", retry_after_s=4.5, log_tail=("a", "b"), elapsed_s=1.5)
    read = error_of(refusal(3, error))
    assert type(read) is kind
    assert vars(read) | {"is_quiet": False} == vars(error) | {"is_quiet": False}
    assert str(read) == str(error)
    assert getattr(errors, kind.__name__) is kind


@pytest.mark.parametrize("is_quiet", [False, True])
def test_a_health_check_stays_quiet(is_quiet: bool) -> None:
    """It is answered 204 where the settings say so."""
    error = AsleepError("web", "asleep", retry_after_s=1.0)
    error.is_quiet = is_quiet
    read = error_of(refusal(3, error))
    assert isinstance(read, AsleepError)
    assert read.is_quiet is is_quiet

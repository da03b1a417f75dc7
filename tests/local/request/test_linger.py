"""The time that a client has to read its last answer."""

from wakegate.local.request.linger import SILENCE_S, TOTAL_S, Linger


def test_a_silent_connection_is_over_soon() -> None:
    """It has read its answer, or never will."""
    linger = Linger(now_s=100)
    assert not linger.is_over(now_s=100 + SILENCE_S, unsent=0)
    assert linger.is_over(now_s=100.1 + SILENCE_S, unsent=0)


def test_a_client_that_still_sends_has_longer_but_not_for_ever() -> None:
    """Most send all before they read; one that never stops would keep its connection."""
    linger = Linger(now_s=100)
    now_s = 100.0
    while not linger.is_over(now_s=now_s, unsent=0):
        linger.heard(now_s=now_s)
        now_s += 1
    assert 100 + TOTAL_S < now_s <= 101 + TOTAL_S


def test_the_time_begins_when_the_answer_is_out() -> None:
    """To cut a slow reader would truncate what it reads."""
    linger = Linger(now_s=100)
    for number in range(10):
        assert not linger.is_over(now_s=200 + 10 * number, unsent=1000 - number)
    assert not linger.is_over(now_s=300, unsent=0)
    assert linger.is_over(now_s=300.1 + SILENCE_S, unsent=0)


def test_a_reader_that_takes_nothing_any_more_is_cut() -> None:
    """A full socket that stays full is held by nobody."""
    linger = Linger(now_s=100)
    assert not linger.is_over(now_s=100, unsent=1000)
    assert linger.is_over(now_s=100.1 + SILENCE_S, unsent=1000)

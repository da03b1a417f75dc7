"""A session's id tells when it was issued: also when nothing else is known of it any more."""

from datetime import UTC, datetime, timedelta

import pytest

from wakegate.core.session_id import RANDOM_BYTES, issued_at, make_id

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def test_an_id_tells_the_second_in_which_it_was_issued() -> None:
    """A cookie whose row is gone must not come to life again after its time."""
    session_id = make_id(issued_at=NOW + timedelta(seconds=0.7), random=bytes(RANDOM_BYTES))
    assert issued_at(session_id) == NOW


def test_an_id_is_22_characters_that_a_cookie_may_have() -> None:
    """It stands in a cookie, in a header and in a key."""
    session_id = make_id(issued_at=NOW, random=bytes(range(RANDOM_BYTES)))
    assert len(session_id) == 22
    assert session_id.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("text", ["", "a", "!!!!!!", "ä" * 22])
def test_what_is_no_id_has_no_time(text: str) -> None:
    """It comes from a signed cookie, yet a reader of ids must not fail on any text."""
    assert issued_at(text) is None

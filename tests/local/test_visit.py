"""What a request gets of its session."""

from datetime import UTC, datetime

from wakegate.local.visit import CookieVisit, Entry

NOW = datetime(2026, 3, 9, 14, 2, 11, tzinfo=UTC)


def test_a_known_session_sets_no_cookie() -> None:
    """Its entry is the visit of every request, thousands at a time: one that set a cookie would set it for all."""
    assert Entry("a", created_at=NOW, requests=1, data=b"", seen_s=5.0).set_cookie is None


def test_a_visit_that_waited_sees_what_was_stored_meanwhile() -> None:
    """A request held through a wake goes to the app with the newest data, not with that of its arrival."""
    entry = Entry("a", created_at=NOW, requests=1, data=b"old", seen_s=5.0)
    visit = CookieVisit("a", set_cookie=b"uuid=a", entry=entry)
    entry.data = b"new"
    assert visit.data == b"new"


def test_a_session_that_has_just_begun_has_no_data() -> None:
    """It is nowhere but in the cookie until that comes back."""
    assert CookieVisit("a", set_cookie=b"uuid=a", entry=None).data == b""

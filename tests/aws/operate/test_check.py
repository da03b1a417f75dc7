"""check: the values, and AWS's own words made short."""

from wakegate.aws.operate.check import Verdict, fail, ok, short, warn


def test_each_verdict_has_its_word() -> None:
    """They stand in the JSON, for programs."""
    assert [check.verdict for check in (ok("a", "b"), warn("a", "b", "c"), fail("a", "b"))] == ["ok", "warn", "fail"]
    assert (warn("a", "b", "c").mend, fail("a", "b").mend, Verdict.OK.value) == ("c", "", "ok")


def test_a_traceback_becomes_a_line() -> None:
    """A log line of AWS may have pages."""
    assert short("a\n  b\tc") == "a b c"
    assert short("x" * 400, limit=10) == "x" * 10 + "…"

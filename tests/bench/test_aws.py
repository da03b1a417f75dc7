"""The bench of the functions counts what it says, on a small scale; how fast anything is, is never asserted."""

from bench.options import Options

from bench import aws


def test_every_row_of_it_is_measured() -> None:
    """The bench itself would otherwise break unseen; what it counts are facts, and not a matter of the machine."""
    rows = {row.claim: row for row in aws.measure(Options(rounds=1), count=20, naive_count=5, requests=20)}
    assert len(rows) == 6
    assert [claim for claim, row in rows.items() if "wakegate" not in row.samples] == []
    calls = rows["aws: calls of the control plane per warm request"]
    assert (calls.value("wakegate"), calls.value("naive")) == (0, 4)
    asleep = rows["aws: invocations per hour asleep"]
    assert (asleep.value("wakegate"), asleep.value("naive")) == (1, 60)
    assert rows["aws: scale calls for 20 first requests at once"].value("wakegate") == 1

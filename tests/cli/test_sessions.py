"""`wakegate sessions`: who is there."""

import json

import httpx
from tests.cli.shell import run
from tests.scenarios.gateway import PATIENCE_S, Wakegate


def test_a_service_without_visitors_says_so(gateway: Wakegate) -> None:
    """A bare header would look like a fault."""
    ended = run("sessions", "web", folder=gateway.folder)
    assert (ended.returncode, ended.stdout) == (0, "no live sessions\n")
    assert json.loads(run("sessions", "web", "--json", folder=gateway.folder).stdout) == []


def test_visitors_are_listed_the_newest_first(gateway: Wakegate) -> None:
    """A session counts once its cookie has come back; its data is counted, and shown to programs only."""
    ids = []
    for data in ("cart=1", ""):
        with httpx.Client(base_url=gateway.url, timeout=PATIENCE_S) as visitor:
            visitor.get("/")
            visitor.get(f"/data?set={data}" if data else "/")
            ids.append(visitor.cookies["uuid"].partition(".")[0])
    header, *rows = run("sessions", "docs", folder=gateway.folder).stdout.splitlines()
    assert header.split() == ["SESSION", "REQUESTS", "LAST", "SEEN", "EXPIRES", "IN", "DATA"]
    assert [row.split()[0] for row in rows] == ids[::-1]
    assert rows[0].endswith("–")
    assert rows[1].endswith("6 B")
    listed = json.loads(run("sessions", "docs", "--json", "--limit", "1", folder=gateway.folder).stdout)
    assert [one["id"] for one in listed] == ids[1:]

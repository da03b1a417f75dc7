"""Each claim is measured on a small scale, so that the bench cannot rot; how fast anything is, is never asserted.

What needs a program that is not installed says so in its row, as it does for whoever runs the bench.
"""

import pytest
from bench.options import Options
from bench.peers import MissingError, need
from bench.table import Row

from bench import (
    containers,
    crowd,
    held,
    idle,
    latency,
    many,
    proxyd,
    sim,
    sizes,
    soak,
    transfer,
    wake,
    warm,
    websocket,
    workers,
)

SMALL = Options(seconds=0.2, rounds=1, soak_s=0.0)


def measured(rows: list[Row]) -> dict[str, Row]:
    """Return the rows by their claims; each of them must have a value."""
    assert [row.claim for row in rows if "wakegate" not in row.samples] == []
    return {row.claim: row for row in rows}


def if_there(programs: list[str]) -> None:
    """Skip where a program is not installed, in the words of the bench."""
    try:
        for program in programs:
            need(program)
    except MissingError as error:
        pytest.skip(str(error))


def test_a_small_herd_is_held_and_none_is_lost() -> None:
    """A lost request is what the row is there to see."""
    (row,) = held.measure(SMALL, count=50)
    assert row.samples["lost"] == [0.0]


def test_a_wake_and_an_idle_gateway_are_measured() -> None:
    """Two rows each."""
    assert len(measured(wake.measure(SMALL, wakes=1))) == 2
    assert len(measured(idle.measure(SMALL, requests=5))) == 2


def test_a_crowd_and_those_beside_it_are_measured() -> None:
    """What it costs, and what it does to others."""
    rows = measured(crowd.measure(SMALL, count=40))
    assert list(rows) == ["crowd: memory of each of 40 idle connections", "crowd: p99 beside them"]


def test_many_services_sleep_and_some_fall_asleep() -> None:
    """The file with all the services is understood, and the stalls have a gateway with one service beside them."""
    rows = measured(many.measure(SMALL, count=30, sleepers=2))
    assert len(rows) == 8
    assert [claim for claim, row in rows.items() if "with one service" not in row.samples] == []


def test_bodies_come_through_whole_both_ways() -> None:
    """A proxy that cuts a body short would be the fastest."""
    if_there(["nginx"])
    rows = measured(transfer.measure(SMALL, size=2_500_000))
    assert list(rows) == ["transfer: 2 MB down", "transfer: 2 MB up"]
    assert [row.samples["memory MB"] for row in rows.values() if len(row.samples["memory MB"]) != 1] == []


def test_messages_are_echoed_through_each_proxy() -> None:
    """A proxy that does not upgrade would count nothing."""
    if_there(["nginx"])
    (row,) = websocket.measure(SMALL)
    assert row.value("messages/s wakegate") > 0


def test_answers_of_each_size_are_asked_for_on_old_and_new_connections() -> None:
    """Two rows a size."""
    if_there(["wrk", "nginx"])
    rows = measured(sizes.measure(SMALL, sizes=["16 KB"]))
    assert list(rows) == ["sizes: 16 KB, connection kept open", "sizes: 16 KB, connection new each time"]


def test_warm_requests_are_measured() -> None:
    """One load of the three: each takes the seconds that are the least for wrk."""
    if_there(["wrk", "nginx"])
    assert list(measured(warm.measure(SMALL, loads=["visit"]))) == ["warm: a page and what it loads"]


def test_latency_is_measured() -> None:
    """One turn is enough to see that it works."""
    if_there(["wrk", "nginx"])
    (row,) = latency.measure(SMALL, turns=1)
    assert row.samples["p99 app"]


def test_a_core_a_worker_is_measured_where_there_are_workers() -> None:
    """It needs a setting of Wakegate's own, too."""
    if_there(["wrk", "nginx"])
    try:
        rows = workers.measure(SMALL)
    except MissingError as error:
        pytest.skip(str(error))
    measured(rows)


def test_a_wake_by_systemd_s_proxy_is_measured() -> None:
    """The launcher hands the socket over as systemd does, else the proxy refuses to start."""
    if_there(["systemd-socket-proxyd"])
    (row,) = proxyd.measure(SMALL, wakes=1)
    assert {name: len(values) for name, values in row.samples.items()} == {"wakegate": 1, "proxyd": 1}


def test_containers_are_measured_or_say_why_not() -> None:
    """A machine without Docker gets a line for it."""
    rows = containers.measure(SMALL, wakes=1)
    assert [row.claim for row in rows if not row.samples and not row.notes] == []
    assert all(row.claim.startswith("containers: ") for row in rows)


def test_nothing_is_lost_in_a_soak() -> None:
    """Three cycles are the least."""
    (row,) = soak.measure(SMALL)
    assert len(row.samples["wakegate"]) == 3
    assert row.goals[0].reached == "0 errors"


def test_interleavings_are_counted() -> None:
    """Of the worlds of both substrates."""
    rows = measured(sim.measure(SMALL, seeds=1))
    assert [row.unit for row in rows.values()] == ["/s", "/s"]

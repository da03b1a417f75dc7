"""Whichever process is killed, a worker, the keeper or the app: nobody who visits is refused for it."""

import os
import signal

import httpx
from tests.scenarios.conftest import PLAIN, SHORT_SLEEP, WAITING, Start
from tests.scenarios.gateway import eventually
from tests.scenarios.workers import LONG_DRAIN, TWO, Visitors, connections, of_each, workers


def test_a_killed_worker_is_replaced_and_what_it_had_in_flight_is_forgotten(wakegate: Start) -> None:
    """Else its service would be awake for ever; and nobody else may notice."""
    gateway = wakegate(TWO + PLAIN + '[service.web.sleep]\nidle_timeout = "2s"\ngrace = "100ms"\n')
    gateway.get()
    before = workers(gateway)
    lost = gateway.together(8, "/wait?for=never")
    gateway.until(in_flight=8)
    visitors = Visitors(gateway)
    with visitors.coming():
        visitors.more()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        told = gateway.wait_for("worker")
        assert "was ended by signal 9; another takes its place" in told["text"]
        eventually(lambda: len(workers(gateway)) == 2 and not set(workers(gateway)) & set(before), what="two others")
        visitors.more()
    assert visitors.problems == []
    assert all(isinstance(one.exception(), httpx.TransportError) for one in lost)
    gateway.wait_for("asleep")


def test_warm_traffic_goes_on_without_a_keeper_and_the_next_one_takes_over(wakegate: Start) -> None:
    """What decides may be killed and come back; who visits must not notice."""
    gateway = wakegate(TWO + PLAIN + '[service.web.sleep]\nidle_timeout = "2s"\ngrace = "100ms"\n')
    gateway.get()
    before, url = workers(gateway), gateway.url
    visitors = Visitors(gateway)
    with visitors.coming():
        visitors.more()
        gateway.kill()
        visitors.more()
        gateway.start()
        visitors.more()
        assert gateway.url == url
        assert workers(gateway) == before
        assert [notice["text"] for notice in gateway.told("adopted")] == [
            "2 running workers taken over",
            "1 running replica taken over",
        ]
    assert visitors.problems == []
    gateway.wait_for("asleep")
    assert gateway.get().status_code == 200


def test_what_must_be_asked_waits_for_the_next_keeper(wakegate: Start) -> None:
    """A request to a service that sleeps is held while there is nobody who could wake it."""
    gateway = wakegate(TWO + PLAIN)
    gateway.kill()
    waiting = gateway.together(6)
    eventually(lambda: connections(gateway) >= 6, what="they are connected")
    gateway.start()
    assert [answer.result().status_code for answer in waiting] == [200] * 6
    assert gateway.starts() == 1


def test_what_is_in_flight_when_the_keeper_is_killed_still_keeps_the_service_awake(wakegate: Start) -> None:
    """Held requests are counted by the keeper; the next one must hear of them."""
    gateway = wakegate(TWO + WAITING + SHORT_SLEEP)
    long = gateway.together(2, "/wait")
    gateway.until(held=2)
    gateway.let("listen")
    gateway.until(in_flight=2, held=0)
    gateway.kill()
    gateway.start()
    assert gateway.status()["in_flight"] == 2
    gateway.let("answer")
    assert [answer.result().status_code for answer in long] == [200, 200]
    gateway.wait_for("asleep")
    assert gateway.starts() == 1


def test_fewer_workers_after_a_kill_let_the_others_finish(wakegate: Start) -> None:
    """One process has the port again, and what the workers had in flight is answered."""
    gateway = wakegate(LONG_DRAIN + PLAIN)
    gateway.get()
    port = int(gateway.url.rpartition(":")[2])
    gateway.kill()
    gateway.configure(PLAIN)
    gateway.words = ("wakegate.toml", "--listen", f"127.0.0.1:{port}")
    gateway.start()
    assert workers(gateway) == []
    assert gateway.get().status_code == 200


def test_an_app_that_dies_is_found_out_by_a_worker_and_woken_again(wakegate: Start) -> None:
    """A worker that meets a closed port asks the keeper, and its request waits for the next replica."""
    gateway = wakegate(TWO + PLAIN)
    of_each(gateway)
    visitors = Visitors(gateway)
    with visitors.coming():
        visitors.more()
        os.kill(gateway.started_pids()[0], signal.SIGKILL)
        gateway.wait_for("ready")
        visitors.more()
    assert [problem for problem in visitors.problems if "connection-lost" not in problem] == []

"""The limits of a request that the app has, each within and beyond (acceptance list C2, C3)."""

import time

import httpx
import pytest
from tests.scenarios.conftest import PLAIN, WAITING, Start


@pytest.mark.parametrize(
    ("limits", "path", "status"),
    [
        ('timeout = "30s"', "/slow?s=0.3", 200),
        ('timeout = "300ms"', "/wait", 504),
        ('response_timeout = "30s"', "/slow?s=0.3", 200),
        ('response_timeout = "300ms"', "/wait", 504),
    ],
    ids=["within total", "beyond total", "within response start", "beyond response start"],
)
def test_the_app_has_its_time_and_no_more(wakegate: Start, limits: str, path: str, status: int) -> None:
    """C2 (Knative TestRevisionTimeout): 504 says which limit it was."""
    gateway = wakegate(f"{PLAIN}[service.web.forward]\n{limits}\n")
    answer = gateway.get(path)
    assert answer.status_code == status
    if status == 504:
        assert answer.json()["type"] == "urn:wakegate:problem:response-timeout"
        assert f"forward.{limits.partition(' ')[0]}" in answer.json()["detail"]
    assert gateway.get().status_code == 200
    assert gateway.status()["in_flight"] == 0


def test_an_answer_that_keeps_coming_is_within_its_limits(wakegate: Start) -> None:
    """C2: neither the limit of the first byte nor that between two pieces is one for the whole answer."""
    gateway = wakegate(f'{PLAIN}[service.web.forward]\nresponse_timeout = "2s"\nstream_timeout = "2s"\n')
    assert gateway.get("/stream?n=10&s=0.3").text.count("data: ") == 10


@pytest.mark.parametrize("limit", ["stream_timeout", "timeout"])
def test_an_answer_that_stands_still_is_cut(wakegate: Start, limit: str) -> None:
    """C2: after the head no status can say it any more, so the client must see that the answer is not whole."""
    gateway = wakegate(f'{PLAIN}[service.web.forward]\n{limit} = "1s"\n')
    with gateway.client.stream("GET", "/stream?for=answer") as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            answer.read()
    gateway.until(in_flight=0)


def test_waiting_for_a_wake_counts_against_no_limit(wakegate: Start) -> None:
    """C3 (Knative #15352): the app has its whole time once it is there."""
    gateway = wakegate(WAITING + '[service.web.forward]\nresponse_timeout = "3s"\ntimeout = "3s"\n')
    (answer,) = gateway.together(1, "/slow?s=0.3")
    gateway.until(held=1)
    time.sleep(3.3)  # the claim is about a wait that is longer than both limits
    gateway.let("listen")
    assert answer.result().status_code == 200


def test_a_client_that_sends_its_head_too_slowly_is_told_so(wakegate: Start) -> None:
    """A slow or hostile client holds a connection no longer than it may, and wakes nothing."""
    gateway = wakegate('[gateway]\nhead_timeout = "300ms"\n' + PLAIN)
    assert gateway.exchange(b"GET / HTTP/1.1\r\nHost: x\r\n").startswith(b"HTTP/1.1 408 ")
    assert gateway.starts() == 0

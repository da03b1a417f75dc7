"""The gateway's own answers on its wire; what they say is tested in tests/answer."""

from wakegate.core.errors import HoldFullError
from wakegate.core.phase import Phase
from wakegate.core.progress import Progress
from wakegate.local.request.answer import answer, reserved


class Awake:
    """A service that is awake."""

    def progress(self) -> Progress:
        """See `Lane.progress`."""
        return Progress(service="shop", phase=Phase.AWAKE, elapsed_s=0.0, usual_s=None, retry_after_s=1.0)

    def retry(self) -> bool:
        """See `Lane.retry`."""
        return False


def refusal(*, html: bool, is_head: bool) -> bytes:
    """Return the answer to a request that was one too many."""
    return answer(
        HoldFullError("shop", "full", retry_after_s=4.2),
        request_id="r",
        wants_html=html,
        is_head=is_head,
        keep_alive=False,
        progress=None,
        path="/",
        show_errors=False,
    )


def test_a_head_request_gets_the_head_alone() -> None:
    """For programs and for browsers, with the length that a GET would have."""
    for html in (False, True):
        whole, head = refusal(html=html, is_head=False), refusal(html=html, is_head=True)
        assert head.endswith(b"\r\n\r\n")
        assert b"Connection: close\r\n" in head
        assert b"Content-Length: 0" not in head
        assert whole.startswith(head)
        assert len(whole) > len(head)


def test_a_head_request_of_a_reserved_path_gets_the_head_alone() -> None:
    """A body would be read as the next answer."""

    def made(*, is_head: bool) -> bytes:
        return reserved(
            "/.wakegate/status",
            method="HEAD" if is_head else "GET",
            lane=Awake(),
            same_origin=True,
            is_head=is_head,
            keep_alive=True,
            request_id="r",
        )

    assert made(is_head=False).startswith(made(is_head=True))
    assert made(is_head=True).endswith(b"\r\n\r\n")

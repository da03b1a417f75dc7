"""memo: what is known of the last complete answer on a connection; one with the same head needs no second look.

Nothing of a client is in it: only bytes that the app has sent and will have sent again.
"""

from wakegate.local.http.head import Body
from wakegate.local.http.response import ResponseHead


class Memo:
    """An answer whose head and body came in one piece."""

    __slots__ = ("client", "is_shareable", "raw", "total")

    def __init__(self, raw: bytes, *, client: bytes, is_shareable: bool, total: int) -> None:
        self.raw = raw  # the head as the app sent it
        self.client = client  # the head lines for the client
        self.is_shareable = is_shareable  # a shared cache may keep it: it must carry no cookie
        self.total = total  # bytes of head and body


def memorize(whole: bytes, head: ResponseHead) -> Memo | None:
    """Return the memo of an answer, None for one that is not one head and one fixed body, or asks something of us."""
    if head.body is not Body.FIXED or head.session_data is not None or head.keep_awake is not None:
        return None
    size = len(whole) - head.length
    if size < 4 or whole.find(b"\r\n\r\n") != size - 4:
        return None
    return Memo(whole[:size], client=head.client, is_shareable=head.is_shareable, total=len(whole))

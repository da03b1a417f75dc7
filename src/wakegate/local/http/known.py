"""Heads that are known, as a whole or by their lines: the short way past llhttp for requests without a body.

Clients repeat themselves: a browser sends a handful of header blocks for a page and its parts, and of the dozen lines
of a block one or two differ from the next. A line is checked once, by a grammar that is stricter than llhttp's, and
remembered, as is a block of such lines; whatever frames a message or asks for special treatment is not known here and
goes the long way, so that a message is never delimited by this file.
"""

import re

from wakegate.local.http.head import HOST, LOOKED_AT, NOT_FORWARDED, REQUEST_ID, RequestHead, is_forged, upstream_block
from wakegate.local.http.peer import Peer

REQUEST_LINE = re.compile(rb"(GET|HEAD|DELETE|OPTIONS) (/[!-\"$-~]*) HTTP/1\.1")
# Possessive where two parts could share what they match: 32 KB of blanks would cost seconds of backtracking.
LINE = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++):[ \t]*+((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)[ \t]*"
)
LINES_MAX = 4096  # remembered in a process; when there are more, all are forgotten
LINE_BYTES_MAX = 1024  # longer ones are not remembered
SPECIAL = (NOT_FORWARDED | {b"content-length", b"expect", b"trailer"}) - {b"connection"}

BLOCKS_MAX = 1024  # remembered in a process, in each of two generations
BLOCK_BYTES_MAX = 4096  # longer ones are not remembered: clients choose what they send, and it stays in memory

Known = tuple[bytes, bytes, bytes]  # lower-case name if it is looked at, else b""; value; the line for the app


class Blocks:
    """Remembers the heads of the newest header blocks: one that is met again stays, others go with their generation."""

    __slots__ = ("_old", "_young")

    def __init__(self) -> None:
        self._young: dict[bytes, RequestHead] = {}
        self._old: dict[bytes, RequestHead] = {}

    def get(self, block: bytes, *, peer: Peer) -> RequestHead | None:
        """Return the head that this block made from this peer; the forwarding headers in it name the peer."""
        head = self._young.get(block)
        if head is None:
            head = self._old.get(block)
            if head is None:
                return None
            self.put(block, head)
        return head if head.peer == peer else None

    def put(self, block: bytes, head: RequestHead) -> None:
        """Remember the head of a block."""
        if len(block) > BLOCK_BYTES_MAX:
            return
        if len(self._young) >= BLOCKS_MAX:
            self._young, self._old = {}, self._young
        self._young[block] = head


_known: dict[bytes, Known | None] = {}
_blocks = Blocks()


def read_known(data: bytes, *, peer: Peer) -> tuple[bytes, bytes, RequestHead] | None:
    """Return method, target and head of data that is one whole request head and nothing else, or None: parse it."""
    line, _, block = data.partition(b"\r\n")
    request_line = REQUEST_LINE.fullmatch(line)
    if request_line is None:
        return None
    head = _blocks.get(block, peer=peer)
    if head is None:
        head = _read_block(block, peer=peer)
        if head is None:
            return None
    return request_line[1], request_line[2], head


def _read_block(block: bytes, *, peer: Peer) -> RequestHead | None:
    """Return the head that a block of known lines makes, None where one of them goes the long way.

    It is remembered where its lines had been: a client that sends a line of its own with each request fills no memory
    with blocks that nobody sends again.
    """
    if not block.endswith(b"\r\n\r\n"):
        return None
    seen: dict[bytes, bytes] = {}
    kept: list[bytes] = []
    is_new = False
    for line in block[:-4].split(b"\r\n"):
        known = _known.get(line)
        if known is None:
            known = _learn(line)
            if known is None:
                return None
            is_new = is_new or len(line) <= LINE_BYTES_MAX  # a longer one is never remembered, its block may be
        name, value, forwarded = known
        if name:
            if name in seen:
                return None  # what several lines of one name mean is for the long way to say
            seen[name] = value
            if name in (b"host", b"connection"):
                continue
        kept.append(forwarded)
    host = seen.get(b"host")
    if not host:
        return None
    is_keep_alive = seen.get(b"connection", b"").lower() != b"close"
    upstream = upstream_block(kept, host=host, peer=peer)
    head = RequestHead(host, peer=peer, upstream=upstream, seen=seen, is_keep_alive=is_keep_alive)
    if not is_new:
        _blocks.put(block, head)
    return head


def _learn(line: bytes) -> Known | None:
    """Check a line and remember it; None for one that goes the long way."""
    match = LINE.fullmatch(line)
    if match is None:
        return None
    name, value = match[1].lower(), match[2]
    if name in SPECIAL or is_forged(name) or (name == b"connection" and value.lower() not in (b"keep-alive", b"close")):
        return None
    if (name == b"host" and not HOST.fullmatch(value)) or (name == b"x-request-id" and not REQUEST_ID.fullmatch(value)):
        return None
    known = (name if name in LOOKED_AT else b"", value, match[1] + b": " + value)
    if len(line) <= LINE_BYTES_MAX:
        if len(_known) >= LINES_MAX:
            _known.clear()
        _known[line] = known
    return known

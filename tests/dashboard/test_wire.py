"""The language of the control socket, and where the socket is."""

import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wakegate.core.ledger import WakeLine
from wakegate.core.phase import Phase
from wakegate.dashboard.wire import PATH_BYTES_MAX, decode, encode, fields, socket_path

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_one_value_is_one_line() -> None:
    """Lines are what the other side splits at: nothing in a value may make a second one."""
    line = encode({"text": "two\nlines\u2028three", "name": "ü"})
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line) == {"text": "two\nlines\u2028three", "name": "ü"}


def test_our_values_are_sent_as_their_fields() -> None:
    """Times with their zone, bytes as they are, enums as their words; nested as deep as they come."""
    line = WakeLine(id="1", service="web", at=AT, cause="GET /")
    sent = decode(encode({"wakes": (line,), "phase": Phase.AWAKE, "data": b"\x00\xff"}))
    assert sent["wakes"][0]["cause"] == "GET /"
    assert datetime.fromisoformat(sent["wakes"][0]["at"]) == AT
    assert sent["phase"] == "awake"
    assert sent["data"].encode("latin-1") == b"\x00\xff"
    assert fields(line)["service"] == "web"


def test_a_word_that_is_no_text_can_be_sent() -> None:
    """Bytes of a command line in another encoding arrive as lone surrogates, which UTF-8 has no form for."""
    assert decode(encode({"service": os.fsdecode(b"caf\xe9")})) == {"service": "caf?"}


def test_what_has_no_form_is_a_bug() -> None:
    """To send something as its repr would be worse than to fail where it is written."""
    with pytest.raises(TypeError, match="object cannot be sent"):
        encode(object())
    with pytest.raises(json.JSONDecodeError):
        decode(b"no json\n")


def test_the_socket_is_in_the_state_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the directory is written, it is the same socket."""
    monkeypatch.chdir(tmp_path)
    assert socket_path(Path("s")) == tmp_path.resolve() / "s" / "control.sock"
    (tmp_path / "link").symlink_to(tmp_path / "s")
    assert socket_path(tmp_path / "link") == socket_path(tmp_path / "x" / ".." / "s")


def test_a_path_too_long_for_a_socket_is_in_the_temporary_directory(tmp_path: Path) -> None:
    """The kernel takes about a hundred bytes; deep build folders have more, and no two may share a socket."""
    one, other = (tmp_path / (letter * 100) for letter in "ab")
    assert socket_path(one) == socket_path(one)
    assert socket_path(one) != socket_path(other)
    assert socket_path(one).parent == Path(tempfile.gettempdir())
    assert len(os.fsencode(socket_path(one))) <= PATH_BYTES_MAX


def test_the_limit_counts_bytes_and_not_letters(tmp_path: Path) -> None:
    """A folder named in another script is longer than it looks."""
    room = PATH_BYTES_MAX - len(os.fsencode(tmp_path.resolve())) - len("/control.sock") - 1
    assert socket_path(tmp_path / ("a" * room)).parent.parent == tmp_path.resolve()
    assert socket_path(tmp_path / ("ü" * room)).parent == Path(tempfile.gettempdir())

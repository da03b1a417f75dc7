"""The board: what one process counts, another reads; what is killed leaves its counts behind."""

import os
import subprocess
import sys

import pytest

from wakegate.core.errors import StateError
from wakegate.local.workers.board import RECENT_MAX, ROWS_MAX, TEXT_BYTES_MAX, Board


def test_what_one_has_let_in_the_other_sees() -> None:
    """Without a word between them: that is what it is for."""
    board = Board.make()
    writer, reader = board.slot(1).row(3), Board(os.dup(board.fd)).slot(1).row(3)
    writer.began(10.0)
    writer.began(11.0)
    writer.ended(10.0, now_s=12.5)
    assert (reader.in_flight, reader.requests, reader.touched_s) == (1, 2, 12.5)
    assert reader.durations(since=0) == [2.5]
    assert reader.durations(since=1) == []


def test_rows_and_slots_are_apart() -> None:
    """One worker's counts must not be another's, nor one service's another's."""
    board = Board.make()
    for slot, row in ((0, 0), (0, ROWS_MAX - 1), (1, 0)):
        board.slot(slot).row(row).began(1.0)
    counts = [board.slot(slot).row(row).in_flight for slot in (0, 1) for row in (0, 1, ROWS_MAX - 1)]
    assert counts == [1, 0, 1, 1, 0, 0]


def test_a_process_that_is_killed_leaves_its_counts() -> None:
    """Until it is known to be gone they may be true."""
    board = Board.make()
    code = (
        "import os, signal; from wakegate.local.workers.board import Board\n"
        f"Board({board.fd}).slot(0).row(0).began(5.0); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], pass_fds=[board.fd], check=False)
    row = board.slot(0).row(0)
    assert (row.in_flight, row.touched_s) == (1, 5.0)
    row.wipe()
    assert (row.in_flight, row.requests, row.touched_s) == (0, 0, 0.0)


def test_a_worker_goes_on_counting_where_its_row_stands() -> None:
    """A row that is taken again begins with what it says."""
    board = Board.make()
    board.slot(0).row(0).began(1.0)
    again = board.slot(0).row(0)
    again.ended(1.0, now_s=2.0)
    assert (again.in_flight, again.requests) == (0, 1)


def test_requests_move_between_worker_and_keeper() -> None:
    """One that did not reach the app is the keeper's; what a dead keeper counted is the worker's."""
    row = Board.make().slot(0).row(0)
    row.began(1.0)
    row.taken_back()
    assert (row.in_flight, row.requests) == (0, 0)
    row.taken_over()
    assert (row.in_flight, row.requests) == (1, 0)


def test_of_many_durations_the_newest_are_kept() -> None:
    """In a ring, so that it never grows."""
    row = Board.make().slot(0).row(0)
    for number in range(RECENT_MAX + 5):
        row.began(0.0)
        row.ended(0.0, now_s=float(number))
    assert row.durations(since=0) == [float(number) for number in range(5, RECENT_MAX + 5)]
    assert row.durations(since=RECENT_MAX + 3) == [RECENT_MAX + 3.0, RECENT_MAX + 4.0]


@pytest.mark.parametrize("text", ["", "GET /", "GET /ä" + "x" * 500])
def test_the_newest_request_has_a_name_that_fits(text: str) -> None:
    """A path may be longer than its row, and is cut; the durations before it stay."""
    board = Board.make()
    row = board.slot(0).row(0)
    row.began(0.0)
    row.ended(0.0, now_s=7.0)
    row.note("a longer one before it")
    row.note(text)
    assert row.last == text.encode()[:TEXT_BYTES_MAX].decode()
    assert (row.durations(since=0), board.slot(0).row(1).in_flight) == ([7.0], 0)


def test_a_mark_changes_for_everybody_when_data_is_stored() -> None:
    """Each time to something new: whoever has seen any of the old ones reads again."""
    board = Board.make()
    other = Board(os.dup(board.fd))
    seen = {other.mark("a")}
    for writer in (board, board, other):
        mark = writer.change("a")
        assert board.mark("a") == other.mark("a") == mark
        seen.add(mark)
    assert len(seen) == 4
    assert other.mark("b") == 0


def test_there_are_only_so_many_rows() -> None:
    """The sentence says what to do."""
    with pytest.raises(StateError, match="16384 services at most; set workers = 1 for more"):
        Board.make().slot(0).row(ROWS_MAX)


def test_a_board_knows_its_own_memory() -> None:
    """A worker of another lineage counts elsewhere."""
    board = Board.make()
    assert board.is_at(os.dup(board.fd))
    assert not board.is_at(Board.make().fd)

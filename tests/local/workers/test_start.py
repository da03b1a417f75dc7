"""How a worker's process is started: with what it needs, and nothing of where the gateway was started."""

from pathlib import Path

import pytest
from tests.local.workers.process import App, Process, end, process
from tests.local.workers.world import warm

from wakegate.local.workers.papers import folder_of
from wakegate.local.workers.start import log_tail

pytestmark = pytest.mark.anyio


async def test_what_lies_in_the_folder_of_the_gateway_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `click.py` or a `wakegate` beside somebody's app is not ours."""
    for name in ("wakegate", "uvloop", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not mine')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    async with App() as app, process(tmp_path / "state") as worker:
        await worker.configure(warm(app.target))
        assert (await worker.get()).status_code == 200


async def test_what_keeps_it_from_being_a_worker_is_the_last_line_of_its_log(tmp_path: Path) -> None:
    """The timeline shows it."""
    folder_of(tmp_path).mkdir()
    (tmp_path / "state.sqlite").write_bytes(b"this is no database, and long enough to be seen as none" * 20)
    worker = Process(tmp_path)
    try:
        with pytest.raises(EOFError):
            await worker.begin()
        assert await worker.ended() == 1
    finally:
        end(worker.child)
        worker.listening.close()
        await worker.client.aclose()
    assert "is damaged" in log_tail(tmp_path, 1)[-1]

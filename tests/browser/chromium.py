"""The installed browser. A file of tests imports this, and is skipped as a whole, in one line, where there is none."""

import shutil
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATH = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
PATIENCE_S = 20.0

Open = Callable[..., Page]

if PATH is None:
    pytest.skip(f"no browser is installed; looked for {', '.join(NAMES)}", allow_module_level=True)


def eventually(page: Page, check: Callable[[], object], *, what: str) -> None:
    """Wait until `check` holds, while the browser's events go on."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < deadline_s, f"not within {PATIENCE_S:.0f} s: {what}"
        page.wait_for_timeout(20)

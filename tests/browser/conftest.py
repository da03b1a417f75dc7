"""One browser for each file of tests, and pages in it that tell what went wrong in them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser.stage import Stage


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the installed Chromium; nothing is downloaded. Module scope: its loop must not outlive these tests."""
    from tests.browser.chromium import FLAGS, PATH  # noqa: PLC0415  at the top it would skip by failing this file

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PATH, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Serve a service that wakes."""
    with Stage() as stage:
        yield stage


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open addresses, each in a browser profile of its own; an error in a page fails the test."""
    contexts, errors = [], []

    def open_page(url: str, **options: Any) -> Page:
        contexts.append(context := browser.new_context(**options))
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if "Content Security Policy" in line.text else None)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []

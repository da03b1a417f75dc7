"""The page when a wake fails, and the error pages."""

import pytest
from playwright.sync_api import expect
from tests.browser.chromium import Open, eventually
from tests.browser.stage import FAILURE, Stage

from wakegate.core.errors import ConnectionLostError, HoldFullError, RequestError, ServiceUnknownError

pytestmark = pytest.mark.browser


def test_a_wake_that_fails_is_told_on_the_page_that_waits(stage: Stage, open_page: Open) -> None:
    """What happened, when it is tried again, and a button; without a load in between."""
    page = open_page(stage.url)
    stage.state, stage.retry_s = "failed", 47.0
    expect(page).to_have_title("shop could not start")
    expect(page.locator("#said")).to_have_text(f"It could not start: {FAILURE}.")
    expect(page.get_by_text("It will be tried again in 47 seconds.")).to_be_visible()
    expect(page.get_by_role("button", name="Try now")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_hidden()
    assert stage.loads() == 1


def test_a_failed_page_that_is_loaded_says_the_same(stage: Stage, open_page: Open) -> None:
    """The server's words and the script's are one: nothing jumps when the first answer comes."""
    stage.state = "failed"
    page = open_page(stage.url)
    expect(page).to_have_title("shop could not start")
    sentence = page.locator("#said").text_content()
    assert sentence == f"It could not start: {FAILURE}."
    eventually(page, lambda: stage.polls() > 0, what="the page asks")
    expect(page.locator("#live")).to_be_empty()
    assert page.locator("#said").text_content() == sentence
    expect(page.get_by_text("503 · request 5f3a9c0e00000012")).to_be_visible()


def test_the_countdown_counts_and_then_it_is_tried_again(stage: Stage, open_page: Open) -> None:
    """Nobody has to sit there and press a button."""
    stage.state, stage.retry_s = "failed", 60.0
    page = open_page(stage.url)
    expect(page.get_by_text("It will be tried again in 1 minute.")).to_be_visible()
    expect(page.get_by_text("It will be tried again in 59 seconds.")).to_be_visible()
    stage.retry_s = 1.0
    eventually(page, lambda: stage.loads() == 2, what="it is tried again")
    stage.state = "ready"
    expect(page).to_have_title("The app")


def test_try_now_asks_for_a_retry_and_waits_for_it(stage: Stage, open_page: Open) -> None:
    """A person who has mended the app does not wait for the backoff."""
    stage.state = "failed"
    page = open_page(f"{stage.url}/cart#top")
    page.get_by_role("button", name="Try now").click()
    expect(page).to_have_title("Waking shop…")
    assert "POST /.wakegate/retry?path=%2Fcart" in stage.requests
    stage.state = "ready"
    expect(page).to_have_title("The app")
    assert page.url == f"{stage.url}/cart#top"


def test_try_now_that_comes_too_soon_is_tried_until_it_is_heard(stage: Stage, open_page: Open) -> None:
    """A wake was tried a moment ago: a button that does nothing would be pressed again and again."""
    stage.state, stage.refusals = "failed", 2
    page = open_page(stage.url)
    page.get_by_role("button", name="Try now").click()
    expect(page.get_by_text("Trying now…")).to_be_visible()
    expect(page).to_have_title("Waking shop…")
    assert sum(1 for line in stage.requests if line.startswith("POST")) == 3
    assert stage.loads() == 2


def test_try_now_works_from_the_keyboard(stage: Stage, open_page: Open) -> None:
    """It is the only thing to reach, and the ring shows where one is."""
    stage.state = "failed"
    page = open_page(stage.url)
    page.keyboard.press("Tab")
    button = page.get_by_role("button", name="Try now")
    expect(button).to_be_focused()
    assert button.evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page).to_have_title("Waking shop…")


def test_a_wake_that_somebody_else_began_is_noticed(stage: Stage, open_page: Open) -> None:
    """Two visitors on the failed page: one presses the button, both get the app."""
    stage.state = "failed"
    page = open_page(stage.url)
    expect(page).to_have_title("shop could not start")
    stage.retry()
    expect(page).to_have_title("Waking shop…")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("button")).to_be_hidden()
    stage.state = "ready"
    expect(page).to_have_title("The app")


def test_without_scripts_a_failed_page_is_tried_again_too(stage: Stage, open_page: Open) -> None:
    """By the header, when the backoff has passed."""
    stage.state, stage.retry_s = "failed", 1.0
    page = open_page(stage.url, java_script_enabled=False)
    expect(page.get_by_text("It will be tried again in a second.")).to_be_visible()
    expect(page.get_by_role("button")).to_be_hidden()
    stage.state = "ready"
    expect(page).to_have_title("The app")


@pytest.mark.parametrize(
    ("error", "title", "texts"),
    [
        (ServiceUnknownError(), "No service here", ("Check the host name and the path", "404 · request")),
        (
            ConnectionLostError("shop", "the app closed the connection before its answer"),
            "The service broke off its answer",
            ("shop: the app closed the connection before its answer.", "wakegate logs", "502 · request"),
        ),
        (
            HoldFullError("shop", "10 requests wait already", retry_after_s=7.2),
            "Too many requests are waiting",
            ("shop: 10 requests wait already.", "Try again in 8 seconds.", "503 · request"),
        ),
    ],
    ids=["404", "502", "hold-full"],
)
def test_an_error_page_says_why_and_what_next(
    stage: Stage, open_page: Open, error: RequestError, title: str, texts: tuple[str, ...]
) -> None:
    """In the same look, and it stands still: no question, no reload."""
    stage.error = error
    page = open_page(stage.url)
    expect(page).to_have_title(title)
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    for text in texts:
        expect(page.get_by_text(text)).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_hidden()
    assert stage.polls() == 0


def test_try_again_on_an_error_page_loads_the_same_address(stage: Stage, open_page: Open) -> None:
    """A plain link, so that it works without scripts."""
    stage.error = HoldFullError("shop", "10 requests wait already", retry_after_s=7.2)
    page = open_page(f"{stage.url}/cart?a=1", java_script_enabled=False)
    stage.error, stage.state = None, "ready"
    page.get_by_role("link", name="Try again").click()
    expect(page).to_have_title("The app")
    assert page.url == f"{stage.url}/cart?a=1"

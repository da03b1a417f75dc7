"""The waiting page while a service wakes, and how the app takes its place."""

import base64
import re
import time
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from tests.browser.chromium import PATIENCE_S, Open, eventually
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser

# The darkest and the lightest of four pixels near the corners and one in the middle, 0 to 255.
LIGHTNESS = """async (png) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height), brush = canvas.getContext("2d");
    brush.drawImage(image, 0, 0);
    const [w, h] = [image.width, image.height];
    const spots = [[9, 9], [w - 9, 9], [9, h - 9], [w - 9, h - 9], [w >> 1, h >> 1]];
    const light = spots.map(([x, y]) => Math.max(...brush.getImageData(x, y, 1, 1).data.slice(0, 3)));
    return [Math.min(...light), Math.max(...light)];
}"""


def bar(page: Page) -> float:
    """Read how full the bar is, as a screen reader does."""
    return float(page.get_by_role("progressbar").evaluate("bar => bar.value"))


def test_the_page_says_what_happens_and_how_long_it_takes(stage: Stage, open_page: Open) -> None:
    """The first thing that a visitor sees of a sleeping service."""
    stage.began_s = time.monotonic() - 7
    page = open_page(stage.url)
    expect(page).to_have_title("Waking shop…")
    expect(page.get_by_role("heading", name="shop")).to_be_visible()
    expect(page.get_by_text("Waking up. This usually takes about 12 seconds.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^[789] seconds so far$"))).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.get_by_role("button").count() == 0


def test_the_bar_continues_where_the_wake_is_and_moves(stage: Stage, open_page: Open) -> None:
    """A reload or a second visitor does not start the bar again."""
    stage.began_s = time.monotonic() - 6
    page = open_page(stage.url)
    before = bar(page)
    assert 38 < before < 60
    eventually(page, lambda: bar(page) > before + 2, what="the bar moves")


def test_the_bar_slows_down_instead_of_lying(stage: Stage, open_page: Open) -> None:
    """A wake of five times the usual duration is still not shown as done."""
    stage.began_s = time.monotonic() - 60
    page = open_page(stage.url)
    assert 99 < bar(page) < 100
    expect(page.get_by_text("1 minute so far").or_(page.get_by_text("1 minute 1 second so far"))).to_be_visible()


def test_without_a_known_duration_the_bar_claims_nothing(stage: Stage, open_page: Open) -> None:
    """The first wake of all: a bar without a value, and a sentence that says so."""
    stage.usual_s = None
    page = open_page(stage.url)
    expect(page.get_by_text("How long this takes is not known yet.")).to_be_visible()
    assert page.evaluate("document.querySelector('progress').matches(':indeterminate')")


def test_the_app_takes_the_place_of_the_page_by_itself(stage: Stage, open_page: Open) -> None:
    """No click, and the address is kept to the last letter, with the fragment that no server ever sees."""
    page = open_page(f"{stage.url}/cart/7?a=1&b=%3C#item-3")
    eventually(page, lambda: stage.polls() > 1, what="the page asks")
    depth = page.evaluate("history.length")
    stage.state = "ready"
    expect(page).to_have_title("The app")
    assert page.url == f"{stage.url}/cart/7?a=1&b=%3C#item-3"
    assert page.evaluate("history.length") == depth, "the way back must not lead to the waiting page"
    assert stage.loads() == 2
    assert f"GET /.wakegate/status?path={quote('/cart/7', safe='')}" in stage.requests


def test_no_blank_frame_is_shown_between_the_page_and_the_app(stage: Stage, open_page: Open) -> None:
    """A white flash in a dark room; the app here has a stylesheet that keeps its first paint waiting."""
    stage.css_delay_s = 0.4
    page = open_page(stage.url, color_scheme="dark", viewport={"width": 640, "height": 480})
    frames: list[str] = []
    session = page.context.new_cdp_session(page)

    def keep(frame: dict[str, object]) -> None:
        frames.append(str(frame["data"]))
        session.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    session.on("Page.screencastFrame", keep)
    session.send("Page.startScreencast", {"format": "png", "everyNthFrame": 1})
    eventually(page, lambda: len(frames) > 2, what="frames of the page")
    stage.state = "ready"
    expect(page).to_have_title("The app")
    expect(page.get_by_text("The app is here")).to_be_visible()
    seen = len(frames)
    page.evaluate("document.body.append('one frame more')")
    eventually(page, lambda: len(frames) > seen, what="a frame of the app")
    session.send("Page.stopScreencast")
    judge = open_page("about:blank")
    lightness = [judge.evaluate(LIGHTNESS, frame) for frame in frames]
    assert max(lightest for _, lightest in lightness) < 64, f"a light frame among {lightness}"


def test_a_screen_reader_hears_it_rarely(stage: Stage, open_page: Open) -> None:
    """The live region speaks every ten seconds and at a change of state, not each second."""
    stage.began_s = time.monotonic() - 1
    page = open_page(stage.url)
    page.evaluate(
        "window.heard = []; new MutationObserver(() => heard.push(document.querySelector('#live').textContent))"
        ".observe(document.querySelector('#live'), {childList: true, characterData: true, subtree: true})"
    )
    expect(page.get_by_text("3 seconds so far")).to_be_visible()
    assert page.evaluate("heard") == []
    stage.began_s = time.monotonic() - 30
    eventually(page, lambda: page.evaluate("heard.length"), what="something is heard")
    assert re.fullmatch(r"Still waking, 3\d seconds so far\.", page.evaluate("heard[0]"))
    stage.state = "failed"
    expect(page).to_have_title("shop could not start")
    assert page.evaluate("heard.length") == 2
    assert page.evaluate("heard[1]").startswith("shop: It could not start: exited with status 3")


def test_without_scripts_the_page_loads_itself_again(stage: Stage, open_page: Open) -> None:
    """By header and by element, at the estimated time."""
    stage.refresh_s = 1.0
    page = open_page(f"{stage.url}/cart?a=1", java_script_enabled=False)
    expect(page.locator("noscript p")).to_have_text("Checked again in a second. Check now")
    assert bar(page) >= 0
    stage.state = "ready"
    expect(page).to_have_title("The app")
    assert page.url == f"{stage.url}/cart?a=1"
    assert stage.polls() == 0


def test_with_scripts_the_refresh_header_is_taken_back(stage: Stage, open_page: Open) -> None:
    """A reload in the middle of a wake would flicker, and be one more held request."""
    stage.refresh_s = 1.0
    page = open_page(stage.url)
    expect(page.get_by_text("3 seconds so far")).to_be_visible()
    assert stage.loads() == 1


def test_an_app_that_answers_with_the_page_again_is_not_asked_in_a_hot_loop(stage: Stage, open_page: Open) -> None:
    """A service that flaps between ready and waking, or a front that caches."""

    def flap() -> None:
        stage.state = "waking"

    stage.on_load = flap
    page = open_page(stage.url)
    began_s = time.monotonic()
    while stage.loads() < 4:
        stage.state = "ready"
        page.wait_for_timeout(20)
    assert time.monotonic() - began_s > 2.5, "the second load follows after 1 s, the third 2 s later"
    stage.on_load, stage.state = (lambda: None), "ready"
    expect(page).to_have_title("The app", timeout=PATIENCE_S * 1000)


def test_a_hidden_tab_asks_nothing_and_one_that_is_seen_again_asks_at_once(stage: Stage, open_page: Open) -> None:
    """A forgotten tab costs nothing; one that is looked at is right."""
    page = open_page(stage.url)
    eventually(page, lambda: stage.polls() > 1, what="the page asks")
    page.evaluate(
        "window.setHidden = (is) => { Object.defineProperty(document, 'hidden', {value: is, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange')) }; setHidden(true)"
    )
    page.wait_for_timeout(300)  # what was under way when it was hidden comes to its end
    asked = stage.polls()
    page.wait_for_timeout(1500)
    assert stage.polls() == asked
    stage.state = "ready"
    page.evaluate("setHidden(false)")
    expect(page).to_have_title("The app")


def test_a_gateway_that_is_away_is_said_and_waited_for(stage: Stage, open_page: Open) -> None:
    """A restart of the gateway in the middle of a wake."""
    page = open_page(stage.url)
    stage.status_head = "502 Bad Gateway"
    expect(page.get_by_text("The gateway does not answer. Asking again…")).to_be_visible()
    stage.status_head = None
    expect(page.get_by_text("Waking up. This usually takes about 12 seconds.")).to_be_visible()
    assert stage.loads() == 1


def test_where_somebody_else_answers_for_the_gateway_the_page_is_loaded_again(stage: Stage, open_page: Open) -> None:
    """A front that passes only the app's own paths: the page cannot ask, but a load can tell."""
    page = open_page(stage.url)
    stage.status_head, stage.state = "404 Not Found", "ready"
    expect(page).to_have_title("The app")


def test_a_service_that_fell_asleep_meanwhile_is_woken_again(stage: Stage, open_page: Open) -> None:
    """Only a request wakes it, so the page makes one."""
    page = open_page(stage.url)
    stage.state = "asleep"
    expect(page).to_have_title("The app")
    assert stage.loads() == 2


def test_hostile_names_and_paths_are_only_text(browser: object, open_page: Open) -> None:
    """Whatever a configuration or a link says, it is not markup."""
    hostile = '"><script>document.title="taken"</script><img src=x onerror=alert(1)>'
    with Stage(service=hostile) as stage:
        stage.failure = hostile
        page = open_page(f"{stage.url}/{quote(hostile)}?{hostile}")
        expect(page).to_have_title(f"Waking {hostile}…")
        expect(page.get_by_role("heading", name=hostile)).to_be_visible()
        stage.state = "failed"
        expect(page.locator("#said")).to_have_text(f"It could not start: {hostile}.")
        page.reload()
        expect(page).to_have_title(f"{hostile} could not start")
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 1


def test_the_page_asks_nobody_else(stage: Stage, open_page: Open) -> None:
    """No font, no icon, no tracker: one document and its questions."""
    page = open_page("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(stage.url)
    eventually(page, lambda: stage.polls() > 2, what="the page asks")
    assert {url.partition("?")[0] for url in asked} == {f"{stage.url}/", f"{stage.url}/.wakegate/status"}
    assert {line.split(" ")[1].partition("?")[0] for line in stage.requests} == {"/", "/.wakegate/status"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_colours_that_a_visitor_prefers(stage: Stage, open_page: Open, scheme: str) -> None:
    """Dark where the system is dark, from the first pixel."""
    page = open_page(stage.url, color_scheme=scheme)
    picture = base64.b64encode(page.screenshot()).decode()
    darkest, lightest = open_page("about:blank").evaluate(LIGHTNESS, picture)
    assert lightest < 64 if scheme == "dark" else darkest > 192


def test_nothing_moves_for_those_who_asked_for_it(stage: Stage, open_page: Open) -> None:
    """Motion makes some people sick."""
    stage.usual_s = None
    moving = "document.getAnimations().length"
    assert open_page(stage.url).evaluate(moving) == 1
    assert open_page(stage.url, reduced_motion="reduce").evaluate(moving) == 0


@pytest.mark.parametrize("state", ["waking", "failed"])
@pytest.mark.parametrize(("width", "zoom"), [(320, 1), (640, 2)])
def test_it_fits_a_narrow_screen_and_a_large_zoom(open_page: Open, state: str, width: int, zoom: int) -> None:
    """WCAG 1.4.10: no scrolling sideways at 320 px, or at 200 % of a small window."""
    with Stage(service="averylongname" * 8) as stage:
        stage.state = state
        page = open_page(stage.url, viewport={"width": width // zoom, "height": 480}, device_scale_factor=zoom)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shown = page.get_by_role("progressbar") if state == "waking" else page.get_by_role("button")
        shown.scroll_into_view_if_needed()
        box = shown.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width / zoom

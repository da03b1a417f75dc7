"""The page as bytes; how it behaves is seen in tests/browser."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from math import isclose

import pytest

from wakegate.answer.page import Face, page_reply
from wakegate.answer.problem import Problem
from wakegate.core.phase import Phase
from wakegate.core.progress import Progress
from wakegate.local.request.reply import encode

SOURCE = files("wakegate.answer").joinpath("page.html").read_text(encoding="utf-8")
HOSTILE = "\"><script>alert(1)</script>&'{{title}}"


def progress(*, usual_s: float | None = 12.0, elapsed_s: float = 6.0, failure: str = "") -> Progress:
    """Return a wake at some moment."""
    phase = Phase.ASLEEP if failure else Phase.WAKING
    return Progress(
        service="shop", phase=phase, elapsed_s=elapsed_s, usual_s=usual_s, retry_after_s=6.0, failure=failure
    )


def problem(*, detail: str = "detail", service: str = "shop", retry_after_s: int | None = 6, **more: object) -> Problem:
    """Return an error in public words."""
    return Problem(
        status=503,
        slug="s",
        title="Title",
        detail=detail,
        service=service,
        retry_after_s=retry_after_s,
        **more,  # type: ignore[arg-type]  # the tests give what the fields take
    )


def page(
    told: Problem, *, face: Face = Face.WAKING, at: Progress | None = None, path: str = "/", request_id: str = "r1"
) -> tuple[str, str]:
    """Return head and body of the answer."""
    reply = page_reply(told, face=face, progress=at or progress(), path=path, request_id=request_id)
    written = encode(reply, keep_alive=True, is_head=False)
    head, _, body = written.partition(b"\r\n\r\n")
    assert f"\r\nContent-Length: {len(body)}\r\n".encode() in head
    return head.decode(), body.decode()


def test_the_page_is_small() -> None:
    """One packet train: it is there before anything else could be asked for."""
    assert len(SOURCE.encode()) < 12_000
    assert len(page(problem())[1].encode()) < 12_000


def test_the_page_stands_alone() -> None:
    """No address of anybody else is in it."""
    assert re.findall(r"""(?:src|href)=["']?([^"'\s>]*)""", SOURCE) == ["data:,"]
    assert "url(" not in SOURCE
    assert "//" not in re.sub(r"(?m)(^|\s)//.*$", "", SOURCE)


def test_only_its_own_script_and_style_may_run() -> None:
    """The hash in the head is that of what was sent, so a changed page cannot be forgotten in the policy."""
    head, body = page(problem())
    for element in ("script", "style"):
        (inline,) = re.findall(rf"<{element}>(.*?)</{element}>", body, re.DOTALL)
        assert f"{element}-src 'sha256-{b64encode(sha256(inline.encode()).digest()).decode()}'" in head
    assert "default-src 'none'" in head
    assert "unsafe" not in head
    assert not re.search(r"<[^>]+\s(style|on\w+)=", body), "an inline handler or style would be blocked"


def test_the_page_is_never_kept_or_found() -> None:
    """A cached waiting page waits for ever; one in a search engine is nobody's content."""
    head, _ = page(problem())
    assert "\r\nCache-Control: no-store\r\n" in head
    assert "\r\nX-Robots-Tag: noindex\r\n" in head
    assert "\r\nRetry-After: 6\r\n" in head


@pytest.mark.parametrize(
    ("usual_s", "said"),
    [(0.4, "about a second"), (11.6, "about 12 seconds"), (89.0, "about 89 seconds"), (200.0, "about 3 minutes")],
)
def test_the_usual_time_is_said_in_words(usual_s: float, said: str) -> None:
    """As people say it."""
    assert f"Waking up. This usually takes {said}." in page(problem(), at=progress(usual_s=usual_s))[1]


@pytest.mark.parametrize(
    ("elapsed_s", "value"), [(0.0, "0.0"), (6.0, "40.0"), (12.0, "80.0"), (24.0, "92.6"), (1000.0, "100.0")]
)
def test_the_bar_follows_the_usual_time_and_then_slows(elapsed_s: float, value: str) -> None:
    """Also where no script moves it."""
    found = re.search(r'<progress [^>]* value="([^"]+)"', page(problem(), at=progress(elapsed_s=elapsed_s))[1])
    assert found is not None
    assert found[1] == value


def test_without_a_usual_time_nothing_is_claimed() -> None:
    """The first wake of all."""
    body = page(problem(), at=progress(usual_s=None))[1]
    assert "How long this takes is not known yet." in body
    assert " value=" not in body


def test_a_usual_time_of_nothing_is_no_error() -> None:
    """A clock that stood still while it was measured."""
    assert "about a second" in page(problem(), at=progress(usual_s=0.0))[1]


@pytest.mark.parametrize("face", [Face.WAKING, Face.FAILED])
def test_a_page_that_waits_comes_back_without_scripts(face: Face) -> None:
    """By header, and by an element that only they see."""
    head, body = page(problem(), face=face)
    assert "\r\nRefresh: 6" in head
    assert '<noscript><meta http-equiv="refresh" content="6"></noscript>' in body


def test_an_error_page_stands_still() -> None:
    """Loading it again would repeat what has failed."""
    head, body = page(problem(retry_after_s=None), face=Face.ERROR)
    assert "Refresh" not in head
    assert "http-equiv" not in body
    assert "503 · request r1" in body


def test_the_page_of_a_failed_wake_says_why_without_the_apps_own_words() -> None:
    """The first line is the gateway's; what follows may be a log."""
    body = page(problem(), face=Face.FAILED, at=progress(failure="exited with status 3\nsecret=1"))[1]
    assert "It could not start: exited with status 3." in body
    assert "secret" not in body
    assert "It will be tried again in 6 seconds." in body


def test_a_failure_that_only_the_error_knows_is_said_without_the_name() -> None:
    """The name stands above it."""
    body = page(problem(detail="shop: exited with status 3"), face=Face.FAILED)[1]
    assert "It could not start: exited with status 3." in body


def test_the_apps_last_words_are_shown_where_they_are_given() -> None:
    """Only `show_errors` gives them."""
    assert "<pre>a\n&lt;b&gt;</pre>" in page(problem(log_tail=("a", "<b>")), face=Face.FAILED)[1]
    assert "<pre>" not in page(problem(), face=Face.FAILED)[1]


@pytest.mark.parametrize("face", Face)
def test_hostile_words_are_only_words(face: Face) -> None:
    """Names, paths, reasons, log lines and ids: none may open an element, end an attribute, or be a place to fill."""
    told = problem(detail=HOSTILE, service=HOSTILE, next=HOSTILE, log_tail=(HOSTILE,))
    body = page(told, face=face, at=progress(failure=HOSTILE), path="/" + HOSTILE, request_id=HOSTILE)[1]
    seen = Elements()
    seen.feed(body)
    plain = Elements()
    plain.feed(page(problem(log_tail=("x",)), face=face, at=progress(failure="x"))[1])
    assert seen.names == plain.names
    assert seen.attributes["data-path"] == "/" + HOSTILE
    assert body.count("{{title}}") > 0


def test_a_path_that_is_no_unicode_is_no_error() -> None:
    """Half a surrogate pair cannot be encoded."""
    assert 'data-path="/?"' in page(problem(), path="/\udcff")[1]


class Elements(HTMLParser):
    """Collects the elements of a page in order, and the attributes of its body."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: dict[str, str | None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See `HTMLParser`."""
        self.names.append(tag)
        if tag == "body":
            self.attributes = dict(attrs)


PAIRS = [
    ("text", "ground", 7.0),  # WCAG 1.4.6, the stricter level
    ("quiet", "ground", 4.5),  # 1.4.3
    ("bar", "ground", 4.5),  # a link is text
    ("ground", "bar", 4.5),  # the button's label
    ("bar", "track", 3.0),  # 1.4.11: what shows a value
    ("text", "track", 7.0),  # the log lines
]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_the_colours_can_be_told_apart(scheme: int, front: str, back: str, least: float) -> None:
    """The contrast that WCAG 2.2 asks for, in both schemes."""
    colours = dict(re.findall(r"--(\w+):(#\w{6})", re.findall(r":root\{([^}]*)\}", SOURCE)[scheme]))
    assert contrast(colours[front], colours[back]) >= least


def test_contrast_is_computed_as_wcag_does() -> None:
    """Black on white is 21, a colour on itself 1."""
    assert isclose(contrast("#000000", "#ffffff"), 21.0)
    assert contrast("#777777", "#777777") == 1.0


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

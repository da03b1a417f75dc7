"""page: the waiting page and the error pages for browsers, filled in from `page.html`."""

import re
from base64 import b64encode
from enum import StrEnum
from hashlib import sha256
from html import escape
from importlib.resources import files
from math import exp

from wakegate.answer.problem import Problem
from wakegate.answer.reply import Headers, Reply
from wakegate.core.progress import Progress


class Face(StrEnum):
    """What the page is about; its script may turn the first two into one another."""

    WAKING = "waking"
    FAILED = "failed"
    ERROR = "error"


def page_reply(
    problem: Problem, *, face: Face, progress: Progress, path: str, request_id: str, prefix: str = ""
) -> Reply:
    """Write the answer for a browser; `path` is the page's own, as seen here, `prefix` what stands before it."""
    values = {
        "face": face,
        "title": escape(problem.title),
        "heading": escape(problem.title),
        "path": escape(path),
        "prefix": escape(prefix),
        "elapsed": f"{progress.elapsed_s:.3f}",
        "usual": f"{progress.usual_s or 0:.3f}",
        "retry": str(problem.retry_after_s or 0),
        "sentence": escape(_sentence(problem.detail, service=problem.service)),
        "next": escape(_sentence(problem.next)),
        "value": "",
        "refresh": "",
        "more": _more(problem, face=face, request_id=request_id),
    }
    headers = _HEADERS
    if face is not Face.ERROR:
        # Both are for those without scripts, who know one or the other; where there are scripts, the page's stops it.
        retry_s = problem.retry_after_s or 1
        headers += (("Refresh", str(retry_s)),)
        values["refresh"] = f'<noscript><meta http-equiv="refresh" content="{retry_s}"></noscript>'
        values["heading"] = escape(problem.service)
        say = _say_waking if face is Face.WAKING else _say_failed
        values |= say(problem, progress)
    return Reply(
        status=problem.status,
        request_id=request_id,
        kind="text/html; charset=utf-8",
        body=_fill(values),
        retry_after_s=problem.retry_after_s,
        headers=headers,
    )


def public_reason(text: str) -> str:
    """Cut a reason down to what the public may read: not the app's own words below it, nor the port inside."""
    return _PORT.sub("", text.partition("\n")[0]).strip().rstrip(".")


def _say_waking(problem: Problem, progress: Progress) -> dict[str, str]:
    usual_s = progress.usual_s
    if usual_s is None:
        sentence, value = "Waking up. How long this takes is not known yet.", ""
    else:
        sentence = f"Waking up. This usually takes about {_spoken(usual_s)}."
        value = f' value="{_filled(progress.elapsed_s / max(usual_s, 0.001)):.1f}"'
    return {"title": f"Waking {escape(problem.service)}…", "sentence": sentence, "value": value, "next": ""}


def _say_failed(problem: Problem, progress: Progress) -> dict[str, str]:
    reason = public_reason(progress.failure or problem.detail.removeprefix(f"{problem.service}: "))
    return {
        "title": f"{escape(problem.service)} could not start",
        "sentence": escape(f"It could not start: {reason}."),
        "next": f"It will be tried again in {_spoken(problem.retry_after_s or 1)}.",
    }


def _more(problem: Problem, *, face: Face, request_id: str) -> str:
    """Add what not every page has: a way to load again without the script, the app's last words, the request's id."""
    retry_s = problem.retry_after_s
    parts = []
    if face is Face.WAKING:
        when = _spoken(retry_s or 1)
        parts.append(f'<noscript><p class="quiet">Checked again in {when}. <a href="">Check now</a></p></noscript>')
    elif face is Face.FAILED:
        parts.append('<noscript><p><a href="">Check now</a></p></noscript>')
    elif problem.status >= 500:
        when = "" if retry_s is None else f" in {_spoken(retry_s)}"
        parts.append(f'<p><a href="">Try again</a>{when}.</p>')
    if problem.log_tail:
        parts.append("<pre>" + escape("\n".join(problem.log_tail)) + "</pre>")
    if face is not Face.WAKING:
        parts.append(f'<footer class="quiet">{problem.status} · request {escape(request_id)}</footer>')
    return "\n".join(parts)


def _sentence(text: str, *, service: str = "") -> str:
    """Make a sentence of a reason; a service's name at its beginning stays as it is."""
    if text and not (service and text.startswith(service)):
        text = text[0].upper() + text[1:]
    return text if not text or text[-1] in ".!?" else text + "."


def _spoken(seconds: float) -> str:
    """Say a duration in words, as a sentence for everybody needs it; the terminal's short form is `core/say.py`."""
    if seconds < 1.5:
        return "a second"
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def _filled(part: float) -> float:
    """Say how full the bar is, in percent, as the script's `filled` does."""
    return 100 * (0.8 * part if part < 1 else 1 - 0.2 * exp(1 - part))


def _fill(values: dict[str, str]) -> bytes:
    pieces = _PIECES.copy()
    for index, name in _SLOTS:
        pieces[index] = values[name].encode("utf-8", "replace")
    return b"".join(pieces)


def _hash(element: str) -> str:
    """Return the source expression that allows exactly this inline element: nothing injected has the same hash."""
    found = re.search(rf"<{element}>(.*?)</{element}>", _PAGE, re.DOTALL)
    assert found is not None
    return f"'sha256-{b64encode(sha256(found[1].encode()).digest()).decode()}'"


_PAGE = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
_PORT = re.compile(r" on :\d+\b")
_SPLIT = re.split(r"\{\{(\w+)\}\}", _PAGE)  # every second one is a name
_PIECES = [piece.encode() for piece in _SPLIT]  # once: to encode all of the page for each answer takes half its time
_SLOTS = [(index, _SPLIT[index]) for index in range(1, len(_SPLIT), 2)]
_POLICY = (
    f"default-src 'none'; script-src {_hash('script')}; style-src {_hash('style')}; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
)
_HEADERS: Headers = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Robots-Tag", "noindex"),
)

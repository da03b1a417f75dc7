"""check: what was looked at, what was seen there, and the command that mends it."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """WARN: it works, but not as well or as cheaply as it could, or nobody could look."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the doctor."""

    name: str
    verdict: Verdict
    saw: str
    mend: str = ""


def ok(name: str, saw: str) -> Check:
    """Return a check that found all in order."""
    return Check(name=name, verdict=Verdict.OK, saw=saw)


def warn(name: str, saw: str, mend: str = "") -> Check:
    """Return a check that found something to look at."""
    return Check(name=name, verdict=Verdict.WARN, saw=saw, mend=mend)


def fail(name: str, saw: str, mend: str = "") -> Check:
    """Return a check that found something wrong."""
    return Check(name=name, verdict=Verdict.FAIL, saw=saw, mend=mend)


def short(text: str, limit: int = 300) -> str:
    """Return AWS's own words in one line, no longer than anybody reads."""
    line = re.sub(r"\s+", " ", text).strip()
    return line if len(line) <= limit else f"{line[:limit]}…"

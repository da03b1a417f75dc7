"""How a value that was found is shown in a problem: as TOML writes it, short, on one line."""

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN_MAX = 60


class UnfitError(ValueError):
    """A value that a setting cannot have: "what was found; what is expected", behind which `build` knows the place."""


def show(value: object) -> str:
    """Return a value as the user wrote it."""
    if isinstance(value, str):
        return _short(whole(value)[:-1]) + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_items(value))}]"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, int) and abs(value) >= 10**SHOWN_MAX:
        return "a very long number"  # str() refuses those beyond 4,300 digits
    return _short(str(value))


def whole(text: str) -> str:
    """Return a text in quotes, whatever its length: a path that is cut is of no use."""
    return f'"{one_line(text)}"'


def one_line(text: str) -> str:
    """Return a text that stays on its line and that a terminal does not obey."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def did_you_mean(found: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """Return `; did you mean "max"?` where one of the known is close to what was found, else what else helps."""
    close = get_close_matches(found, sorted(known), n=1)
    return f'; did you mean "{close[0]}"?' if close else otherwise


def _items(values: list[object]) -> list[str]:
    shown = [show(value) if not isinstance(value, list) else "[…]" for value in values[:3]]
    return [*shown, "…"] if len(values) > len(shown) else shown


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 1] + "…"

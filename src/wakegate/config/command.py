"""The command of a service: a list of words, or a text that is split as a shell would, though no shell runs it."""

import re
import shlex
from dataclasses import dataclass
from pathlib import PurePath

from wakegate.config.kind import Kind, Schema
from wakegate.config.show import UnfitError, show

SHELLS = {"sh", "bash", "dash", "zsh", "fish", "ksh", "ash", "busybox"}
OPERATORS = {"&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1"}
ODD_PORT = re.compile(r"(?<!\$)\{(?!(?-i:port)\})\s*port\s*\}", re.IGNORECASE)
PORT_VARIABLE = re.compile(r"\$(?:PORT\b|\{PORT\b[^}]*\})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Kind):
    """A program and its arguments; what only a shell would understand is refused, not passed on as text."""

    says: str = "list of words, or one text"

    def read(self, value: object) -> tuple[str, ...]:
        """Return the words."""
        words = _split(value) if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise UnfitError(f'{show(value)} is no command; write ["program", "argument", "{{port}}"]')
        if not words or not words[0].strip():
            raise UnfitError('the command is empty; write ["program", "argument", "{port}"]')
        if any("\0" in word for word in words):
            raise UnfitError(f"{show(value)} has a zero byte, which no command can hold; leave it out")
        odd = next((found[0] for word in words if (found := ODD_PORT.search(word))), "")
        if odd:
            raise UnfitError(f'"{odd}" is not replaced by the port; write {{port}}')
        return tuple(words)

    def write(self, value: object) -> str:
        """Write it as one would type it."""
        assert isinstance(value, tuple)
        return shlex.join(value)

    def schema(self) -> Schema:
        """Return both forms."""
        words = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        return {"anyOf": [words, {"type": "string", "pattern": r"\S"}]}


def _split(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:  # "No closing quotation"
        raise UnfitError(f"{show(text)}: {str(error).lower()}; write a list of words, or close the quotes") from error
    if not any(PurePath(word).name in SHELLS for word in words):
        _refuse_shell(words)
    return words


def _refuse_shell(words: list[str]) -> None:
    """Refuse what its writer expects a shell to do; a list of words is taken as it is."""
    for word in words:
        if word in OPERATORS:
            raise UnfitError(f'"{word}" needs a shell, and none is used; write ["sh", "-c", "…"]')
        if PORT_VARIABLE.search(word):
            written = PORT_VARIABLE.sub("{port}", word)
            raise UnfitError(f"{show(word)} needs a shell, and none is used; write {show(written)}")

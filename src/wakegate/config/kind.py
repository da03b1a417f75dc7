"""The kinds of values that a setting may have: what is accepted, how it reads in a spec, in the docs and in a schema.

`read` raises `UnfitError` with "what was found; what is expected", which `build` puts behind the place and the key.
"""

import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wakegate.config.show import UnfitError, did_you_mean, show, whole

Schema = dict[str, object]


class Kind(ABC):
    """What a setting's value may be."""

    @property
    @abstractmethod
    def says(self) -> str:
        """Name it for the docs: `duration`."""

    @abstractmethod
    def read(self, value: object) -> object:
        """Return a TOML value as the spec holds it; raise `UnfitError` for one that does not fit."""

    def from_text(self, text: str) -> object:
        """Return the TOML value that the text of an option or an environment variable means."""
        return text

    def placed(self, value: object, *, folder: Path) -> object:  # noqa: ARG002  for those that hold paths
        """Return what was read with its relative paths below a folder."""
        return value

    def write(self, value: object) -> str:
        """Write a value of the spec as people read it."""
        return whole(value) if isinstance(value, str) else show(value)

    @abstractmethod
    def schema(self) -> Schema:
        """Return its JSON schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boolean(Kind):
    """Yes or no."""

    says: str = "true or false"

    def read(self, value: object) -> bool:
        """Return it."""
        if not isinstance(value, bool):
            raise UnfitError(f"{show(value)} is neither true nor false; write true or false, without quotes")
        return value

    def from_text(self, text: str) -> object:
        """Return true or false for exactly these words."""
        return {"true": True, "false": False}.get(text.lower(), text)

    def schema(self) -> Schema:
        """Return the type."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Kind):
    """One of a few words or numbers."""

    of: tuple[str | int, ...]

    @property
    def says(self) -> str:
        """Name all of them."""
        return " or ".join(f"`{show(one)}`" for one in self.of)

    def read(self, value: object) -> str | int:
        """Return it."""
        for one in self.of:
            if type(value) is type(one) and value == one:
                return one
        hint = did_you_mean(value, map(str, self.of)) if isinstance(value, str) else ""
        choices = ", ".join(show(one) for one in self.of)
        raise UnfitError(f"{show(value)} is not possible here{hint or f'; write one of {choices}'}")

    def from_text(self, text: str) -> object:
        """Return a number where the choices are numbers."""
        return int(text) if is_integer(text) and isinstance(self.of[0], int) else text

    def schema(self) -> Schema:
        """Return the choices."""
        return {"enum": list(self.of)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Kind):
    """A text that a function checks and makes into its final form; `pattern` tells editors most of it."""

    says: str
    check: Callable[[str], object]
    pattern: str = "."

    def read(self, value: object) -> object:
        """Return what the check makes of it."""
        if not isinstance(value, str):
            raise UnfitError(f'{show(value)} is no text; write a {self.says} in quotes ("…")')
        return self.check(value)

    def schema(self) -> Schema:
        """Return the pattern."""
        return {"type": "string", "pattern": self.pattern}


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts(Kind):
    """A list of texts, each once."""

    of: Text
    says: str

    def read(self, value: object) -> tuple[object, ...]:
        """Return each in its final form, without repetitions."""
        if isinstance(value, str):
            raise UnfitError(f"{show(value)} is no list; write [{show(value)}]")
        if not isinstance(value, list):
            raise UnfitError(f'{show(value)} is no list; write a {self.says}, ["…"]')
        return tuple(dict.fromkeys(self.of.read(item) for item in value))

    def from_text(self, text: str) -> object:
        """Split at commas."""
        return [item.strip() for item in text.split(",") if item.strip()]

    def write(self, value: object) -> str:
        """Write it as TOML does."""
        assert isinstance(value, tuple)
        return show(list(value))

    def schema(self) -> Schema:
        """Return a list of patterns."""
        return {"type": "array", "items": self.of.schema(), "uniqueItems": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment(Kind):
    """A table of environment variables; values are never shown, as they may be secrets."""

    says: str = "table of texts"

    def read(self, value: object) -> tuple[tuple[str, str], ...]:
        """Return pairs of name and value."""
        if not isinstance(value, dict):
            raise UnfitError(f'{show(value)} is no table; write {{ NAME = "value" }}')
        for name, content in value.items():
            if not name or "=" in name or "\0" in name:
                raise UnfitError(f"{show(name)} is no name of an environment variable; write letters, digits and _")
            if not isinstance(content, str):
                raise UnfitError(f'{name} is no text; write {name} = "…", in quotes')
            if "\0" in content:
                raise UnfitError(f"{name} has a zero byte, which no environment can hold; leave it out")
        return tuple(value.items())

    def from_text(self, text: str) -> object:
        """Split "A=1 B='two words'" as a shell does."""
        try:
            return dict(word.split("=", 1) for word in shlex.split(text))
        except ValueError:
            return text

    def write(self, value: object) -> str:
        """Write the names only."""
        assert isinstance(value, tuple)
        return f"[{', '.join(name for name, _ in value)}]"

    def schema(self) -> Schema:
        """Return the types."""
        return {"type": "object", "additionalProperties": {"type": "string"}}


def is_integer(text: str) -> bool:
    """Say whether a text is a whole number, not an absurdly long one."""
    return text.isascii() and text.removeprefix("-").isdecimal() and len(text) < 20

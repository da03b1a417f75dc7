"""A wakegate.toml, and what reading it gives."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from wakegate.config.read import read
from wakegate.core.errors import ConfigError
from wakegate.core.spec import Spec

NO_VARIABLES: Mapping[str, str] = {}
Problems = Callable[..., tuple[str, ...]]
Reads = Callable[..., Spec]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, so that paths in problems are short."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def reads() -> Reads:
    """Read a text as wakegate.toml, without the variables of this environment."""

    def read_text(
        text: str | bytes, *, options: Mapping[str, str] = NO_VARIABLES, environ: Mapping[str, str] = NO_VARIABLES
    ) -> Spec:
        file = Path("wakegate.toml")
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read(file, options=options, environ=environ)

    return read_text


@pytest.fixture
def problems(reads: Reads) -> Problems:
    """Read a text that has problems; return them."""

    def refused(text: str | bytes, **given: Mapping[str, str]) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            reads(text, **given)
        return caught.value.problems

    return refused

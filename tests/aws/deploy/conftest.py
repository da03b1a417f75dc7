"""An emulated account for all tests of a file, and ours as `wakegate deploy` opens it there."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.account.account import Account as Emulated

from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.screen import Screen


@contextmanager
def opened(folder: Path) -> Iterator[Emulated]:
    """Open an account, with its credentials in the environment and no file of the machine's owner."""
    with Emulated(folder) as account, pytest.MonkeyPatch.context() as patch:
        for name, value in account.environ.items():
            patch.setenv(name, value)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, "/dev/null")
        patch.delenv("AWS_PROFILE", raising=False)
        yield account


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """Open an account for all tests of a file."""
    with opened(tmp_path_factory.mktemp("account")) as account:
        yield account


@pytest.fixture(scope="module")
def account(emulated: Emulated) -> Account:
    """Return the account as ours."""
    assert emulated.endpoint_url
    return Account()


class Paper(Screen):
    """A screen that can be read."""

    def __init__(self, *, is_terminal: bool = False) -> None:
        self.out = io.StringIO()
        super().__init__(self.out, is_terminal=is_terminal)

    @property
    def lines(self) -> list[str]:
        """Return what stands there."""
        return self.out.getvalue().splitlines()


@pytest.fixture
def paper() -> Paper:
    """Return an empty one."""
    return Paper()

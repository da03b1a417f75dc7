"""Accounts for the tests of the account itself."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.account.account import Account
from tests.account.sample import made


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    """Return an empty account."""
    with Account(tmp_path, images={"hello": [sys.executable, made.HELLO, "{host}", "{port}"]}) as account:
        yield account

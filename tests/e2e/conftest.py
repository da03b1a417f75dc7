"""One account with one stack for all tests of this folder; each test finds it as the deployment left it."""

from collections.abc import Iterator

import pytest
from tests.account.account import Account
from tests.e2e.deployed import APP, HELLO, Deployed, deploy


@pytest.fixture(scope="package")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Yield an account whose functions start fast, by the hundreds."""
    with Account(tmp_path_factory.mktemp("account"), images={"*": HELLO}, forks=True) as account:
        yield account


@pytest.fixture(scope="package")
def stack(account: Account) -> Deployed:
    """Return the stack that `wakegate deploy` has made."""
    return deploy(account)


@pytest.fixture
def deployed(stack: Deployed) -> Deployed:
    """Return the stack as it is after its deployment, asleep and without a record; its image is that of `app.py`."""
    stack.reset(APP)
    return stack

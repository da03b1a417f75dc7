"""What every test shares: the event loop that the gateway runs on."""

import pytest


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run async tests on uvloop, as the gateway does."""
    return "asyncio", {"use_uvloop": True}

"""A stage for what happens between a client's socket and the app's."""

from collections.abc import AsyncIterator

import pytest
from tests.local.request.stage import Stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Between the sockets of a client and an app; at its end nothing may be in flight or held."""
    async with Stage() as stage:
        yield stage

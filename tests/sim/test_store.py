"""The simulated store beyond the contract that it shares with the real one: it can be full, and it counts."""

import pytest
from tests.core.values import record, wake_line

from wakegate.core.errors import StateError
from wakegate.sim.store import SimStore


def test_a_full_store_refuses_every_write_and_keeps_what_it_has() -> None:
    """As SQLite does on a full disk; reads go on."""
    store = SimStore()
    store.save(record(), expected_version=0)
    store.is_full = True
    for write in (
        lambda: store.save(record(version=2), expected_version=1),
        lambda: store.write_wake(wake_line()),
        lambda: store.purge(now=record().since),
        lambda: store.touch(()),
    ):
        with pytest.raises(StateError, match="full"):
            write()
    assert store.load("web") == record()
    store.is_full = False
    store.save(record(version=2), expected_version=1)
    assert store.load("web") == record(version=2)


def test_it_counts_what_was_written() -> None:
    """A warm request must not write; the simulation looks here."""
    store = SimStore()
    store.save(record(), expected_version=0)
    store.write_wake(wake_line())
    store.load("web")
    assert store.write_count == 2


def test_its_secret_is_the_same_in_every_simulation() -> None:
    """Else a seed would not replay: session ids decide which replica is taken."""
    assert SimStore().secret() == SimStore().secret()

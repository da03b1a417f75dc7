"""The fake world, with behaviour of its own and virtual time: `clock`, `store`, `workload`, `meter`; tests use it too.

def test_something() -> None:
    async def main() -> None: ...  # real code, given a SimClock, a SimStore, a SimWorkload
    run(main(), seed=1)            # from clock.py: no waiting, no threads, the same history for the same seed
"""

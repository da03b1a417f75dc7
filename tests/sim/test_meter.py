"""The simulated meter: a function of time, with the contract of the real one."""

import asyncio

from wakegate.ports import Replica, Usage
from wakegate.sim.clock import START_S, run
from wakegate.sim.meter import SimMeter, steady
from wakegate.sim.workload import SimWorkload


def test_the_first_reading_of_a_replica_is_none() -> None:
    """A share of processor time needs two readings; without the gap a simulation would scale too soon."""

    async def main() -> list[Usage | None]:
        meter, workload = SimMeter(steady(cpu_percent=70)), SimWorkload()
        one, two = await workload.start(number=1), await workload.start(number=2)
        return [await meter.usage(replica) for replica in (one, one, two, two)]

    full = Usage(cpu_percent=70, memory_bytes=0)
    assert run(main()) == [None, full, None, full]


def test_the_load_follows_its_function_of_time() -> None:
    """Scale-out is tried by letting the load rise."""

    def rising(replica: Replica, now_s: float) -> Usage:
        return Usage(cpu_percent=now_s - START_S, memory_bytes=replica.number)

    async def main() -> list[Usage | None]:
        meter, replica = SimMeter(rising), await SimWorkload().start(number=4)
        await meter.usage(replica)
        readings = []
        for _ in range(2):
            await asyncio.sleep(10)
            readings.append(await meter.usage(replica))
        return readings

    assert run(main()) == [Usage(cpu_percent=10, memory_bytes=4), Usage(cpu_percent=20, memory_bytes=4)]

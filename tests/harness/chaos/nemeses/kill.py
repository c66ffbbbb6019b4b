"""kill -9 of one node, of as many as may fail, of all at once, and of one over and over."""

import asyncio

from typing_extensions import override

from harness.chaos.city import ChaosCity, ChaosNode
from harness.chaos.nemeses.nemesis import Harm


class Kill(Harm):
    """The power fails at some nodes; it comes back at all of them at once."""

    name = "kill -9 of one"

    def __init__(self) -> None:
        self.victims: list[ChaosNode] = []

    def count(self, city: ChaosCity) -> int:
        """Return how many nodes lose their power."""
        return min(1, len(city.nodes))

    async def inject(self, city: ChaosCity) -> None:
        """Kill them."""
        self.victims = city.pick(self.count(city))
        for victim in self.victims:
            victim.kill()

    async def heal(self, city: ChaosCity) -> list[ChaosNode]:
        """Start them again."""
        for victim in self.victims:
            victim.start()
        return self.victims


class KillFaulty(Kill):
    """As many as may fail while the others go on; with four nodes that is one."""

    name = "kill -9 of f"

    @override
    def count(self, city: ChaosCity) -> int:
        return city.faulty_max


class KillTooMany(Kill):
    """One more than may fail: the city rests until they are back."""

    name = "kill -9 of f + 1"

    @override
    def count(self, city: ChaosCity) -> int:
        return city.faulty_max + 1


class KillAll(Kill):
    """The power of the whole city."""

    name = "kill -9 of all"
    hold_seconds = (0.0, 1.0)

    @override
    def count(self, city: ChaosCity) -> int:
        return len(city.nodes)


class KillLoop(Kill):
    """One node dies again and again, each time at another point of its start."""

    name = "kill -9 in a loop"
    hold_seconds = (0.0, 0.1)

    @override
    async def inject(self, city: ChaosCity) -> None:
        self.victims = city.pick()
        for _ in range(6):
            self.victims[0].kill()
            self.victims[0].start()
            await asyncio.sleep(city.chance.uniform(0.0, 1.5))
        self.victims[0].kill()

"""Clocks that are off, jump, or run fast, at as many nodes as may fail."""

from typing_extensions import override

from harness.chaos.city import ChaosCity, ChaosNode
from harness.chaos.nemeses.nemesis import Harm

OFFSET_SECONDS_MAX = 30.0
FAST_PPM_MAX = 200_000


class ClockOffset(Harm):
    """A wall clock jumps and stays off until it jumps back."""

    name = "clock jumps"
    hold_seconds = (2.0, 5.0)

    def __init__(self) -> None:
        self.victims: list[ChaosNode] = []

    @override
    def possible(self, city: ChaosCity) -> bool:
        """Only with a shim."""
        return city.nodes[0].shim is not None

    async def inject(self, city: ChaosCity) -> None:
        """Shift the wall clock."""
        self.victims = city.pick(city.faulty_max)
        for victim in self.victims:
            assert victim.shim is not None
            seconds = city.chance.uniform(-OFFSET_SECONDS_MAX, OFFSET_SECONDS_MAX)
            victim.shim.shift_clock(seconds=seconds)

    async def heal(self, city: ChaosCity) -> list[ChaosNode]:
        """Set it right."""
        for victim in self.victims:
            assert victim.shim is not None
            victim.shim.heal()
        return []


class ClockDrift(ClockOffset):
    """All clocks of a node run fast, timers included."""

    name = "clock drift"

    @override
    async def inject(self, city: ChaosCity) -> None:
        self.victims = city.pick(city.faulty_max)
        for victim in self.victims:
            assert victim.shim is not None
            victim.shim.shift_clock(fast_ppm=city.chance.randrange(FAST_PPM_MAX))

"""SIGSTOP: a node stands still with all its connections open, and goes on as if nothing were."""

import os
import signal

from harness.chaos.city import ChaosCity, ChaosNode
from harness.chaos.nemeses.nemesis import Harm


class Pause(Harm):
    """One node stands still."""

    name = "SIGSTOP"
    hold_seconds = (1.0, 6.0)

    def __init__(self) -> None:
        self.victims: list[ChaosNode] = []

    async def inject(self, city: ChaosCity) -> None:
        """Stop some nodes, most often one."""
        self.victims = city.pick(city.chance.choice([1, 1, city.faulty_max + 1]))
        for victim in self.victims:
            os.kill(victim.process.pid, signal.SIGSTOP)

    async def heal(self, city: ChaosCity) -> list[ChaosNode]:
        """Let them go on."""
        for victim in self.victims:
            os.kill(victim.process.pid, signal.SIGCONT)
        return []

"""Two processes with one key: on one machine a lock keeps the second out; elsewhere a copy with its
own lock runs beside the first, and both must fall silent once they meet their own votes.
"""

import os
import shutil
from pathlib import Path

from typing_extensions import override

from harness.chaos.city import ChaosCity, ChaosError, ChaosNode
from harness.chaos.nemeses.nemesis import Harm
from moyai.node.free_ports import free_ports
from moyai.node.processes import NodeProcess
from moyai.node.testnet import CityNode

END_SECONDS_MAX = 10.0


class SecondProcess(Harm):
    """The same folder again: the second process must end by itself, naming the first."""

    name = "one key twice: same machine"
    hold_seconds = (0.0, 0.1)

    async def inject(self, city: ChaosCity) -> None:
        """Start a second process and wait for its end."""
        (victim,) = city.pick()
        second = ChaosNode(victim.place, victim.node, victim.environment)
        second.start()
        try:
            if await second.ended(END_SECONDS_MAX) == 0:
                raise ChaosError("a second process ended well", what=victim.node.slug)
        finally:
            second.kill()
        if not victim.process.running:
            raise ChaosError("the first process ended", what=victim.node.slug)

    async def heal(self, city: ChaosCity) -> list[ChaosNode]:
        """Nothing is to be repaired."""
        return []


class Copy(Harm):
    """A copy of the folder, keys and journal included, runs on other ports for a while."""

    name = "one key twice: a copy"
    hold_seconds = (2.0, 4.0)

    def __init__(self) -> None:
        self.victim: ChaosNode | None = None
        self.copy: NodeProcess | None = None
        self.copies = 0

    async def inject(self, city: ChaosCity) -> None:
        """Copy the stopped node and start both."""
        self.victim = city.chance.choice([n for n in city.nodes if n is not city.small_disk])
        self.copies += 1
        # From here on this key may contradict itself: two journals cannot know of each other.
        self.victim.excused = True
        await self.victim.stop()
        self.copy = NodeProcess(*_copied(city, self.victim, self.copies))
        self.victim.start()
        self.copy.start()

    @override
    async def heal(self, city: ChaosCity) -> list[ChaosNode]:
        """End the copy; the first is started again and votes once that is safe."""
        assert self.victim is not None
        assert self.copy is not None
        self.copy.kill()
        shutil.rmtree(self.copy.node.folder)
        await self.victim.stop()
        self.victim.start()
        return [self.victim]


def _copied(city: ChaosCity, victim: ChaosNode, number: int) -> tuple[CityNode, dict[str, str]]:
    (ports,) = free_ports(1)
    folder = city.folder / "city" / f"{victim.node.slug}-copy-{number}"
    shutil.copytree(victim.node.folder, folder, ignore=shutil.ignore_patterns("backup-*", "*.log"))
    node = CityNode(victim.node.name, folder.name, Path(folder), ports, victim.node.account, ())
    listening = {
        "MOYAI_P2P_LISTEN": f"127.0.0.1:{ports.p2p}",
        "MOYAI_RPC_LISTEN": f"127.0.0.1:{ports.rpc}",
        "MOYAI_METRICS_LISTEN": f"127.0.0.1:{ports.metrics}",
        "PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED", "random"),
    }
    return node, {**victim.environment, **listening}

"""A node that lost everything but its keys, and one that got an old backup back.

Both have forgotten votes, so both must stay silent until their votes can contradict nothing.
"""

import asyncio
import shutil
from pathlib import Path

from typing_extensions import override

from harness.chaos.city import ChaosCity, ChaosNode
from harness.chaos.nemeses.nemesis import Harm
from moyai.node.config import load_config
from moyai.node.founding import join

AGING_SECONDS = 3.0


class LostData(Harm):
    """The disk is gone; the operator prepares the node anew, with the keys it had."""

    name = "wiped node"
    hold_seconds = (0.0, 1.0)

    def __init__(self) -> None:
        self.victim: ChaosNode | None = None
        self.noticed = self.unread = 0
        self.backups = 0

    def choose(self, city: ChaosCity) -> ChaosNode:
        """Return the next victim, one whose data lie on an ordinary disk."""
        self.victim = city.chance.choice([n for n in city.nodes if n is not city.small_disk])
        return self.victim

    async def inject(self, city: ChaosCity) -> None:
        """Kill a node; its data go when it is healed."""
        self.choose(city).kill()

    async def heal(self, city: ChaosCity) -> list[ChaosNode]:
        """Make an empty journal that says that it has forgotten, and start."""
        victim = self.victim
        assert victim is not None
        shutil.rmtree(victim.data)
        victim.forget_told()
        join(load_config(victim.node.config_file, {}), city.city.genesis, lost_journal=True)
        victim.start()
        return [victim]


class OldBackup(LostData):
    """A backup is made, the node goes on and votes, and then the backup takes its place."""

    name = "old backup"

    @override
    async def inject(self, city: ChaosCity) -> None:
        victim = self.choose(city)
        await victim.stop()
        self.backups += 1
        await asyncio.to_thread(victim.command, "backup", str(self._folder(victim)))
        victim.start()
        await asyncio.sleep(AGING_SECONDS)
        victim.kill()

    @override
    async def heal(self, city: ChaosCity) -> list[ChaosNode]:
        victim = self.victim
        assert victim is not None
        shutil.rmtree(victim.data)
        victim.forget_told()
        await asyncio.to_thread(victim.command, "restore", str(self._folder(victim)))
        victim.start()
        return [victim]

    def _folder(self, victim: ChaosNode) -> Path:
        return victim.node.folder / f"backup-{self.backups}"

"""What everything in a simulated city shares: its time, its network, who watches, and the seed."""

from pathlib import Path
from random import Random

import msgspec

from harness.whole_city.network import Network
from harness.whole_city.virtual_time import VirtualTime
from harness.whole_city.watching import Watcher


class World(msgspec.Struct, frozen=True):
    """One simulated world; every draw comes from a generator that is named for its use."""

    seed: int
    folder: Path
    time: VirtualTime
    network: Network
    watcher: Watcher

    def random(self, use: str) -> Random:
        """Return the draws for one use; others do not move them."""
        return Random(f"{self.seed}/{use}")

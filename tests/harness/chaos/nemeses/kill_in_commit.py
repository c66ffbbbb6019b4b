"""kill -9 in the middle of a commit, aimed by watching the file of the journal."""

import asyncio
import time

from typing_extensions import override

from harness.chaos.city import ChaosCity, ChaosNode
from harness.chaos.nemeses.kill import Kill

AIM_SECONDS_MAX = 3.0


class KillInCommit(Kill):
    """The power fails when pages of the journal have been written and are not synced yet."""

    name = "kill -9 in a commit"
    hold_seconds = (0.0, 0.5)

    @override
    async def inject(self, city: ChaosCity) -> None:
        self.victims = city.pick()
        await asyncio.to_thread(_kill_at_write, self.victims[0])


def _kill_at_write(victim: ChaosNode) -> None:
    """Kill at the first write; without any, after the longest time to aim."""
    before = victim.journal_file.stat().st_mtime_ns
    deadline = time.monotonic() + AIM_SECONDS_MAX
    while victim.journal_file.stat().st_mtime_ns == before and time.monotonic() < deadline:
        pass
    victim.kill()

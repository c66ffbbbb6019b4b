"""Disks that fail or are full: a node must stop voting, end, and check itself at the next start."""

import contextlib
import errno
import os

from typing_extensions import override

from harness.chaos.city import ChaosCity, ChaosError, ChaosNode
from harness.chaos.nemeses.nemesis import Harm

END_SECONDS_MAX = 15.0
LEFT_BYTES = 256 * 1024


class FailingSync(Harm):
    """Every sync, or every write, of one node fails with an error of the device."""

    name = "failing sync"
    hold_seconds = (0.0, 1.0)

    def __init__(self) -> None:
        self.victim: ChaosNode | None = None

    @override
    def possible(self, city: ChaosCity) -> bool:
        """Only with a shim."""
        return city.nodes[0].shim is not None

    async def inject(self, city: ChaosCity) -> None:
        """Let the disk fail; the node must end with an error, not go on."""
        (self.victim,) = city.pick()
        shim = self.victim.shim
        assert shim is not None
        if city.chance.random() < 0.5:
            shim.fail_disk(sync=errno.EIO)
        else:
            shim.fail_disk(write=errno.EIO)
        if await self.victim.ended(END_SECONDS_MAX) == 0:
            raise ChaosError("ended well on a failing disk", what=self.victim.node.slug)

    async def heal(self, city: ChaosCity) -> list[ChaosNode]:
        """Repair the disk and start again."""
        assert self.victim is not None
        assert self.victim.shim is not None
        self.victim.shim.heal()
        self.victim.start()
        return [self.victim]


class FullDisk(Harm):
    """Something else fills the disk under a node; the node stops itself in time."""

    name = "full disk"
    hold_seconds = (0.0, 1.0)

    @override
    def possible(self, city: ChaosCity) -> bool:
        """Only where a small disk could be mounted."""
        return city.small_disk is not None

    async def inject(self, city: ChaosCity) -> None:
        """Fill the disk and wait until the node has ended."""
        victim = city.small_disk
        assert victim is not None
        room = os.statvfs(victim.data)
        filling = victim.data / "filling"
        with filling.open("wb") as file, contextlib.suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - LEFT_BYTES)
        await victim.ended(END_SECONDS_MAX)

    async def heal(self, city: ChaosCity) -> list[ChaosNode]:
        """Make room and start again."""
        victim = city.small_disk
        assert victim is not None
        (victim.data / "filling").unlink()
        victim.start()
        return [victim]

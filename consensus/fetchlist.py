"""What this node has asked for and not got: blocks by digest, certificates by range of views.

Not here: asking (`fetching`).
"""

import msgspec

from moyai.consensus.limits import WANTED_BLOCKS_MAX
from moyai.primitives.ids import Digest, NetworkKey, View


class WantedBlock(msgspec.Struct):
    """A block that was asked for, and how often."""

    sources: tuple[NetworkKey, ...]
    view: View
    tries: int = 0


class WantedCertificates(msgspec.Struct):
    """The views whose certificates the next step needs."""

    first: View
    last: View
    sources: tuple[NetworkKey, ...]
    tries: int = 0


class FetchList:
    """Bounded wants; the shell hears of them as requests."""

    def __init__(self) -> None:
        self.blocks: dict[Digest, WantedBlock] = {}
        self.certificates: WantedCertificates | None = None

    def want_block(self, digest: Digest, wanted: WantedBlock) -> bool:
        """Add a block; return whether it is new and there is room."""
        if digest in self.blocks or len(self.blocks) >= WANTED_BLOCKS_MAX:
            return False
        self.blocks[digest] = wanted
        return True

    def want_certificates(self, wanted: WantedCertificates) -> bool:
        """Replace the wanted range; return whether it changed."""
        current = self.certificates
        if current is not None and (current.first, current.last) == (wanted.first, wanted.last):
            return False
        self.certificates = wanted
        return True

    def got_block(self, digest: Digest) -> bool:
        """Strike a block; return whether it was wanted."""
        return self.blocks.pop(digest, None) is not None

    def prune(self, floor: View) -> None:
        """Forget blocks of views at and below the floor."""
        for digest in [digest for digest, want in self.blocks.items() if want.view <= floor]:
            del self.blocks[digest]

    @property
    def empty(self) -> bool:
        return not self.blocks and self.certificates is None

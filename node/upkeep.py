"""What a running node does with its chain store beside writing blocks: state snapshots, pruning.

Each turn is short: a part on the thread that owns the store, then a part in the thread that writes,
between two batches. Not here: when turns are taken (`writer`), what they do (storage).
"""

from collections.abc import Callable

import msgspec

from moyai.node.ports import Observer
from moyai.primitives.errors import ProofError
from moyai.primitives.ids import Height
from moyai.storage.chain import ChainStore
from moyai.storage.errors import ReadExpired
from moyai.storage.pruning import Pruner, retention_base
from moyai.storage.snapshot_maker import SnapshotMaker, due
from moyai.storage.state_snapshots import SnapshotFolder
from moyai.storage.states import PROOF_ROOTS_KEPT

SECTIONS_A_TURN = 2

Work = Callable[[], None]


class UpkeepSettings(msgspec.Struct, frozen=True):
    """After how many blocks a snapshot is made, 0: never; how long blocks stay, none: for ever."""

    snapshot_blocks: int
    retention_ms: int | None


class Upkeep:
    """Owned by the thread of the chain store; `turn` returns work for the one that writes."""

    def __init__(
        self,
        chain: ChainStore,
        folder: SnapshotFolder,
        settings: UpkeepSettings,
        observer: Observer,
    ) -> None:
        folder.forget_beyond(chain.base - 1, chain.committed_height)
        self._chain = chain
        self._folder = folder
        self._settings = settings
        self._observer = observer
        self._pruner = Pruner(chain)
        self._maker: SnapshotMaker | None = None
        self._collecting = False
        self._looked_at = max(0, chain.committed_height - PROOF_ROOTS_KEPT)
        self._pruned_for: int | None = None
        self._pruning = True
        self._reclaimed = 0
        self.bytes_reclaimed = 0

    def turn(self) -> Work | None:
        """Do the next part that belongs to the owner; return what the writing thread does next.

        None when nothing is due.
        """
        if self._maker is None:
            self._look_for_snapshot()
        if self._maker is not None:
            return self._making(self._maker)
        return self._pruning_work()

    def _look_for_snapshot(self) -> None:
        blocks = self._settings.snapshot_blocks
        committed = self._chain.committed_height
        if not blocks or self._looked_at >= committed:
            return
        held = set(self._folder.heights())
        first = max(self._looked_at, committed - PROOF_ROOTS_KEPT) + 1
        with self._chain.snapshot() as snapshot:
            for height in range(first, committed + 1):
                wanted = due(snapshot, height, blocks)
                if wanted is None or wanted.header.height in held:
                    continue
                maker = SnapshotMaker(self._chain, self._folder, wanted)
                if maker.is_possible:
                    self._maker, self._collecting = maker, True
        self._looked_at = committed

    def _making(self, maker: SnapshotMaker) -> Work:
        if not self._collecting:
            return lambda: self._write(maker)
        try:
            for _ in range(SECTIONS_A_TURN):
                self._collecting = self._collecting and maker.collect()
        except ProofError as error:
            self._give_up(maker, error.reason)
        return _nothing

    def _write(self, maker: SnapshotMaker) -> None:
        try:
            if maker.write():
                return
            stored = maker.finish()
        except (OSError, ProofError, ReadExpired) as error:
            self._give_up(maker, str(error))
            return
        self._maker = None
        size = stored.bytes_on_disk
        self._observer.note("snapshot_made", height=maker.height, bytes=size)

    def _give_up(self, maker: SnapshotMaker, reason: str) -> None:
        """A node without its newest snapshot runs on; the next one is made when it is due."""
        maker.close()
        self._maker, self._collecting = None, False
        self._observer.note("snapshot_given_up", height=maker.height, reason=reason)

    def _pruning_work(self) -> Work | None:
        retention = self._settings.retention_ms
        if retention is None:
            return None
        heights = self._folder.heights()
        newest = heights[-1] if heights else None
        if newest is not None and newest != self._pruned_for:
            with self._chain.snapshot() as snapshot:
                wanted = retention_base(snapshot, retention, heights[0])
                base = snapshot.base
            self._pruned_for, self._pruning = newest, True
            if wanted > base:
                return lambda: self._raise_base(wanted)
        return self._prune if self._pruning else None

    def _raise_base(self, height: Height) -> None:
        self._pruner.raise_base(height)
        self._observer.note("pruning", base=height)

    def _prune(self) -> None:
        done = self._pruner.step()
        self._reclaimed += done.bytes_reclaimed
        self.bytes_reclaimed += done.bytes_reclaimed
        if not done.more:
            self._pruning = False
            if self._reclaimed:
                self._observer.note("pruned", bytes_reclaimed=self._reclaimed)
            self._reclaimed = 0


def _nothing() -> None:
    """The part for the writing thread of a turn that has none."""

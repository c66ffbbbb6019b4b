"""What a running node does every second: prune the journal, look at the disk, note what waits."""

from collections.abc import Callable

from moyai.node.core import Core
from moyai.node.status import StatusReporter
from moyai.primitives.ids import Height, TransactionId
from moyai.storage.chain import ChainStore
from moyai.storage.environment import FillLevel
from moyai.storage.errors import StorageFull
from moyai.storage.journal import Journal

PRUNE_BLOCKS = 16


class Housekeeping:
    """Called with the transactions that have just expired."""

    def __init__(
        self,
        *,
        core: Core,
        chain: ChainStore,
        journal: Journal,
        status: StatusReporter,
        expired: Callable[[list[TransactionId]], None],
    ) -> None:
        self._core = core
        self._chain = chain
        self._journal = journal
        self._status = status
        self._expired = expired
        self._pruned: Height = Height(0)

    def __call__(self, expired: list[TransactionId]) -> None:
        """Do what is due. Raises `StorageFull` when the node must stop, before the disk is full."""
        if expired:
            self._expired(expired)
        self._status.watch()
        if max(self._chain.fill_level, self._journal.fill_level) >= FillLevel.STOP:
            raise StorageFull(
                "is nearly full", what="disk", next="free or add space, then start the node again"
            )
        self._prune()
        self._core.say_ready()

    def _prune(self) -> None:
        """Forget in the journal what the chain store has on disk."""
        committed = self._chain.committed_height
        if committed < self._pruned + PRUNE_BLOCKS or self._core.is_changing_epoch:
            return
        machine = self._core.machine.status()
        keep = self._core.executor.unwritten(committed)
        self._journal.prune(machine.final_view, machine.epoch, keep)
        self._pruned = committed

"""Rebuilding what is derived from the blocks: secondary indexes, and which accounts they touched.

Every block is executed again on the state before it, as history has it. One transaction: the old
rows stay until the new ones are complete. Not here: execution itself (the caller's).
"""

from collections.abc import Callable
from hashlib import sha256

import lmdb

from moyai.ledger.apply import BlockOutcome
from moyai.ledger.state import StateEntry, StateReader
from moyai.primitives.block import Header
from moyai.primitives.ids import Height
from moyai.storage.blocks import BlockTables
from moyai.storage.chain import ChainStore
from moyai.storage.errors import CorruptedError
from moyai.storage.indexes import write_changes
from moyai.storage.keys import ChainTable, number_key
from moyai.storage.versions import StoredVersion, decode_version, version_at

Execute = Callable[[StateReader, Header, tuple[bytes, ...]], BlockOutcome]
"""Executes the body of a block on the state before it."""

Progress = Callable[[int, int], None]
"""(heights done, heights in all)."""


class StateBefore:
    """The state before a block, read from the history of its keys."""

    def __init__(self, store: ChainStore, txn: lmdb.Transaction, height: int) -> None:
        self._tree = store.states.tree
        self._versions = store.environment.table(ChainTable.VERSIONS)
        self._txn = txn
        self._height = height

    def get(self, key: bytes) -> StateEntry | None:
        """Return what the key held before the block."""
        entry = self._tree.find(sha256(key).digest())
        if entry is None:
            return None
        version = version_at(self._read(entry.sequence), self._height - 1, self._read)
        if version is None or version.value is None:
            return None
        return StateEntry(version.value, version.version, Height(version.height))

    def _read(self, sequence: int) -> StoredVersion:
        return decode_version(self._versions.require(self._txn, number_key(sequence)))


def reindex(store: ChainStore, execute: Execute, progress: Progress | None = None) -> None:
    """Rebuild all derived tables of a store to which nothing is pending.

    Raises `CorruptedError` when a block, executed again, gives other receipts than it did, and
    `CommitFailed`.
    """
    assert store.height == store.committed_height, "reindex a store with nothing pending"
    blocks = BlockTables(store.environment.table)
    indexes = store.environment.table(ChainTable.INDEXES)
    with store.environment.write() as txn:
        indexes.clear(txn)
        blocks.clear_touched(txn)
        for height in range(1, store.committed_height + 1):
            header = blocks.header(txn, height)
            assert header is not None
            state = StateBefore(store, txn, height)
            outcome = execute(state, header, blocks.body(txn, height))
            if outcome.receipts != blocks.receipts(txn, height):
                raise CorruptedError(
                    "executed again, it gives other receipts than are stored",
                    what=f"block {height}",
                    next="run `moyai verify` on the data directory",
                )
            write_changes(txn, indexes, height, outcome.indexes)
            blocks.write_touched(txn, height, outcome.touched)
            if progress is not None:
                progress(height, store.committed_height)

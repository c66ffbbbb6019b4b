"""Rebuilding what is derived from the blocks: secondary indexes, and which accounts they touched.

Every block is executed again on the state before it, as history has it. What the blocks below the
base have left comes from the state after them. One transaction: the old rows stay until the new
ones are complete. Not here: execution itself (the caller's).
"""

from collections.abc import Callable, Iterator
from hashlib import sha256

import lmdb

from moyai.ledger.apply import BlockOutcome
from moyai.ledger.state import StateEntry, StateReader
from moyai.primitives.block import Header
from moyai.primitives.ids import Height
from moyai.storage.base import read_base
from moyai.storage.blocks import BlockTables
from moyai.storage.chain import ChainStore
from moyai.storage.errors import CorruptedError
from moyai.storage.indexes import write_changes
from moyai.storage.keys import ChainTable, number_key
from moyai.storage.section import ENTRY_BYTES, unpack
from moyai.storage.state_indexes import InForce, write_state_rows
from moyai.storage.tree import SECTIONS
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
        version = None if entry is None else self._in_force(entry.sequence)
        if version is None or version.value is None:
            return None
        return StateEntry(version.value, version.version, Height(version.height))

    def value(self, key: bytes) -> bytes | None:
        """Return the value of a key before the block."""
        entry = self.get(key)
        return None if entry is None else entry.value

    def all(self) -> Iterator[InForce]:
        """Yield every key that held something before the block."""
        for index in range(SECTIONS):
            packed = self._tree.section(index)
            for place in range(0, len(packed), ENTRY_BYTES):
                version = self._in_force(unpack(packed, place).sequence)
                if version is not None and version.value is not None:
                    yield InForce(version.key, version.value, version.height)

    def _in_force(self, sequence: int) -> StoredVersion | None:
        newest = decode_version(self._versions.require(self._txn, number_key(sequence)))
        return version_at(newest, self._height - 1, self._read)

    def _read(self, sequence: int) -> StoredVersion | None:
        data = self._versions.get(self._txn, number_key(sequence))
        return None if data is None else decode_version(data)


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
        first = max(1, read_base(store.environment, txn).height)
        if first > 1:
            before = StateBefore(store, txn, first)
            write_state_rows(txn, indexes, before, before.all())
        for height in range(first, store.committed_height + 1):
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

"""The chain store: final blocks, the state after them, and everything that is read from them.

One thread owns it: it appends, takes batches, and reads. `write` alone may run in another thread,
one batch at a time. What is appended is in the live state at once; it is readable by snapshots,
and may be called final, when its batch is written. A batch is one transaction: blocks, receipts,
versions of state keys, indexes, and some sections of the trie.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

import lmdb
import msgspec

from moyai.ledger.genesis import genesis_state
from moyai.primitives.block import Executed, Header
from moyai.primitives.codec import encode
from moyai.primitives.errors import GenesisError
from moyai.primitives.genesis import Genesis, genesis_block_digest, genesis_digest, genesis_header
from moyai.primitives.ids import Digest, Height
from moyai.primitives.merkle import Frontier, merkle_root
from moyai.storage.base import read_base
from moyai.storage.blocks import BlockTables, FinalBlock
from moyai.storage.checkpoint import Checkpoint
from moyai.storage.environment import Environment, FillLevel, StoreSettings
from moyai.storage.indexes import write_changes
from moyai.storage.keys import ChainTable, number_key
from moyai.storage.logs import StoredLog
from moyai.storage.migrate import CHAIN_MIGRATIONS
from moyai.storage.snapshot import ChainSnapshot
from moyai.storage.state_loader import load_state
from moyai.storage.states import PROOF_ROOTS_KEPT, LiveState
from moyai.storage.table import Table
from moyai.storage.tip import TIP, Tip, read_tip
from moyai.storage.tree import StateTree
from moyai.storage.versions import (
    StoredVersion,
    decode_version,
    encode_version,
    link_far,
    pending_version,
)

STORE_NAME = "chain"
MAP_BYTES = 64 * 1024**3
FIRST_SEQUENCE = 1
"""0 stands for "no version"."""


class _Applied(msgspec.Struct, frozen=True):
    block: FinalBlock
    executed: Executed
    receipts: tuple[bytes, ...]
    receipts_root: Digest
    versions: list[tuple[int, StoredVersion]]


class WriteBatch(msgspec.Struct, frozen=True):
    """What one transaction of the writer makes durable."""

    tip: Tip
    blocks: tuple[_Applied, ...]
    sections: tuple[tuple[int, bytes], ...]


class ChainStore:
    """An open chain store; `last_written` are the blocks that the last batch made durable."""

    def __init__(self, environment: Environment, states: LiveState, checkpoint: Checkpoint) -> None:
        self.states = states
        self._environment = environment
        self._checkpoint = checkpoint
        self._blocks = BlockTables(environment.table)
        self._log = StoredLog(environment.table(ChainTable.LOG))
        self._receipts_log = StoredLog(environment.table(ChainTable.RECEIPTS_LOG))
        self._pending: list[_Applied] = []
        self.last_written: tuple[FinalBlock, ...] = ()
        with environment.read() as read:
            self._written = read_tip(environment, read.raw)
            self._receipts = self._receipts_log.frontier(read.raw, self._written.height)
            header = self._blocks.header(read.raw, self._written.height)
        assert header is not None, "a tip without its header"
        self._tip_header = header

    @staticmethod
    def create(path: Path, genesis: Genesis, *, map_bytes: int = MAP_BYTES) -> "ChainStore":
        """Make a new store that holds the genesis block and its state.

        Raises `GenesisError` when the state of the document has another root than it says.
        """
        state = genesis_state(genesis)
        tree = StateTree(roots_kept=PROOF_ROOTS_KEPT, height=-1, next_sequence=FIRST_SEQUENCE)
        changes = tree.apply(dict(state), 0)
        if tree.root != genesis.state_root:
            raise GenesisError(
                f"the state it describes has the root {tree.root.hex()}",
                what=f"state root {genesis.state_root.hex()} of the genesis",
                next="make the genesis file with the same version on every node",
            )
        header, digest = genesis_header(genesis), genesis_block_digest(genesis)
        tip = Tip(Height(0), tree.next_sequence, FIRST_SEQUENCE, tree.root)

        def first(txn: lmdb.Transaction, table: Callable[[Enum], Table]) -> None:
            BlockTables(table).write_header(txn, header, digest, header.executed)
            StoredLog(table(ChainTable.LOG)).append(txn, 0, digest)
            for change in changes:
                data = encode_version(pending_version(change, 0))
                table(ChainTable.VERSIONS).append(txn, number_key(change.new.sequence), data)
            table(ChainTable.META).put(txn, TIP, encode(tip))

        settings = chain_settings(path, genesis, map_bytes)
        Environment.create(settings, ChainTable, first).close()
        return ChainStore.open(path, genesis, map_bytes=map_bytes)

    @staticmethod
    def open(path: Path, genesis: Genesis, *, map_bytes: int = MAP_BYTES) -> "ChainStore":
        """Open a store and load its state as of the last written block; nothing has to be replayed.

        Raises the errors of `storage.errors`.
        """
        environment = Environment(chain_settings(path, genesis, map_bytes), ChainTable)
        try:
            states, checkpoint = load_state(environment)
            return ChainStore(environment, states, checkpoint)
        except BaseException:
            environment.close()
            raise

    @property
    def committed_height(self) -> Height:
        """Return the height up to which everything is on disk."""
        return self._written.height

    @property
    def base(self) -> Height:
        """Return the height of the lowest block that is here whole; 0 when all are."""
        with self._environment.read() as read:
            return read_base(self._environment, read.raw).height

    @property
    def height(self) -> Height:
        """Return the height of the last block appended."""
        return self._tip_header.height

    @property
    def tip_header(self) -> Header:
        """Return the header of the last block appended."""
        return self._tip_header

    @property
    def fill_level(self) -> FillLevel:
        """Return how full the store is, by what the node has to do about it."""
        return self._environment.fill_level

    @property
    def failed(self) -> bool:
        """Return whether a commit failed; the node must stop."""
        return self._environment.failed

    def append(self, block: FinalBlock) -> Executed:
        """Take the next final block with its outcome; return the roots after it.

        In memory until a batch with it is written.
        """
        header, outcome = block.header, block.outcome
        assert header.height == self.height + 1, "blocks are appended in order"
        assert len(outcome.receipts) == len(block.transactions)
        self.states.forget_written(self._written.next_sequence)
        first = self.states.tree.next_sequence
        versions = self.states.apply(header.height, outcome.changes)
        self._checkpoint.changed(self.states.tree.changed_sections(), first)
        receipts = tuple(encode(receipt) for receipt in outcome.receipts)
        receipts_root = merkle_root(receipts)
        self._receipts = self._receipts.append(receipts_root)
        executed = Executed(header.height, self.states.root, self._receipts.root)
        self._pending.append(_Applied(block, executed, receipts, receipts_root, versions))
        self._tip_header = header
        return executed

    def take_pending(self) -> WriteBatch | None:
        """Return all that was appended since the last call, for `write`; none when there is
        nothing.
        """
        if not self._pending:
            return None
        blocks, self._pending = tuple(self._pending), []
        sections = tuple(self._checkpoint.take_due(self.states.tree))
        sequence = self.states.tree.next_sequence
        replay_from = self._checkpoint.replay_from(sequence)
        tip = Tip(self.height, sequence, replay_from, self.states.root)
        return WriteBatch(tip, blocks, sections)

    def write(self, batch: WriteBatch) -> None:
        """Make a batch durable in one transaction; may run in another thread.

        Raises `CommitFailed` or `StorageFull`: nothing of the batch is on disk and the node must
        stop.
        """
        table = self._environment.table
        with self._environment.write() as txn:
            for applied in batch.blocks:
                self._write_block(txn, applied)
            for index, section in batch.sections:
                table(ChainTable.SECTIONS).put(txn, bytes((index,)), section)
            table(ChainTable.META).put(txn, TIP, encode(batch.tip))
        self._written = batch.tip
        self.last_written = tuple(applied.block for applied in batch.blocks)

    @contextmanager
    def snapshot(self) -> Iterator[ChainSnapshot]:
        """Open a consistent view of all that is written; at most 2 s, never over an await."""
        with self._environment.read() as read:
            yield ChainSnapshot(self._environment, self._blocks, read, self.states)

    @property
    def receipts_frontier(self) -> Frontier:
        """Return the log of the receipts roots of all blocks appended, from height 1 on."""
        return self._receipts

    def frontier(self, height: Height) -> Frontier:
        """Return the log of the ancestors of the block at a written height: digests of all below
        it.
        """
        with self._environment.read() as read:
            return self._log.frontier(read.raw, height)

    def bytes_by_table(self) -> dict[str, int]:
        """Return the bytes that each table takes on disk."""
        return self._environment.bytes_by_table()

    @property
    def environment(self) -> Environment:
        """Return the environment, for backup and verification."""
        return self._environment

    def close(self) -> None:
        """Close the store; what is pending is lost and must come from the journal or from peers."""
        self._environment.close()

    def _write_block(self, txn: lmdb.Transaction, applied: _Applied) -> None:
        block = applied.block
        height = block.header.height
        self._blocks.write(txn, block, applied.executed, applied.receipts)
        self._log.append(txn, height, block.digest)
        self._receipts_log.append(txn, height - 1, applied.receipts_root)
        versions = self._environment.table(ChainTable.VERSIONS)

        def read(sequence: int) -> StoredVersion | None:
            data = versions.get(txn, number_key(sequence))
            return None if data is None else decode_version(data)

        for sequence, version in applied.versions:
            linked = encode_version(link_far(version, read))
            versions.append(txn, number_key(sequence), linked)
        indexes = self._environment.table(ChainTable.INDEXES)
        write_changes(txn, indexes, height, block.outcome.indexes)


def chain_settings(path: Path, genesis: Genesis, map_bytes: int) -> StoreSettings:
    """Return where a chain store lies and whose it is."""
    network = genesis_digest(genesis)
    return StoreSettings(
        path=path,
        name=STORE_NAME,
        network=network,
        map_bytes=map_bytes,
        migrations=CHAIN_MIGRATIONS,
    )

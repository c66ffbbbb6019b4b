"""Checking a chain store to the last byte: every value, every link, every root.

A normal start checks the root of the state and each value as it is read; this reads everything.
Not here: whether certificates are genuine, which needs the validators' keys.
"""

from collections.abc import Callable

import lmdb
import msgspec

from moyai.primitives.block import header_digest
from moyai.primitives.ids import ZERO_DIGEST
from moyai.primitives.merkle import Frontier, merkle_root
from moyai.primitives.receipt import block_receipts_root
from moyai.storage.blocks import BlockTables
from moyai.storage.chain import ChainStore
from moyai.storage.errors import CorruptedError
from moyai.storage.keys import ChainTable, number_key
from moyai.storage.section import ENTRY_BYTES, unpack
from moyai.storage.tip import read_tip
from moyai.storage.tree import SECTIONS
from moyai.storage.versions import decode_version

Progress = Callable[[int, int], None]
"""(heights checked, heights in all)."""


class VerifyReport(msgspec.Struct, frozen=True):
    """What was checked."""

    values: int
    blocks: int
    transactions: int
    state_keys: int


def verify_chain(store: ChainStore, progress: Progress | None = None) -> VerifyReport:
    """Check everything in a chain store that is not being written to.

    Raises `CorruptedError` naming the first thing that does not hold.
    """
    values = store.environment.verify()
    with store.environment.read() as read:
        txn = read.raw
        transactions = _verify_blocks(store, txn, progress)
        keys = _verify_state(store, txn)
        blocks = read_tip(store.environment, txn).height + 1
    return VerifyReport(values, blocks, transactions, keys)


def _verify_blocks(store: ChainStore, txn: lmdb.Transaction, progress: Progress | None) -> int:
    tables = BlockTables(store.environment)
    tip = read_tip(store.environment, txn)
    ancestors = log = receipts_log = Frontier()
    parent, transactions = ZERO_DIGEST, 0
    for height in range(tip.height + 1):
        header = tables.header(txn, height)
        _check(header is not None, f"block {height}", "is missing")
        assert header is not None
        digest = header_digest(header)
        _check(tables.height_of(txn, digest) == height, f"block {height}", "has another digest")
        if height > 0:
            _check(header.parent == parent, f"block {height}", "names another parent")
            _check(header.log_root == log.root, f"block {height}", "has another log root")
            ids = tables.transaction_ids(txn, height)
            _check(merkle_root(ids) == header.tx_root, f"block {height}", "has other transactions")
            receipts = tables.receipts(txn, height)
            named = tuple(receipt.transaction for receipt in receipts)
            _check(named == ids, f"receipts of block {height}", "are of other transactions")
            for index, transaction_id in enumerate(ids):
                found = tables.place(txn, transaction_id)
                _check(found == (height, index), f"transaction {transaction_id.hex()}", "is lost")
            receipts_log = receipts_log.append(block_receipts_root(receipts))
            transactions += len(ids)
        ancestors, log, parent = log, log.append(digest), digest
        if progress is not None:
            progress(height + 1, tip.height + 1)
    _check(store.frontier(tip.height) == ancestors, "log of blocks", "is broken")
    _check(store.receipts_frontier == receipts_log, "log of receipts", "is broken")
    return transactions


def _verify_state(store: ChainStore, txn: lmdb.Transaction) -> int:
    versions = store.environment.table(ChainTable.VERSIONS)
    keys = 0
    for index in range(SECTIONS):
        packed = store.states.tree.section(index)
        for place in range(0, len(packed), ENTRY_BYTES):
            entry = unpack(packed, place)
            version = decode_version(versions.require(txn, number_key(entry.sequence)))
            what = f"state key {version.key.hex()}"
            _check(version.leaf().hash == entry.hash, what, "is not what its leaf says")
            keys += 1
    return keys


def _check(holds: bool, what: str, reason: str) -> None:
    if not holds:
        raise CorruptedError(
            reason, what=what, next="restore a backup or let the node catch up from nothing"
        )

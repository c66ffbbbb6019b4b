"""Checking a chain store to the last byte: every value, every link, every root.

A normal start checks the root of the state and each value as it is read; this reads everything.
Not here: whether certificates are genuine, which needs the validators' keys.
"""

from collections.abc import Callable

import lmdb
import msgspec

from moyai.primitives.block import Header, header_digest
from moyai.primitives.codec import Codec
from moyai.primitives.ids import ZERO_DIGEST, Height
from moyai.primitives.merkle import merkle_root
from moyai.primitives.receipt import block_receipts_root
from moyai.primitives.transaction import Envelope, body_id
from moyai.storage.base import read_base
from moyai.storage.blocks import BlockTables
from moyai.storage.chain import ChainStore
from moyai.storage.errors import CorruptedError
from moyai.storage.keys import ChainTable, number_key
from moyai.storage.logs import StoredLog
from moyai.storage.section import ENTRY_BYTES, unpack
from moyai.storage.tip import read_tip
from moyai.storage.tree import SECTIONS
from moyai.storage.versions import decode_version

Progress = Callable[[int, int], None]
"""(heights checked, heights in all)."""


_envelope = Codec(Envelope, name="stored transaction")


class VerifyReport(msgspec.Struct, frozen=True):
    """What was checked; blocks below `base` are not here, or only their headers."""

    base: Height
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
        blocks = _BlockCheck(store, txn)
        height = read_tip(store.environment, txn).height
        base = read_base(store.environment, txn)
        for one in range(base.began, height + 1):
            blocks.check(one)
            if progress is not None:
                progress(one + 1, height + 1)
        keys = _verify_state(store, txn)
    checked = height + 1 - base.began
    return VerifyReport(base.height, values, checked, blocks.transactions, keys)


class _BlockCheck:
    """Goes up the chain block by block."""

    def __init__(self, store: ChainStore, txn: lmdb.Transaction) -> None:
        self.transactions = 0
        self._txn = txn
        self._tables = BlockTables(store.environment.table)
        self._stored_log = StoredLog(store.environment.table(ChainTable.LOG))
        self._stored_receipts = StoredLog(store.environment.table(ChainTable.RECEIPTS_LOG))
        self._base = read_base(store.environment, txn)
        self._log = self._stored_log.frontier(txn, self._base.began)
        self._receipts = self._stored_receipts.frontier(txn, self._base.began)
        self._parent = ZERO_DIGEST

    def check(self, height: int) -> None:
        """Check the block at a height, after all below it."""
        what = f"block {height}"
        header = self._tables.header(self._txn, height)
        executed = self._tables.executed(self._txn, height)
        if header is None or executed is None:
            raise _broken("is missing", what)
        digest = header_digest(header)
        _check(self._tables.height_of(self._txn, digest) == height, "has another digest", what)
        _check(header.log_root == self._log.root or height == 0, "has another log root", what)
        if height > self._base.began:
            self._check_links(header)
        if height >= self._base.height and height > 0:
            self._check_transactions(header)
        elif height > self._base.began:
            self._receipts = self._stored_receipts.frontier(self._txn, height)
        _check(executed.receipts_root == self._receipts.root, "has other receipts", what)
        _check(self._stored_log.holds(self._txn, height, digest), "is not in the log", what)
        self._log, self._parent = self._log.append(digest), digest

    def _check_links(self, header: Header) -> None:
        what = f"block {header.height}"
        _check(header.parent == self._parent, "names another parent", what)
        attested = self._tables.executed(self._txn, header.executed.height)
        known = header.executed.height >= self._base.began
        _check(
            not known or attested == header.executed, "attests other roots than were computed", what
        )

    def _check_transactions(self, header: Header) -> None:
        what = f"block {header.height}"
        ids = self._tables.transaction_ids(self._txn, header.height)
        _check(merkle_root(ids) == header.tx_root, "has other transactions", what)
        bodies = self._tables.body(self._txn, header.height)
        named = tuple(body_id(_envelope.decode(raw).body) for raw in bodies)
        _check(named == ids, "holds other transactions", what)
        receipts = self._tables.receipts(self._txn, header.height)
        named = tuple(receipt.transaction for receipt in receipts)
        _check(named == ids, "has receipts of other transactions", what)
        for index, transaction_id in enumerate(ids):
            place = self._tables.indexed_place(self._txn, transaction_id)
            _check(
                place == (header.height, index), "is lost", f"transaction {transaction_id.hex()}"
            )
        root = block_receipts_root(receipts)
        held = self._stored_receipts.holds(self._txn, header.height - 1, root)
        _check(held, "is not in the log of receipts", what)
        self._receipts = self._receipts.append(root)
        self.transactions += len(ids)


def _verify_state(store: ChainStore, txn: lmdb.Transaction) -> int:
    versions = store.environment.table(ChainTable.VERSIONS)
    keys = 0
    for index in range(SECTIONS):
        packed = store.states.tree.section(index)
        for place in range(0, len(packed), ENTRY_BYTES):
            entry = unpack(packed, place)
            version = decode_version(versions.require(txn, number_key(entry.sequence)))
            what = f"state key {version.key.hex()}"
            _check(version.leaf().hash == entry.hash, "is not what its leaf says", what)
            keys += 1
    return keys


def _check(holds: bool, reason: str, what: str) -> None:
    if not holds:
        raise _broken(reason, what)


def _broken(reason: str, what: str) -> CorruptedError:
    advice = "restore a backup or let the node catch up from nothing"
    return CorruptedError(reason, what=what, next=advice)

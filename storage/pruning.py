"""Forgetting what is older than the retention: first the base moves, then rows go bit by bit.

What goes of a block: its transactions, ids, receipts and events, its certificate unless it ended an
epoch, the versions of state keys that were replaced below the base, the index rows that ended
there, and which accounts were touched. Headers, roots and logs stay. A step is one short
transaction with the progress in it, so a crash at any point loses nothing but time. Not here: how
old is too old (`retention_base` is told), and when steps are taken.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import lmdb
import msgspec

from moyai.primitives.ids import Height
from moyai.storage.base import Base, read_base, write_base
from moyai.storage.blocks import BlockTables
from moyai.storage.chain import ChainStore
from moyai.storage.indexes import ended_at
from moyai.storage.keys import ChainTable, number_key
from moyai.storage.snapshot import ChainSnapshot
from moyai.storage.versions import decode_version

BLOCKS_KEPT_MIN = 256
ROWS_A_STEP_MAX = 2_000
PAGES_A_STEP_MAX = 100
_ACCOUNTS = b"a"
_PLACES = b"p"
_INDEXES = b"i"


class Pruned(NamedTuple):
    """What one step did: whether more is to be done, and the bytes of rows it removed."""

    more: bool
    bytes_reclaimed: int


def retention_base(chain: ChainSnapshot, retention_ms: int, snapshot_height: int) -> Height:
    """Return the base that a retention asks for: never lower than it is.

    Age is counted from the oldest state snapshot that is kept, so that who takes over that state
    finds the recent blocks it needs. The last 256 blocks stay.
    """
    low, high = max(chain.base, 1), min(chain.height - BLOCKS_KEPT_MIN + 1, snapshot_height)
    if high <= low:
        return chain.base
    oldest_ms = chain.require_header(snapshot_height).time_ms - retention_ms
    while low < high:
        middle = (low + high) // 2
        if chain.require_header(middle).time_ms < oldest_ms:
            low = middle + 1
        else:
            high = middle
    return Height(low) if low > 1 else chain.base


class Pruner:
    """Takes steps in the thread that writes."""

    def __init__(self, chain: ChainStore) -> None:
        self._chain = chain
        self._environment = chain.environment
        self._blocks = BlockTables(chain.environment.table)
        self._versions = chain.environment.table(ChainTable.VERSIONS)
        self._indexes = chain.environment.table(ChainTable.INDEXES)

    def raise_base(self, height: Height) -> None:
        """Refuse what is below `height` from now on; the steps erase it."""
        with self._environment.write() as txn:
            base = read_base(self._environment, txn)
            if height > max(base.height, 1):
                write_base(
                    self._environment, txn, msgspec.structs.replace(base, height=height, sweep=b"")
                )

    def step(self) -> Pruned:
        """Erase a little of what is below the base; nothing is written when nothing is left.

        Raises `CommitFailed`.
        """
        with self._environment.read() as read:
            base = read_base(self._environment, read.raw)
        if base.erased >= base.height and base.swept >= base.height:
            return Pruned(more=False, bytes_reclaimed=0)
        with self._environment.write() as txn:
            before = self._rows_bytes(txn)
            after = self._erase(txn, base) if base.erased < base.height else self._sweep(txn, base)
            write_base(self._environment, txn, after)
            reclaimed = before - self._rows_bytes(txn)
        more = after.erased < after.height or after.swept < after.height
        return Pruned(more, max(0, reclaimed))

    def _rows_bytes(self, txn: lmdb.Transaction) -> int:
        return sum(table.bytes_used(txn) for table in self._environment.tables)

    def _erase(self, txn: lmdb.Transaction, base: Base) -> Base:
        """Erase replaced versions, then blocks, upwards."""
        replaced = list(islice(self._replaced(txn, base), ROWS_A_STEP_MAX))
        for _, previous in replaced:
            if previous:
                self._versions.delete(txn, number_key(previous))
        sequence = replaced[-1][0] + 1 if replaced else base.sequence
        height, budget = int(base.erased), ROWS_A_STEP_MAX - len(replaced)
        while height < base.height and budget > 0:
            budget -= 1 + len(self._blocks.transaction_ids(txn, height))
            self._blocks.erase(txn, height)
            height += 1
        return msgspec.structs.replace(base, sequence=sequence, erased=Height(height))

    def _replaced(self, txn: lmdb.Transaction, base: Base) -> Iterator[tuple[int, int]]:
        """Yield the versions made below the base, each with the one that it replaced."""
        for key, data in self._versions.scan(txn, number_key(base.sequence)):
            version = decode_version(data)
            if version.height >= base.height:
                return
            yield int.from_bytes(key, "big"), version.previous_sequence

    def _sweep(self, txn: lmdb.Transaction, base: Base) -> Base:
        """Erase derived rows that ended below the base: of accounts, of ids, then of indexes."""
        stage, cursor = base.sweep[:1] or _ACCOUNTS, base.sweep[1:]
        if stage == _ACCOUNTS:
            after = self._blocks.sweep_touched(txn, cursor, base.height, PAGES_A_STEP_MAX)
            following = _PLACES
        elif stage == _PLACES:
            after = self._blocks.sweep_places(txn, cursor, base.height, PAGES_A_STEP_MAX)
            following = _INDEXES
        else:
            after = self._sweep_indexes(txn, cursor, base.height)
            if after is None:
                return msgspec.structs.replace(base, swept=base.height, sweep=b"")
            following = b""
        sweep = following if after is None else stage + after
        return msgspec.structs.replace(base, sweep=sweep)

    def _sweep_indexes(self, txn: lmdb.Transaction, cursor: bytes, base: int) -> bytes | None:
        """Erase index rows that ended; return where to go on, none at the end."""
        rows = list(islice(self._indexes.scan(txn, cursor), ROWS_A_STEP_MAX))
        for key, data in rows:
            if ended_at(data) < base:
                self._indexes.delete(txn, key)
        return rows[-1][0] + b"\x00" if len(rows) == ROWS_A_STEP_MAX else None

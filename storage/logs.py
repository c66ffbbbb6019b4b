"""Growing RFC 6962 logs on disk: block digests, and the receipt roots of blocks.

The hash of every full subtree is kept, so a root or a path of any size costs about log2(size)
reads.
"""

import lmdb

from moyai.primitives.ids import DIGEST_BYTES, Digest
from moyai.primitives.merkle import (
    Frontier,
    inclusion_path,
    inner_hash,
    leaf_hash,
)
from moyai.storage.keys import node_key
from moyai.storage.table import Table


class StoredLog:
    """One log in one table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def append(self, txn: lmdb.Transaction, index: int, data: bytes) -> None:
        """Add leaf `index`, which must be the next one."""
        node, level = leaf_hash(data), 0
        self._table.put(txn, node_key(0, index), node)
        while index >> level & 1:
            left = self._table.require(txn, node_key(level, (index >> level) - 1))
            node = inner_hash(left, node)
            level += 1
            self._table.put(txn, node_key(level, index >> level), node)

    def begin(self, txn: lmdb.Transaction, frontier: Frontier) -> None:
        """Go on from a log of which nothing but this is known."""
        start, roots = 0, iter(frontier.roots)
        for level in range(frontier.size.bit_length() - 1, -1, -1):
            if frontier.size >> level & 1:
                self._table.put(txn, node_key(level, start >> level), next(roots))
                start += 1 << level

    def frontier(self, txn: lmdb.Transaction, size: int) -> Frontier:
        """Return the log as it was with `size` leaves."""
        roots, start = [], 0
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                roots.append(self._node(txn, level, start >> level))
                start += 1 << level
        return Frontier(size, tuple(roots))

    def root(self, txn: lmdb.Transaction, size: int) -> Digest:
        """Return the root over the first `size` leaves."""
        return self.frontier(txn, size).root

    def path(self, txn: lmdb.Transaction, index: int, size: int) -> list[bytes]:
        """Return the audit path of leaf `index` among the first `size` leaves.

        Raises `ProofError`.
        """
        return inclusion_path(index, size, lambda level, place: self._node(txn, level, place))

    def holds(self, txn: lmdb.Transaction, index: int, data: bytes) -> bool:
        """Return whether leaf `index` and the subtrees it completes are as they should be.

        Raises `CorruptedError` when one is missing.
        """
        node, level = leaf_hash(data), 0
        while self._node(txn, level, index >> level) == node:
            if not index >> level & 1:
                return True
            node = inner_hash(self._node(txn, level, (index >> level) - 1), node)
            level += 1
        return False

    def _node(self, txn: lmdb.Transaction, level: int, index: int) -> bytes:
        node = self._table.require(txn, node_key(level, index))
        assert len(node) == DIGEST_BYTES
        return node

"""The Merkle trees of recent blocks' bodies, kept so that many proofs of one block cost one tree.

A committed block never changes, so what is kept never grows stale. Not here: the trees over blocks,
which the store keeps (`ports.Snapshot.log_path`).
"""

import msgspec

from moyai.primitives.codec import encode
from moyai.primitives.merkle import MerkleTree
from moyai.rpc.limits import BLOCK_TREES_KEPT
from moyai.rpc.ports import Snapshot


class BlockTrees(msgspec.Struct, frozen=True):
    """The receipts of one block as they are hashed, and the trees over them and over its ids."""

    receipts: tuple[bytes, ...]
    of_ids: MerkleTree
    of_receipts: MerkleTree


class TreeKeeper:
    """Keeps the trees of the blocks that were asked about last."""

    def __init__(self) -> None:
        self._kept: dict[int, BlockTrees] = {}

    def of_block(self, snapshot: Snapshot, height: int) -> BlockTrees:
        """Return the trees of a committed block."""
        trees = self._kept.pop(height, None)
        if trees is None:
            receipts = tuple(encode(receipt) for receipt in snapshot.receipts(height))
            ids = MerkleTree(snapshot.transaction_ids(height))
            trees = BlockTrees(receipts, ids, MerkleTree(receipts))
            if len(self._kept) >= BLOCK_TREES_KEPT:
                del self._kept[next(iter(self._kept))]
        self._kept[height] = trees
        return trees

"""RFC 6962 Merkle trees: roots, growing logs and inclusion proofs.

leaf = SHA-256(0x00 ‖ data), inner = SHA-256(0x01 ‖ left ‖ right), the empty tree SHA-256(nothing).
Not here: the Merkle map of the state (`state_proof`).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha256

import msgspec

from moyai.primitives.errors import ProofError
from moyai.primitives.ids import Digest, TransactionId

EMPTY_ROOT = Digest(sha256(b"").digest())
BODIES_REMEMBERED_MAX = 8


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one leaf."""
    return sha256(b"\x00" + data).digest()


def inner_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Frontier(msgspec.Struct, frozen=True):
    """A growing log: its size and the roots of its full subtrees, largest first."""

    size: int = 0
    roots: tuple[bytes, ...] = ()

    def append(self, data: bytes) -> "Frontier":
        """Return the log with one leaf more; about one hash amortised."""
        node = leaf_hash(data)
        roots = list(self.roots)
        remaining = self.size
        while remaining & 1:
            node = inner_hash(roots.pop(), node)
            remaining >>= 1
        return Frontier(self.size + 1, (*roots, node))

    @property
    def root(self) -> Digest:
        """Return the RFC 6962 root over all leaves."""
        if not self.roots:
            return EMPTY_ROOT
        node = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            node = inner_hash(left, node)
        return Digest(node)


def merkle_root(leaves: Sequence[bytes]) -> Digest:
    """Return the root over `leaves` in order."""
    level = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        odd = level[-1:] if len(level) & 1 else []
        level = [
            sha256(b"\x01" + level[place] + level[place + 1]).digest()
            for place in range(0, len(level) - 1, 2)
        ] + odd
    return Digest(level[0])


@lru_cache(maxsize=BODIES_REMEMBERED_MAX)
def transactions_root(ids: tuple[TransactionId, ...]) -> Digest:
    """Return the `tx_root` of a body: who builds, takes in and checks a block asks for the same."""
    return merkle_root(ids)


NodeReader = Callable[[int, int], bytes]
"""(level, index) -> hash of the full subtree over leaves [index << level, (index + 1) << level)."""


def inclusion_path(index: int, size: int, node: NodeReader) -> list[bytes]:
    """Return the audit path of leaf `index` in a tree of `size` leaves, nearest sibling first.

    Only hashes of full subtrees are read; the ragged right edge is computed from them.
    """
    if not 0 <= index < size:
        raise ProofError("no such leaf", what=f"leaf {index} of a tree of {size}")
    path = []
    start, width = 0, size
    while width > 1:
        half = 1 << (width - 1).bit_length() - 1
        if index < start + half:
            path.append(range_root(start + half, width - half, node))
            width = half
        else:
            path.append(range_root(start, half, node))
            start, width = start + half, width - half
    return path[::-1]


def range_root(start: int, width: int, node: NodeReader) -> bytes:
    """Return the root over `width` leaves from `start`, aligned as subtrees of a tree are."""
    level = width.bit_length() - 1
    if width == 1 << level:
        return node(level, start >> level)
    half = 1 << (width - 1).bit_length() - 1
    return inner_hash(range_root(start, half, node), range_root(start + half, width - half, node))


def list_inclusion_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the audit path of `leaves[index]` when all leaves are at hand."""

    def node(level: int, place: int) -> bytes:
        return merkle_root(leaves[place << level : (place + 1) << level])

    return inclusion_path(index, len(leaves), node)


class MerkleTree:
    """A finished tree with all its hashes at hand: each path costs log2(size) reads."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        level = [leaf_hash(leaf) for leaf in leaves]
        self.size = len(leaves)
        self._levels = [level]
        while len(level) > 1:
            pairs = range(0, len(level) - 1, 2)
            level = [inner_hash(level[place], level[place + 1]) for place in pairs]
            self._levels.append(level)

    def path(self, index: int) -> list[bytes]:
        """Return the audit path of leaf `index`. Raises `ProofError` when there is no such leaf."""
        return inclusion_path(index, self.size, lambda level, place: self._levels[level][place])


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that `leaf` is leaf `index` of the tree of `size` under `root`.

    Raises `ProofError`.
    """
    if inclusion_root(leaf, index, size, path) != root:
        raise _astray(index, size)


def inclusion_root(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that the path of leaf `index` of `size` leads to (RFC 9162, 2.1.3.2).

    Raises `ProofError` when a path of this length fits no such tree.
    """
    if not 0 <= index < size:
        raise _astray(index, size)
    place, last, node = index, size - 1, leaf_hash(leaf)
    for sibling in path:
        if last == 0:
            raise _astray(index, size)
        if place & 1 or place == last:
            node = inner_hash(sibling, node)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            node = inner_hash(node, sibling)
        place >>= 1
        last >>= 1
    if last:
        raise _astray(index, size)
    return node


def _astray(index: int, size: int) -> ProofError:
    return ProofError("the path does not lead to the root", what=f"leaf {index} of {size}")

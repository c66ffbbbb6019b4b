"""A complete binary tree of hashes in one block of memory: the inner nodes of the state trie.

Place 1 is the root, the children of place i are 2i and 2i+1, so a pair of children is one slice of
64 bytes. Beside each hash stands how many leaves lie below it: 0, 1, or 2 for more, since a subtree
with a single leaf is that leaf's hash.
Not here: the leaves of the trie themselves (`section`).
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256

from moyai.primitives.ids import DIGEST_BYTES
from moyai.primitives.state_proof import EMPTY

MANY = 2


class HashHeap:
    """The hashes above 2^depth places."""

    __slots__ = ("_counts", "_nodes", "depth")

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self._nodes = bytearray(DIGEST_BYTES << (depth + 1))
        self._counts = bytearray(1 << (depth + 1))

    @property
    def root(self) -> bytes:
        """Return the hash of the whole tree."""
        return self.node(1)

    @property
    def leaf_count(self) -> int:
        """Return how many leaves the whole tree has: 0, 1, or 2 for more."""
        return self._counts[1]

    def node(self, place: int) -> bytes:
        """Return the hash at a place."""
        return bytes(self._nodes[DIGEST_BYTES * place : DIGEST_BYTES * (place + 1)])

    def copy(self) -> "HashHeap":
        """Return an independent copy."""
        twin = HashHeap(self.depth)
        twin._nodes[:] = self._nodes
        twin._counts[:] = self._counts
        return twin

    def lowest_row(self) -> tuple[bytes, bytes]:
        """Return the hashes and the leaf counts of the lowest row; `load_lowest_row` restores
        them.
        """
        first = 1 << self.depth
        return bytes(self._nodes[DIGEST_BYTES * first :]), bytes(self._counts[first:])

    def load_lowest_row(self, hashes: bytes, counts: bytes) -> None:
        """Set the whole lowest row and hash everything above it."""
        first = 1 << self.depth
        self._nodes[DIGEST_BYTES * first :] = hashes
        self._counts[first:] = counts
        self._counts[1:first] = bytes(first - 1)
        self._hash_above(set(range(first >> 1, first)))

    def put(self, index: int, node: bytes, count: int) -> None:
        """Set the hash of the lowest row at `index`; `update` must follow."""
        place = (1 << self.depth) + index
        self._nodes[32 * place : 32 * place + 32] = node
        self._counts[place] = count

    def update(self, indexes: Iterable[int]) -> None:
        """Hash again what lies above the given places of the lowest row; leaves may only have
        come.
        """
        first = 1 << self.depth
        self._hash_above({(first + index) >> 1 for index in indexes})

    def update_after_removal(self, indexes: Iterable[int]) -> None:
        """Hash again what lies above the given places, where leaves may also have gone."""
        indexes = list(indexes)
        for index in indexes:
            place = (1 << self.depth) + index
            while place := place >> 1:
                self._counts[place] = 0
        self.update(indexes)

    def path(self, index: int) -> Iterator[bytes]:
        """Yield the siblings from the root down to `index`, ending where a subtree has at most one
        leaf.
        """
        place = 1
        for level in range(self.depth):
            if self._counts[place] < MANY:
                return
            place = (1 << (level + 1)) + (index >> (self.depth - level - 1))
            yield self.node(place ^ 1)

    def path_end(self, index: int) -> tuple[int, int]:
        """Return the span of the lowest row below the place where the path to `index` ends."""
        place, level = 1, 0
        while level < self.depth and self._counts[place] == MANY:
            level += 1
            place = (1 << level) + (index >> (self.depth - level))
        width = self.depth - level
        start = (place << width) - (1 << self.depth)
        return start, start + (1 << width)

    def _hash_above(self, level: set[int]) -> None:
        """Hash the places of one row again, then the rows above; the order within a row is free."""
        nodes, counts, many = self._nodes, self._counts, MANY
        level.discard(0)
        while level:
            for place in level:
                start = place << 6
                if counts[place] == many or self._gains_branch(place):
                    node = sha256(b"\x01" + nodes[start : start + 64]).digest()
                else:
                    left, right = nodes[start : start + 32], nodes[start + 32 : start + 64]
                    node = bytes(right if left == EMPTY else left)
                start >>= 1
                nodes[start : start + 32] = node
            level = {place >> 1 for place in level if place > 1}

    def _gains_branch(self, place: int) -> bool:
        self._counts[place] = min(MANY, self._counts[2 * place] + self._counts[2 * place + 1])
        return self._counts[place] == MANY

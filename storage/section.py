"""One section of the state trie: the leaves whose key digests begin with one byte.

Leaves are packed into buckets, sorted: 76 bytes a leaf (key digest, leaf hash, sequence u48,
version u48). A `HashHeap` holds the hashes above the buckets; the few hashes inside a bucket are
computed when it changes, which keeps a million leaves below 100 MB. Not here: values and past
versions, which lie on disk under their sequence.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

import msgspec

from moyai.primitives.state_proof import EMPTY
from moyai.storage.hash_heap import MANY, HashHeap

SECTION_BITS = 8
ENTRY_BYTES = 76

BUCKET_LEAVES_MEAN_MAX = 6
_VERSION_MAX = (1 << 48) - 1
_LEAF = Struct(">B32s32sQQ32s")
_PREFIX_BITS = 64
_PREFIXES = tuple(Struct(">" + "Q24x32s12x" * leaves) for leaves in range(33))
_HASH = slice(32, 64)
_DIGEST_BITS = 256


class Entry(NamedTuple):
    """What the trie keeps of the newest version of one key; a hash of zeros is "not there"."""

    key_digest: bytes
    hash: bytes
    sequence: int
    version: int


class Work(msgspec.Struct, frozen=True, order=True, gc=False):
    """A change to make: the digests are those of the key and of the value, none deleting it."""

    key_digest: bytes
    value_digest: bytes
    key: bytes
    value: bytes | None


class Change(msgspec.Struct, frozen=True, gc=False):
    """A new version of one key: the packed entry, and the one it replaced or no bytes."""

    key: bytes
    value: bytes | None
    entry: bytes
    replaced: bytes

    @property
    def new(self) -> Entry:
        """Return the entry of the new version."""
        return unpack(self.entry, 0)

    @property
    def old(self) -> Entry | None:
        """Return the entry of the version before it."""
        return unpack(self.replaced, 0) if self.replaced else None


class Section:
    """The buckets of one section and the hashes above them."""

    __slots__ = ("_buckets", "_heap", "_shift", "size")

    def __init__(self, packed: bytes = b"") -> None:
        """Build a section from its packed leaves, sorted by key digest."""
        self._load(packed)

    def _load(self, packed: bytes) -> None:
        self.size = len(packed) // ENTRY_BYTES
        depth = _depth_for(self.size)
        self._shift = 32 - SECTION_BITS - depth
        self._buckets = _split(packed, depth)
        self._heap = HashHeap(depth)
        if not packed:
            return  # a new heap has the hashes of nothing already
        for index, bucket in enumerate(self._buckets):
            if bucket:
                self._heap.put(
                    index, _bucket_root(bucket, SECTION_BITS + depth), _bucket_count(bucket)
                )
        self._heap.update(range(1 << depth))

    @property
    def root(self) -> bytes:
        """Return the hash of the section as a subtree of the trie."""
        return self._heap.root

    @property
    def leaf_count(self) -> int:
        """Return how many leaves there are: 0, 1, or 2 for more."""
        return min(MANY, self.size)

    def packed(self) -> bytes:
        """Return all leaves, sorted by key digest."""
        return b"".join(self._buckets)

    def copy(self) -> "Section":
        """Return an independent copy."""
        twin = Section()
        twin.size, twin._shift = self.size, self._shift
        twin._buckets = self._buckets.copy()
        twin._heap = self._heap.copy()
        return twin

    def find(self, key_digest: bytes) -> Entry | None:
        """Return the newest version of a key."""
        bucket = self._buckets[self._index(key_digest)]
        place = _find(bucket, key_digest)
        return None if place < 0 else unpack(bucket, place)

    def apply(self, work: Iterable[Work], height: int, sequence: int) -> list[Change]:
        """Add a version to each key and return the changes in order.

        The keys are distinct and the new versions take the sequences from `sequence` on.
        """
        buckets, shift = self._buckets, self._shift
        touched: dict[int, None] = {}
        applied = []
        for one in work:
            key_digest = one.key_digest
            index = int.from_bytes(key_digest[1:4], "big") >> shift
            bucket = buckets[index]
            place = _find(bucket, key_digest)
            if place < 0:
                place = end = _insertion_place(bucket, key_digest)
                previous, version = EMPTY, 1
                self.size += 1
            else:
                end = place + ENTRY_BYTES
                previous = bucket[place + 32 : place + 64]
                version = int.from_bytes(bucket[place + 70 : end], "big") + 1
            leaf = _LEAF.pack(0, key_digest, one.value_digest, height, version, previous)
            node = sha256(leaf).digest()
            entry = key_digest + node + (sequence << 48 | version).to_bytes(12, "big")
            applied.append(Change(one.key, one.value, entry, bucket[place:end]))
            buckets[index] = bucket[:place] + entry + bucket[end:]
            touched[index] = None
            sequence += 1
        self._rehash(touched)
        return applied

    def undo(self, replacements: Iterable[tuple[bytes, bytes]]) -> None:
        """Put older packed entries back in place of newer ones; no bytes take the key out again."""
        touched: dict[int, None] = {}
        for key_digest, replaced in replacements:
            index = self._index(key_digest)
            bucket = self._buckets[index]
            place = _find(bucket, key_digest)
            self.size -= not replaced
            self._buckets[index] = bucket[:place] + replaced + bucket[place + ENTRY_BYTES :]
            touched[index] = None
        self._rehash_buckets(touched)
        self._heap.update_after_removal(touched)

    def path(self, key_digest: bytes) -> tuple[list[bytes], Entry | None]:
        """Return the siblings from the section's root down to a key's place, and the leaf found
        there.
        """
        index = self._index(key_digest)
        siblings = list(self._heap.path(index))
        start, end = self._heap.path_end(index)
        rest = b"".join(self._buckets[start:end])
        depth = SECTION_BITS + len(siblings)
        while len(rest) > ENTRY_BYTES:
            middle = _middle(rest, depth)
            ours, other = (
                (rest[middle:], rest[:middle])
                if _bit(key_digest, depth)
                else (rest[:middle], rest[middle:])
            )
            depth += 1
            siblings.append(_bucket_root(other, depth))
            rest = ours
        return siblings, unpack(rest, 0) if rest else None

    def _index(self, key_digest: bytes) -> int:
        return int.from_bytes(key_digest[1:4], "big") >> self._shift

    def _rehash(self, touched: dict[int, None]) -> None:
        if _depth_for(self.size) > self._heap.depth:
            self._load(self.packed())
            return
        self._rehash_buckets(touched)
        self._heap.update(touched)

    def _rehash_buckets(self, touched: dict[int, None]) -> None:
        buckets, heap = self._buckets, self._heap
        depth = SECTION_BITS + heap.depth
        for index in touched:
            bucket = buckets[index]
            heap.put(index, _bucket_root(bucket, depth), _bucket_count(bucket))


def pack(entry: Entry) -> bytes:
    """Return the 76 bytes of an entry."""
    return (
        entry.key_digest + entry.hash + (entry.sequence << 48 | entry.version).to_bytes(12, "big")
    )


def unpack(packed: bytes, place: int) -> Entry:
    """Return the entry that starts at byte `place` of packed leaves."""
    numbers = int.from_bytes(packed[place + 64 : place + ENTRY_BYTES], "big")
    node = packed[place + 32 : place + 64]
    return Entry(packed[place : place + 32], node, numbers >> 48, numbers & _VERSION_MAX)


def _depth_for(size: int) -> int:
    depth = 0
    while size > BUCKET_LEAVES_MEAN_MAX << depth and depth < 32 - SECTION_BITS:
        depth += 1
    return depth


def _split(packed: bytes, depth: int) -> list[bytes]:
    ends = [0] * (1 << depth)
    shift = 32 - SECTION_BITS - depth
    for place in range(0, len(packed), ENTRY_BYTES):
        ends[int.from_bytes(packed[place + 1 : place + 4], "big") >> shift] = place + ENTRY_BYTES
    buckets, start = [], 0
    for end in ends:
        buckets.append(packed[start:end] if end else b"")
        start = end or start
    return buckets


def _find(bucket: bytes, key_digest: bytes) -> int:
    place = bucket.find(key_digest)
    while place > 0 and place % ENTRY_BYTES:
        place = bucket.find(key_digest, place + 1)
    return place


def _insertion_place(bucket: bytes, key_digest: bytes) -> int:
    for place in range(0, len(bucket), ENTRY_BYTES):
        if bucket[place : place + 32] > key_digest:
            return place
    return len(bucket)


def _bit(key_digest: bytes, depth: int) -> int:
    return key_digest[depth >> 3] >> (7 - (depth & 7)) & 1


def _middle(packed: bytes, depth: int) -> int:
    for place in range(0, len(packed), ENTRY_BYTES):
        if packed[place + (depth >> 3)] >> (7 - (depth & 7)) & 1:
            return place
    return len(packed)


def _bucket_count(bucket: bytes) -> int:
    return min(MANY, len(bucket) // ENTRY_BYTES)


def _bucket_root(bucket: bytes, depth: int) -> bytes:
    """Return the hash of packed leaves that share their first `depth` bits."""
    leaves = len(bucket) // ENTRY_BYTES
    if leaves <= 1:
        return bucket[_HASH] or EMPTY
    if leaves < len(_PREFIXES):
        fields = _PREFIXES[leaves].unpack(bucket)
        root = _subtree_root(fields[::2], fields[1::2], depth, _PREFIX_BITS)
        if root is not None:
            return root
    places = range(0, len(bucket), ENTRY_BYTES)
    keys = [int.from_bytes(bucket[place : place + 32], "big") for place in places]
    nodes = [bucket[place + 32 : place + 64] for place in places]
    root = _subtree_root(keys, nodes, depth, _DIGEST_BITS)
    assert root is not None, "two leaves of one key"
    return root


def _subtree_root(
    keys: Sequence[int], leaves: Sequence[bytes], depth: int, bits: int
) -> bytes | None:
    """Return the hash of two or more leaves; none when their first `bits` bits cannot tell them
    apart.

    One pass from left to right: neighbours part at one depth, and a subtree is complete when the
    next leaf parts above it. A single leaf has no depth of its own and fits everywhere.
    """
    waiting: list[tuple[int, bytes]] = []
    node, at, key = leaves[0], bits, keys[0]
    for after, leaf in zip(keys[1:], leaves[1:], strict=True):
        parting = bits - (key ^ after).bit_length()
        if parting == bits:
            return None
        while waiting and waiting[-1][0] > parting:
            split, left = waiting.pop()
            if split + 1 < at < bits:
                node = _lift(node, key, at, split + 1, bits)
            node, at = sha256(b"\x01" + left + node).digest(), split
        if parting + 1 < at < bits:
            node = _lift(node, key, at, parting + 1, bits)
        waiting.append((parting, node))
        node, at, key = leaf, bits, after
    for split, left in reversed(waiting):
        if split + 1 < at < bits:
            node = _lift(node, key, at, split + 1, bits)
        node, at = sha256(b"\x01" + left + node).digest(), split
    return _lift(node, key, at, depth, bits) if depth < at else node


def _lift(node: bytes, key: int, at: int, to: int, bits: int) -> bytes:
    """Return the hash at depth `to` of a subtree with several leaves whose hash at depth `at` is
    `node`.
    """
    for depth in range(at - 1, to - 1, -1):
        one = key >> (bits - 1 - depth) & 1
        node = sha256(b"\x01" + EMPTY + node if one else b"\x01" + node + EMPTY).digest()
    return node

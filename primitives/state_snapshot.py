"""State snapshots: the state after one final block, cut into parts that each prove themselves.

The trie of `state_proof` is cut at a depth into parts by the first bits of the key digest. Not
here: making, keeping (storage) and moving (p2p) them.
"""

from bisect import bisect_left
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta

from moyai.primitives.block import Header, header_digest
from moyai.primitives.errors import ProofError
from moyai.primitives.fields import DigestField
from moyai.primitives.ids import DIGEST_BYTES, Digest
from moyai.primitives.limits import (
    SNAPSHOT_DEPTH_MAX,
    STATE_KEY_BYTES_MAX,
    STATE_VALUE_BYTES_MAX,
)
from moyai.primitives.merkle import Frontier, verify_inclusion
from moyai.primitives.state_proof import EMPTY, Leaf, state_inner_hash, value_digest

MANY_LEAVES = 2
"""The class of a part with two leaves or more; others are of the number of their leaves."""

PART_BYTES = 1 + DIGEST_BYTES
PART_SIZE_AIM_BYTES = 128 * 1024
LEAF_OVERHEAD_BYTES = 64
_Paths = Annotated[tuple[DigestField, ...], Meta(max_length=64)]


class SnapshotLeaf(msgspec.Struct, array_like=True, frozen=True):
    """The newest version of one key."""

    key: Annotated[bytes, Meta(max_length=STATE_KEY_BYTES_MAX)]
    value: Annotated[bytes, Meta(max_length=STATE_VALUE_BYTES_MAX)] | None
    height: Annotated[int, Meta(ge=0, lt=2**53)]
    version: Annotated[int, Meta(ge=1, lt=2**53)]
    previous: DigestField

    def leaf(self) -> Leaf:
        """Return the leaf of the trie."""
        digest = sha256(self.key).digest()
        return Leaf(digest, value_digest(self.value), self.height, self.version, self.previous)


class SnapshotDescription(msgspec.Struct, array_like=True, frozen=True):
    """What a snapshot is of, and the hash of each part."""

    header: Header
    attesting: Header
    path: _Paths
    log_frontier: _Paths
    receipts_frontier: _Paths
    depth: Annotated[int, Meta(ge=0, le=SNAPSHOT_DEPTH_MAX)]
    parts: Annotated[bytes, Meta(max_length=PART_BYTES << SNAPSHOT_DEPTH_MAX)]


def snapshot_depth(leaves: int, content_bytes: int) -> int:
    """Return where a state is cut: part of the format, so that all nodes make the same parts.

    `content_bytes` are those of all keys and values.
    """
    size = content_bytes + leaves * LEAF_OVERHEAD_BYTES
    depth = 0
    while size >> depth > PART_SIZE_AIM_BYTES and depth < SNAPSHOT_DEPTH_MAX:
        depth += 1
    return depth


def subtree(leaves: Sequence[Leaf], depth: int) -> tuple[int, bytes]:
    """Return class and hash of the subtree below `depth` that holds exactly `leaves`, in order."""
    if not leaves:
        return 0, EMPTY
    if len(leaves) == 1:
        return 1, leaves[0].hash
    bit = 255 - depth
    right = bisect_left(leaves, 1, key=lambda leaf: _bit(leaf.key_digest, bit))
    return join(subtree(leaves[:right], depth + 1), subtree(leaves[right:], depth + 1))


def join(left: tuple[int, bytes], right: tuple[int, bytes]) -> tuple[int, bytes]:
    """Return class and hash of the subtree above two."""
    count = left[0] + right[0]
    if count <= 1:
        return left if left[0] else right
    return MANY_LEAVES, state_inner_hash(left[1], right[1])


def check_description(description: SnapshotDescription) -> None:
    """Check that everything leads to the attesting header. Raises `ProofError`."""
    header, attesting = description.header, description.attesting
    if attesting.executed.height != header.height or header.filler_of or attesting.filler_of:
        raise _bad("is attested by another header")
    height = header.height
    root = attesting.log_root
    verify_inclusion(header_digest(header), height, attesting.height, description.path, root)
    if _frontier(height, description.log_frontier) != header.log_root:
        raise _bad("has another log")
    if _frontier(height, description.receipts_frontier) != attesting.executed.receipts_root:
        raise _bad("has other receipts")
    nodes = _nodes(description)
    while len(nodes) > 1:
        pairs = range(0, len(nodes), 2)
        nodes = [join(nodes[place], nodes[place + 1]) for place in pairs]
    if nodes[0][1] != attesting.executed.state_root:
        raise _bad("has another state root")


def check_part(
    description: SnapshotDescription, index: int, leaves: Sequence[SnapshotLeaf]
) -> None:
    """Check the leaves of one part against a checked description. Raises `ProofError`."""
    hashed = [leaf.leaf() for leaf in leaves]
    digests = [leaf.key_digest for leaf in hashed]
    if any(one >= other for one, other in pairwise(digests)):
        raise _bad("has leaves out of order")
    shift = 256 - description.depth
    if any(int.from_bytes(digest, "big") >> shift != index for digest in digests):
        raise _bad("has a leaf of another part")
    end = PART_BYTES * (index + 1)
    if subtree(hashed, description.depth)[1] != description.parts[end - DIGEST_BYTES : end]:
        raise _bad("has other leaves than described")


def _bit(key_digest: bytes, bit: int) -> int:
    return int.from_bytes(key_digest, "big") >> bit & 1


def _frontier(size: int, roots: tuple[Digest, ...]) -> Digest:
    if len(roots) != size.bit_count():
        raise _bad("has a log of another size")
    return Frontier(size, roots).root


def _nodes(description: SnapshotDescription) -> list[tuple[int, bytes]]:
    parts = description.parts
    if len(parts) != PART_BYTES << description.depth:
        raise _bad("has another number of parts than its depth says")
    starts = range(0, len(parts), PART_BYTES)
    nodes = [(parts[start], parts[start + 1 : start + PART_BYTES]) for start in starts]
    if any(kind > MANY_LEAVES or (kind == 0) != (node == EMPTY) for kind, node in nodes):
        raise _bad("has a part of no known class")
    return nodes


def _bad(reason: str) -> ProofError:
    return ProofError(f"the snapshot {reason}", what="state snapshot", next="ask another node")

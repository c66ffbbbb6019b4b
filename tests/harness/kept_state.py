"""A state cut into parts by hand, over a certified chain: what an honest peer serves."""

from collections.abc import Sequence
from hashlib import sha256

from typing_extensions import override

from harness.certified_chain import CertifiedChain, certify
from harness.core_city import KEYS
from moyai.p2p.serving import StateSource
from moyai.p2p.snapshot_messages import RecentBlock, SnapshotOffer
from moyai.primitives.block import header_digest
from moyai.primitives.epoch_end import EpochEnd
from moyai.primitives.ids import Digest, Epoch, Height
from moyai.primitives.merkle import list_inclusion_path
from moyai.primitives.state_proof import EMPTY, state_inner_hash
from moyai.primitives.state_snapshot import SnapshotDescription, SnapshotLeaf

Node = tuple[int, bytes]


def leaves_of(count: int, *, value_bytes: int = 10) -> tuple[SnapshotLeaf, ...]:
    """Return as many leaves in the order of their key digests."""
    leaves = [
        SnapshotLeaf(b"key %d" % number, bytes(value_bytes) + b"%d" % number, 1, 1, Digest(EMPTY))
        for number in range(count)
    ]
    return tuple(sorted(leaves, key=lambda leaf: sha256(leaf.key).digest()))


def subtree(leaves: Sequence[SnapshotLeaf], depth: int = 0) -> Node:
    """Return class and hash of the subtree that holds exactly `leaves`."""
    if len(leaves) < 2:
        return (len(leaves), leaves[0].leaf().hash if leaves else EMPTY)
    sides: tuple[list[SnapshotLeaf], list[SnapshotLeaf]] = ([], [])
    for leaf in leaves:
        digest = sha256(leaf.key).digest()
        sides[digest[depth // 8] >> (7 - depth % 8) & 1].append(leaf)
    return (2, state_inner_hash(subtree(sides[0], depth + 1)[1], subtree(sides[1], depth + 1)[1]))


def cut(leaves: Sequence[SnapshotLeaf], depth: int) -> list[tuple[SnapshotLeaf, ...]]:
    """Return the leaves of each part."""
    parts: list[list[SnapshotLeaf]] = [[] for _ in range(1 << depth)]
    for leaf in leaves:
        number = int.from_bytes(sha256(leaf.key).digest(), "big")
        parts[number >> 256 - depth].append(leaf)
    return [tuple(part) for part in parts]


class KeptState(StateSource):
    """A chain, and the state after the block below its attesting one."""

    def __init__(
        self, chain: CertifiedChain, leaves: Sequence[SnapshotLeaf], *, depth: int, height: int
    ) -> None:
        self.chain = chain
        self.parts = cut(leaves, depth)
        nodes = [subtree(part, depth) for part in self.parts]
        header, attesting = chain.headers[height], chain.headers[height + 1]
        self.description = SnapshotDescription(
            header=header,
            attesting=attesting,
            path=self._path(height, height + 1),
            log_frontier=tuple(Digest(root) for root in chain.logs[height].roots),
            receipts_frontier=tuple(Digest(root) for root in chain.receipts[height].roots),
            depth=depth,
            parts=b"".join(bytes([kind]) + node for kind, node in nodes),
        )

    @override
    def epoch_end(self, epoch: Epoch) -> EpochEnd | None:
        return self.chain.ends[epoch] if epoch < len(self.chain.ends) else None

    @override
    def offer(self, height: Height | None) -> SnapshotOffer | None:
        if height not in (None, self.description.header.height):
            return None
        attesting, chain = self.description.attesting, self.chain
        if attesting.epoch < len(chain.ends):
            end = chain.ends[attesting.epoch]
            headers = (*end.fillers[::-1], end.header)
            path = self._path(attesting.height, end.header.height)
            return SnapshotOffer(self.description, end.certificate, headers, path)
        path = self._path(attesting.height, chain.tip.height)
        certificate = certify(chain.tip, chain.sets[-1])
        return SnapshotOffer(self.description, certificate, (chain.tip,), path)

    @override
    def part(self, height: Height, index: int) -> Sequence[SnapshotLeaf] | None:
        return self.parts[index] if height == self.description.header.height else None

    @override
    def recent(self, height: Height) -> RecentBlock | None:
        if height > self.chain.tip.height:
            return None
        return RecentBlock(self.chain.headers[height], b"".join(self.chain.ids[height]))

    def _path(self, height: int, size: int) -> tuple[Digest, ...]:
        if height == size:
            return ()
        digests = [header_digest(header) for header in self.chain.headers[:size]]
        return tuple(Digest(node) for node in list_inclusion_path(height, digests))


def kept_state(
    *, keys: int = 300, depth: int = 3, blocks: int = 12, tail: int = 3, value_bytes: int = 10
) -> KeptState:
    """Return a state after two epochs, one ended by a filler, and some blocks of a third."""
    leaves = leaves_of(keys, value_bytes=value_bytes)
    chain = CertifiedChain(Digest(subtree(leaves)[1]))
    chain.append(2)
    chain.end_epoch(KEYS[:5])
    chain.append(1)
    chain.end_epoch(KEYS[1:5], fillers=2)
    for number in range(blocks):
        chain.append(number % 4)
    height = chain.tip.height
    for _ in range(tail):
        chain.append(1)
    return KeptState(chain, leaves, depth=depth, height=height)

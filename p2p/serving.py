"""Answers to the questions of nodes that catch up, cut to what one message may hold. Pure.

Not here: reading the chain (`ChainReader` is the node's), and asking (`sync`).
"""

from collections.abc import Sequence
from typing import Protocol, assert_never

from moyai.p2p import limits
from moyai.p2p.messages import (
    BelowBase,
    BodiesAnswer,
    BodiesRequest,
    HeadersAnswer,
    HeadersRequest,
    SyncAnswer,
    SyncRequest,
    TargetAnswer,
    TargetRequest,
)
from moyai.p2p.snapshot_messages import (
    EpochEndAnswer,
    EpochEndRequest,
    RecentAnswer,
    RecentBlock,
    RecentRequest,
    SnapshotAnswer,
    SnapshotOffer,
    SnapshotPartAnswer,
    SnapshotPartRequest,
    SnapshotRequest,
    StateAnswer,
    StateRequest,
    leaf_bytes,
)
from moyai.primitives.block import Header
from moyai.primitives.epoch_end import EpochEnd
from moyai.primitives.ids import Digest, Epoch, Height
from moyai.primitives.state_snapshot import SnapshotLeaf


class ChainReader(Protocol):
    """One committed state of the chain store."""

    @property
    def base(self) -> Height:
        """Return the height from which on blocks are here."""

    def header(self, height: Height) -> Header | None:
        """Return the header at `height`."""

    def certified_headers(self, digest: Digest) -> tuple[Header, ...]:
        """Return the header with `digest`; if it is a filler, also its parents to the chain."""

    def log_path(self, height: Height, size: Height) -> tuple[bytes, ...] | None:
        """Return the inclusion path of the block at `height` in the log of the first `size`.

        None when it leads through what is below the base.
        """

    def raw_transactions(self, height: Height) -> tuple[bytes, ...] | None:
        """Return the body at `height`, as it was signed."""


class StateSource(Protocol):
    """What a node that takes over a state asks for: one committed state, and snapshots kept."""

    def epoch_end(self, epoch: Epoch) -> EpochEnd | None:
        """Return how an epoch ended."""

    def offer(self, height: Height | None) -> SnapshotOffer | None:
        """Return the offer of the snapshot at `height`, or of the newest."""

    def part(self, height: Height, index: int) -> Sequence[SnapshotLeaf] | None:
        """Return the leaves of one part of the snapshot at `height`."""

    def recent(self, height: Height) -> RecentBlock | None:
        """Return header and ids of the block at `height`."""


def answer_sync(request: SyncRequest, chain: ChainReader) -> SyncAnswer:
    """Return the answer to `request`, an empty one when the chain does not reach."""
    match request:
        case TargetRequest(digest):
            return TargetAnswer(digest, chain.certified_headers(digest))
        case HeadersRequest():
            return _headers(request, chain)
        case BodiesRequest():
            return _bodies(request, chain)


def answer_state(request: StateRequest, source: StateSource) -> StateAnswer:
    """Return the answer to `request`, an empty one where nothing is held."""
    match request:
        case EpochEndRequest(epoch):
            return EpochEndAnswer(epoch, source.epoch_end(epoch))
        case SnapshotRequest(height):
            return SnapshotAnswer(height, source.offer(height))
        case SnapshotPartRequest():
            return _part(request, source)
        case RecentRequest():
            return _recent(request, source)
        case _:
            assert_never(request)


def _headers(request: HeadersRequest, chain: ChainReader) -> HeadersAnswer | BelowBase:
    empty = HeadersAnswer(request.target, request.first, (), ())
    last = Height(request.first + request.count - 1)
    if last >= request.target or chain.header(request.target) is None:
        return empty
    headers: list[Header] = []
    for height in range(request.first, last + 1):
        header = chain.header(Height(height))
        if header is None:
            below = request.first < chain.base
            return BelowBase(request.first, chain.base) if below else empty
        headers.append(header)
    path = chain.log_path(last, request.target)
    if path is None:
        return BelowBase(request.first, chain.base)
    nodes = tuple(Digest(node) for node in path)
    return HeadersAnswer(request.target, request.first, tuple(headers), nodes)


def _bodies(request: BodiesRequest, chain: ChainReader) -> BodiesAnswer | BelowBase:
    if request.first < chain.base:
        return BelowBase(request.first, chain.base)
    bodies: list[tuple[bytes, ...]] = []
    left = limits.SYNC_BODIES_BYTES
    skipped = request.position
    for height in range(request.first, request.first + request.count):
        body = chain.raw_transactions(Height(height))
        if body is None or left <= 0:
            break
        part: list[bytes] = []
        for raw in body[skipped:]:
            if left <= 0:
                break
            part.append(raw)
            left -= len(raw)
        bodies.append(tuple(part))
        skipped = 0
    return BodiesAnswer(request.first, request.position, tuple(bodies))


def _part(request: SnapshotPartRequest, source: StateSource) -> SnapshotPartAnswer:
    leaves = source.part(request.height, request.part) or ()
    end, left = request.position, limits.SNAPSHOT_ANSWER_BYTES
    last = min(len(leaves), request.position + limits.SNAPSHOT_ANSWER_LEAVES_MAX)
    while end < last and left > 0:
        left -= leaf_bytes(leaves[end])
        end += 1
    taken = tuple(leaves[request.position : end])
    more = end < len(leaves)
    return SnapshotPartAnswer(request.height, request.part, request.position, taken, more)


def _recent(request: RecentRequest, source: StateSource) -> RecentAnswer:
    blocks: list[RecentBlock] = []
    left = limits.RECENT_ANSWER_BYTES
    for height in range(request.last, max(0, request.last - request.count), -1):
        block = source.recent(Height(height)) if left > 0 else None
        if block is None:
            break
        left -= limits.RECENT_HEADER_BYTES + len(block.ids)
        blocks.append(block)
    return RecentAnswer(request.last, tuple(blocks))

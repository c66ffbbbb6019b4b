"""What nodes say to each other while one of them takes over a state: types 36 to 43 of the wire.

Nothing in an answer is believed as it comes: everything leads to a header that a quorum certified.
Not here: blocks above the state (`messages`), checks (`snapshot_checks`, `primitives`).
"""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from moyai.p2p import limits
from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.epoch_end import EpochEnd
from moyai.primitives.fields import DigestField, EpochField, HeightField
from moyai.primitives.ids import DIGEST_BYTES
from moyai.primitives.limits import BLOCK_TRANSACTIONS_MAX, SNAPSHOT_DEPTH_MAX
from moyai.primitives.state_snapshot import SnapshotDescription, SnapshotLeaf

PartField = Annotated[int, Meta(ge=0, lt=1 << SNAPSHOT_DEPTH_MAX)]
LeafPositionField = Annotated[int, Meta(ge=0, lt=1 << 32)]
IdsField = Annotated[bytes, Meta(max_length=BLOCK_TRANSACTIONS_MAX * DIGEST_BYTES)]


class EpochEndRequest(msgspec.Struct, array_like=True, frozen=True, tag=36):
    """Asks how an epoch ended."""

    epoch: EpochField


class EpochEndAnswer(msgspec.Struct, array_like=True, frozen=True, tag=37):
    """The end of the epoch; none when it has not ended where the sender is."""

    epoch: EpochField
    end: EpochEnd | None


class SnapshotOffer(msgspec.Struct, array_like=True, frozen=True):
    """A state that can be had in parts, and what certifies it.

    `headers` lead from the header that `certificate` finalizes down to the first that is no filler,
    the target: the attesting header itself, or one of its epoch above it. `path` is that of the
    attesting header in the log of the target, empty when it is the target.
    """

    description: SnapshotDescription
    certificate: Certificate
    headers: Annotated[tuple[Header, ...], Meta(min_length=1, max_length=limits.SYNC_FILLERS_MAX)]
    path: Annotated[tuple[DigestField, ...], Meta(max_length=limits.SYNC_LOG_PATH_MAX)]


class SnapshotRequest(msgspec.Struct, array_like=True, frozen=True, tag=38):
    """Asks for the state after block `height`, or for the newest one there is when it is none."""

    height: HeightField | None


class SnapshotAnswer(msgspec.Struct, array_like=True, frozen=True, tag=39):
    """What the sender offers; none when it has no such state."""

    height: HeightField | None
    offer: SnapshotOffer | None


class SnapshotPartRequest(msgspec.Struct, array_like=True, frozen=True, tag=40):
    """Asks for the leaves of one part of the state after block `height`, from `position` on."""

    height: HeightField
    part: PartField
    position: LeafPositionField


class SnapshotPartAnswer(msgspec.Struct, array_like=True, frozen=True, tag=41):
    """Leaves in the order of their key digests, and whether the part has more after them.

    Empty when the sender does not hold the state.
    """

    height: HeightField
    part: PartField
    position: LeafPositionField
    leaves: Annotated[tuple[SnapshotLeaf, ...], Meta(max_length=limits.SNAPSHOT_ANSWER_LEAVES_MAX)]
    more: bool


def leaf_bytes(leaf: SnapshotLeaf) -> int:
    """Return what a leaf counts towards the bounds of answers: its key and its value."""
    return len(leaf.key) + len(leaf.value or b"")


class RecentBlock(msgspec.Struct, array_like=True, frozen=True):
    """A header, and the ids of the block's transactions one after the other."""

    header: Header
    ids: IdsField


class RecentRequest(msgspec.Struct, array_like=True, frozen=True, tag=42):
    """Asks for headers and ids of up to `count` blocks, from height `last` downwards."""

    last: HeightField
    count: Annotated[int, Meta(ge=1, le=limits.RECENT_BLOCKS_PER_REQUEST)]


class RecentAnswer(msgspec.Struct, array_like=True, frozen=True, tag=43):
    """The blocks, newest first, as many as the answer holds.

    Empty when the sender does not hold the first.
    """

    last: HeightField
    blocks: Annotated[tuple[RecentBlock, ...], Meta(max_length=limits.RECENT_BLOCKS_PER_REQUEST)]


StateRequest: TypeAlias = EpochEndRequest | SnapshotRequest | SnapshotPartRequest | RecentRequest
StateAnswer: TypeAlias = EpochEndAnswer | SnapshotAnswer | SnapshotPartAnswer | RecentAnswer

"""Block headers, and the digest that names a block."""

import msgspec

from moyai.primitives.codec import encode
from moyai.primitives.fields import (
    ChainIdField,
    CountField,
    DigestField,
    EpochField,
    HeightField,
    IndexField,
    TimeField,
    ViewField,
)
from moyai.primitives.hashing import Tag, tagged
from moyai.primitives.ids import Digest


class Executed(msgspec.Struct, array_like=True, frozen=True):
    """The state after executing an ancestor, as the proposer computed it.

    `receipts_root` is the RFC 6962 root over the receipt roots of all blocks from height 1 to
    `height`, so that one header attests every receipt up to there.
    """

    height: HeightField
    state_root: DigestField
    receipts_root: DigestField


class Header(msgspec.Struct, array_like=True, frozen=True):
    """What the validators vote on; the body is the ordered list of transactions.

    `tx_root` is the RFC 6962 root over the transaction ids, `tx_bytes` the length of their bodies
    without their signatures. `log_root` is the RFC 6962 root over the digests of all
    ancestors from genesis on.
    """

    chain_id: ChainIdField
    epoch: EpochField
    view: ViewField
    height: HeightField
    parent: DigestField
    parent_view: ViewField
    time_ms: TimeField
    proposer: IndexField
    tx_root: DigestField
    tx_count: CountField
    tx_bytes: CountField
    executed: Executed
    epoch_end: DigestField | None
    filler_of: DigestField | None
    log_root: DigestField


def header_digest(header: Header) -> Digest:
    """Return the digest of a block: tagged SHA-256 of the header's canonical encoding."""
    return tagged(Tag.HEADER, encode(header))

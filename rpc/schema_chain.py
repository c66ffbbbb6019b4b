"""Shapes of the `chain_…` and `validators_…` methods.

What is hashed or signed comes as base64 of its canonical bytes, so that a client can check it.
"""

from typing import Annotated, Literal

from msgspec import Meta

from moyai.rpc.limits import PROOF_WAIT_MS_MAX
from moyai.rpc.schema_types import (
    Base64,
    HeightNumber,
    HexDigest,
    NoParams,
    Params,
    Result,
    TimeText,
)

Path = list[HexDigest]
Part = Literal["ids", "codes", "transactions", "receipts"]


class HeadParams(NoParams, frozen=True, kw_only=True):
    """Nothing to choose."""


class HeadShown(Result, frozen=True, kw_only=True):
    """The newest committed block; `state_root` is that of the block at `executed_height`."""

    height: HeightNumber
    digest: HexDigest
    time: TimeText
    epoch: int
    view: int
    executed_height: HeightNumber
    state_root: HexDigest
    log_root: HexDigest


class BlockParams(Params, frozen=True, kw_only=True):
    """A block by height or digest, the newest one without either; `include` asks for its body."""

    height: HeightNumber | None = None
    digest: HexDigest | None = None
    include: Annotated[tuple[Part, ...], Meta(max_length=4)] = ()


class BlockShown(Result, frozen=True, kw_only=True):
    """A block; `header` are the bytes that its digest is made of, `head` the newest height.

    `ids`, `codes` (0 is done), `transactions` and `receipts` are in the order of the block.
    """

    height: HeightNumber
    digest: HexDigest
    head: HeightNumber
    parent: HexDigest
    time: TimeText
    epoch: int
    view: int
    proposer: int
    tx_count: int
    header: Base64
    ids: list[HexDigest] | None = None
    codes: list[int] | None = None
    transactions: list[Base64] | None = None
    receipts: list[Base64] | None = None


class Certified(Result, frozen=True, kw_only=True):
    """A header and the finalization certificate over exactly its digest."""

    height: HeightNumber
    header: Base64
    certificate: Base64


class CertificateParams(Params, frozen=True, kw_only=True):
    """The newest certified header, or the lowest one at or above `height`.

    With `known_height` the answer proves that the block of that height is an ancestor.
    """

    height: HeightNumber | None = None
    known_height: HeightNumber | None = None


class CertificateShown(Result, frozen=True, kw_only=True):
    """`known_path`: leaf `known_height` in the log under `log_root` of size `certified.height`.

    Null without `known_height`, for the certified block itself or a higher one, and where this node
    began with a later state and does not have the path.
    """

    certified: Certified
    known_path: Path | None


class ProveParams(Params, frozen=True, kw_only=True):
    """Prove a transaction with its receipt, or the block at `height`; one of the two.

    `in_height` asks for the proof of a block under the certified header of exactly that height.
    `wait_ms` waits for a transaction to become provable.
    """

    transaction: HexDigest | None = None
    height: HeightNumber | None = None
    in_height: HeightNumber | None = None
    known_height: HeightNumber | None = None
    wait_ms: Annotated[int, Meta(ge=0, le=PROOF_WAIT_MS_MAX)] = 0


class ProofShown(Result, frozen=True, kw_only=True):
    """A proof of a block, and of a transaction and its receipt when one was asked for.

    `path`: leaf `index` under `tx_root` of size `tx_count`. `log_path`: leaf `header.height` in the
    log of size `certified.height`, null when the block is certified itself. `receipt_path`: leaf
    `index` under the root of the block's receipts. `receipts_log_path`: that root as leaf
    `header.height - 1` under the certified header's `executed.receipts_root` of size
    `executed.height`.
    """

    header: Base64
    certified: Certified
    log_path: Path | None
    known_path: Path | None
    transaction: Base64 | None = None
    index: int | None = None
    path: Path | None = None
    receipt: Base64 | None = None
    receipt_path: Path | None = None
    receipts_log_path: Path | None = None


class GenesisShown(Result, frozen=True, kw_only=True):
    """The document every node starts from; `digest` names the network."""

    digest: HexDigest
    chain_id: str
    time: TimeText
    document: Base64


class ValidatorsParams(Params, frozen=True, kw_only=True):
    """The epoch asked about."""

    epoch: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0


class EpochEndShown(Result, frozen=True, kw_only=True):
    """The last block of the epoch before, the fillers after it, and the certificate of the last."""

    header: Base64
    fillers: list[Base64]
    certificate: Base64


class ValidatorsShown(Result, frozen=True, kw_only=True):
    """The validator keys of an epoch by index; `epoch_end` proves them, except for epoch 0."""

    epoch: int
    keys: list[HexDigest]
    quorum: int
    epoch_end: EpochEndShown | None

"""Every message between nodes: one closed union, and the table of its types.

Types 1 to 19 are consensus (`consensus.messages`), 20 to 29 dissemination, from 30 on sync, of
them 36 to 43 the taking over of a state (`snapshot_messages`). A number is never used twice.
Not here: what a message leads to; decoding checks form alone.
"""

from enum import IntEnum
from typing import Annotated, Final, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta

from moyai.consensus.messages import (
    BlockMessage,
    BlockRequest,
    CertificateMessage,
    CertificateRequest,
    ConsensusMessage,
    Evidence,
    Proposal,
    Status,
    VoteMessage,
)
from moyai.p2p import limits
from moyai.p2p.errors import MessageError
from moyai.p2p.framing import UNKNOWN_TYPE
from moyai.p2p.snapshot_messages import (
    EpochEndAnswer,
    EpochEndRequest,
    RecentAnswer,
    RecentRequest,
    SnapshotAnswer,
    SnapshotPartAnswer,
    SnapshotPartRequest,
    SnapshotRequest,
    StateAnswer,
    StateRequest,
)
from moyai.primitives.block import Header
from moyai.primitives.codec import Codec, encode
from moyai.primitives.errors import CodecError
from moyai.primitives.fields import DigestField, HeightField, TransactionIdField
from moyai.primitives.limits import BLOCK_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX

RawTransactions = Annotated[
    tuple[Annotated[bytes, Meta(min_length=1, max_length=TRANSACTION_BYTES_MAX)], ...],
    Meta(max_length=BLOCK_TRANSACTIONS_MAX),
]
PositionField = Annotated[int, Meta(ge=0, le=BLOCK_TRANSACTIONS_MAX)]


class TransactionBatch(msgspec.Struct, array_like=True, frozen=True, tag=20):
    """Transactions as they were signed, all checked by the sender."""

    transactions: Annotated[RawTransactions, Meta(min_length=1)]


class TransactionRequest(msgspec.Struct, array_like=True, frozen=True, tag=21):
    """Asks for transactions that a proposal names."""

    transaction_ids: Annotated[
        tuple[TransactionIdField, ...], Meta(min_length=1, max_length=BLOCK_TRANSACTIONS_MAX)
    ]


class TransactionAnswer(msgspec.Struct, array_like=True, frozen=True, tag=22):
    """Those of the requested transactions that the sender holds, in one or several answers."""

    transactions: RawTransactions


class TargetRequest(msgspec.Struct, array_like=True, frozen=True, tag=30):
    """Asks for the header of a certified block."""

    digest: DigestField


class TargetAnswer(msgspec.Struct, array_like=True, frozen=True, tag=31):
    """The certified header; behind a filler its parents, down to the first block of the chain.

    Empty when the sender does not hold it.
    """

    digest: DigestField
    headers: Annotated[tuple[Header, ...], Meta(max_length=limits.SYNC_FILLERS_MAX)]


class HeadersRequest(msgspec.Struct, array_like=True, frozen=True, tag=32):
    """Asks for `count` headers from height `first`, proven against the log of height `target`."""

    target: HeightField
    first: HeightField
    count: Annotated[int, Meta(ge=1, le=limits.SYNC_HEADERS_PER_REQUEST)]


class HeadersAnswer(msgspec.Struct, array_like=True, frozen=True, tag=33):
    """Headers in order of height, and the path from the last one to the log root of `target`.

    Empty when the sender does not hold them all.
    """

    target: HeightField
    first: HeightField
    headers: Annotated[tuple[Header, ...], Meta(max_length=limits.SYNC_HEADERS_PER_REQUEST)]
    path: Annotated[tuple[DigestField, ...], Meta(max_length=limits.SYNC_LOG_PATH_MAX)]


class BodiesRequest(msgspec.Struct, array_like=True, frozen=True, tag=34):
    """Asks for the transactions of `count` blocks, from `position` of the block `first` on."""

    first: HeightField
    position: PositionField
    count: Annotated[int, Meta(ge=1, le=limits.SYNC_HEADERS_PER_REQUEST)]


class BodiesAnswer(msgspec.Struct, array_like=True, frozen=True, tag=35):
    """The transactions of consecutive blocks; the last may be cut where the answer was full.

    Empty when the sender does not hold the first.
    """

    first: HeightField
    position: PositionField
    bodies: Annotated[tuple[RawTransactions, ...], Meta(max_length=limits.SYNC_HEADERS_PER_REQUEST)]


class BelowBase(msgspec.Struct, array_like=True, frozen=True, tag=44):
    """Answers a request for headers or bodies that are no longer here: blocks are from `base` on.

    Unlike an empty answer it will not become another one.
    """

    first: HeightField
    base: HeightField


DisseminationMessage: TypeAlias = TransactionBatch | TransactionRequest | TransactionAnswer
SyncRequest: TypeAlias = TargetRequest | HeadersRequest | BodiesRequest
SyncAnswer: TypeAlias = TargetAnswer | HeadersAnswer | BodiesAnswer | BelowBase
WireMessage: TypeAlias = (
    ConsensusMessage | DisseminationMessage | SyncRequest | SyncAnswer | StateRequest | StateAnswer
)


class MessageClass(IntEnum):
    """Queues of a link, served in this order."""

    VOTES = 0
    PROPOSALS = 1
    FETCH = 2
    TRANSACTIONS = 3
    SYNC = 4


class WireType(NamedTuple):
    """One row of the table: the type's number and struct, its cap, its queue, and if it asks."""

    kind: int
    struct: type[WireMessage]
    payload_bytes_max: int
    queue: MessageClass
    is_request: bool = False


KEEPALIVE: Final = 0
"""Type of the empty frame: it opens the channel for the responder and keeps an idle one alive."""

WIRE_TYPES: Final = (
    WireType(1, VoteMessage, 512, MessageClass.VOTES),
    WireType(2, CertificateMessage, 8 * limits.KIBIBYTE, MessageClass.VOTES),
    WireType(3, Proposal, 256 * limits.KIBIBYTE, MessageClass.PROPOSALS),
    WireType(4, Status, 512, MessageClass.VOTES),
    WireType(5, CertificateRequest, 64, MessageClass.FETCH, is_request=True),
    WireType(6, BlockRequest, 64, MessageClass.FETCH, is_request=True),
    WireType(7, BlockMessage, 256 * limits.KIBIBYTE, MessageClass.FETCH),
    WireType(8, Evidence, 512, MessageClass.VOTES),
    WireType(20, TransactionBatch, limits.MEBIBYTE, MessageClass.TRANSACTIONS),
    WireType(21, TransactionRequest, 256 * limits.KIBIBYTE, MessageClass.FETCH, is_request=True),
    WireType(22, TransactionAnswer, limits.MEBIBYTE, MessageClass.FETCH),
    WireType(30, TargetRequest, 64, MessageClass.SYNC, is_request=True),
    WireType(31, TargetAnswer, 64 * limits.KIBIBYTE, MessageClass.SYNC),
    WireType(32, HeadersRequest, 64, MessageClass.SYNC, is_request=True),
    WireType(33, HeadersAnswer, 256 * limits.KIBIBYTE, MessageClass.SYNC),
    WireType(34, BodiesRequest, 64, MessageClass.SYNC, is_request=True),
    WireType(35, BodiesAnswer, limits.MEBIBYTE, MessageClass.SYNC),
    WireType(36, EpochEndRequest, 64, MessageClass.SYNC, is_request=True),
    WireType(37, EpochEndAnswer, 64 * limits.KIBIBYTE, MessageClass.SYNC),
    WireType(38, SnapshotRequest, 64, MessageClass.SYNC, is_request=True),
    WireType(39, SnapshotAnswer, 256 * limits.KIBIBYTE, MessageClass.SYNC),
    WireType(40, SnapshotPartRequest, 64, MessageClass.SYNC, is_request=True),
    WireType(41, SnapshotPartAnswer, limits.MEBIBYTE, MessageClass.SYNC),
    WireType(42, RecentRequest, 64, MessageClass.SYNC, is_request=True),
    WireType(43, RecentAnswer, 512 * limits.KIBIBYTE, MessageClass.SYNC),
    WireType(44, BelowBase, 64, MessageClass.SYNC),
)
_BY_STRUCT: Final = {row.struct: row for row in WIRE_TYPES}
_BY_KIND: Final = {row.kind: row for row in WIRE_TYPES}


def _caps() -> tuple[int, ...]:
    caps = [UNKNOWN_TYPE] * 256
    caps[KEEPALIVE] = 0
    for row in WIRE_TYPES:
        caps[row.kind] = row.payload_bytes_max
    return tuple(caps)


PAYLOAD_BYTES_MAX: Final = _caps()
"""Cap of each type's payload, by number; `UNKNOWN_TYPE` where there is none."""

_codec: Final = Codec[WireMessage](WireMessage, name="message")  # type: ignore[arg-type] # a union

_BYTES_PER_SIGNATURE: Final = 512


def wire_type(message: WireMessage) -> WireType:
    """Return the row of the table for `message`."""
    return _BY_STRUCT[type(message)]


def encode_message(message: WireMessage) -> bytes:
    """Return the payload of `message`'s frame."""
    return encode(message)


def decode_message(kind: int, payload: bytes) -> WireMessage:
    """Return the message of a frame of type `kind`.

    Raises `MessageError` for bytes of another type, of a wrong arity or form, over a bound, with
    trailing bytes or not canonical.
    """
    try:
        message = _codec.decode(payload)
    except CodecError as error:
        raise MessageError(error.reason, what=f"message type {kind}", next=error.next) from None
    if _BY_KIND[kind].struct is not type(message):
        raise MessageError("the frame names another type than its message", what=f"type {kind}")
    return message


def signature_count(message: WireMessage) -> int:
    """Return about how many signatures `message` makes its receiver check.

    A transaction counts one, and one more for each 512 bytes, since its signers are not known yet.
    """
    match message:
        case VoteMessage() | Proposal() | Status():
            return 1
        case Evidence():
            return 2
        case CertificateMessage(certificate):
            return len(certificate.signatures)
        case TransactionBatch(transactions) | TransactionAnswer(transactions):
            return sum(1 + len(raw) // _BYTES_PER_SIGNATURE for raw in transactions)
        case _:
            return 0

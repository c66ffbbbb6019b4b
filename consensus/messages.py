"""What validators say to each other about consensus; nothing in a message is trusted as it comes.

Type numbers 1 to 19 of the wire are these; dissemination and sync have their own (p2p).
"""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.fields import (
    DigestField,
    EpochField,
    HeightField,
    TransactionIdField,
    ViewField,
)
from moyai.primitives.limits import BLOCK_TRANSACTIONS_MAX
from moyai.primitives.vote import Vote

TransactionIds = Annotated[tuple[TransactionIdField, ...], Meta(max_length=BLOCK_TRANSACTIONS_MAX)]


class VoteMessage(msgspec.Struct, array_like=True, frozen=True, tag=1):
    """One vote, its sender's own."""

    vote: Vote


class CertificateMessage(msgspec.Struct, array_like=True, frozen=True, tag=2):
    """A certificate, forwarded once or sent to one who lacks it."""

    certificate: Certificate


class Proposal(msgspec.Struct, array_like=True, frozen=True, tag=3):
    """A leader's block: the header, its notarize vote, the ids of the transactions in order."""

    header: Header
    vote: Vote
    transaction_ids: TransactionIds


class Status(msgspec.Struct, array_like=True, frozen=True, tag=4):
    """Where a node stands, and on connect the newest vote of the receiver that it holds (R11)."""

    epoch: EpochField
    view: ViewField
    final_view: ViewField
    final_height: HeightField
    certified_view: ViewField
    voted_view: ViewField
    abstaining: bool
    vote_of_yours: Vote | None


class CertificateRequest(msgspec.Struct, array_like=True, frozen=True, tag=5):
    """Asks for the certificates of the views from first to last, both included, both kinds."""

    epoch: EpochField
    first_view: ViewField
    last_view: ViewField


class BlockRequest(msgspec.Struct, array_like=True, frozen=True, tag=6):
    """Asks for the header and the transaction ids of the block with this digest."""

    digest: DigestField


class BlockMessage(msgspec.Struct, array_like=True, frozen=True, tag=7):
    """Answers a block request; the digest of the header must be the one asked for."""

    header: Header
    transaction_ids: TransactionIds


class Evidence(msgspec.Struct, array_like=True, frozen=True, tag=8):
    """Two signed votes of one validator that an honest one never signs; nothing else."""

    first: Vote
    second: Vote


ConsensusMessage: TypeAlias = (
    VoteMessage
    | CertificateMessage
    | Proposal
    | Status
    | CertificateRequest
    | BlockRequest
    | BlockMessage
    | Evidence
)

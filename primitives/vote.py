"""Votes: what a validator signs about one view."""

from enum import IntEnum

import msgspec

from moyai.primitives.fields import DigestField, EpochField, IndexField, SignatureField, ViewField
from moyai.primitives.hashing import Tag
from moyai.primitives.ids import PublicKey
from moyai.primitives.keys import signature_is_valid


class VoteKind(IntEnum):
    """The three kinds of vote; a nullify names no block, its digest is zero."""

    NOTARIZE = 1
    NULLIFY = 2
    FINALIZE = 3


class Vote(msgspec.Struct, array_like=True, frozen=True):
    """One validator's signed vote as it travels; nothing in it has been checked."""

    epoch: EpochField
    view: ViewField
    kind: VoteKind
    digest: DigestField
    signer: IndexField
    signature: SignatureField


def vote_message(chain_id: str, epoch: int, view: int, kind: VoteKind, digest: bytes) -> bytes:
    """Return the bytes a vote signs.

    tag ‖ len(chain_id) u8 ‖ chain_id ‖ epoch u64 ‖ view u64 ‖ kind u8 ‖ digest, big-endian.
    """
    chain = chain_id.encode()
    return b"".join(
        (
            Tag.VOTE.value,
            len(chain).to_bytes(1, "big"),
            chain,
            epoch.to_bytes(8, "big"),
            view.to_bytes(8, "big"),
            kind.to_bytes(1, "big"),
            digest,
        )
    )


def vote_is_valid(vote: Vote, chain_id: str, key: PublicKey) -> bool:
    """Return whether the signature of `vote` is by `key`."""
    message = vote_message(chain_id, vote.epoch, vote.view, vote.kind, vote.digest)
    return signature_is_valid(key, message, vote.signature)

"""How an epoch ended: the proof by which whoever knows its validators learns those of the next.

A chain of them from genesis on gives the validators of every epoch. Not here: who keeps them
(storage), and clients that keep them as text.
"""

from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta

from moyai.primitives.block import Header, header_digest
from moyai.primitives.certificate import Certificate, verify_certificate
from moyai.primitives.errors import CertificateError, GenesisError, ProofError
from moyai.primitives.fields import PublicKeyField
from moyai.primitives.ids import Epoch
from moyai.primitives.limits import EPOCH_END_FILLERS_MAX, VALIDATORS_MAX
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import VoteKind


class EpochEnd(msgspec.Struct, array_like=True, frozen=True):
    """The last block of an epoch, the fillers that made it final, and who votes next.

    `fillers` are oldest first; `certificate` finalizes the last of them, or the block itself.
    `keys` are the validators of the next epoch by index.
    """

    header: Header
    fillers: Annotated[tuple[Header, ...], Meta(max_length=EPOCH_END_FILLERS_MAX)]
    certificate: Certificate
    keys: Annotated[tuple[PublicKeyField, ...], Meta(min_length=1, max_length=VALIDATORS_MAX)]


def check_epoch_end(end: EpochEnd, chain_id: str, validators: ValidatorSet) -> ValidatorSet:
    """Return the validators of the next epoch, proven by those of the one that ended.

    Raises `ProofError`.
    """
    epoch = validators.epoch
    chain = (end.header, *end.fillers)
    if any(one.chain_id != chain_id or one.epoch != epoch for one in chain):
        raise _bad(epoch, "is of another chain or epoch")
    try:
        chosen = ValidatorSet(Epoch(epoch + 1), end.keys)
    except GenesisError as error:
        raise _bad(epoch, error.reason) from None
    if end.header.epoch_end != chosen.digest or end.header.filler_of is not None:
        raise _bad(epoch, "does not announce these validators")
    ended = header_digest(end.header)
    for parent, filler in pairwise(chain):
        if filler.parent != header_digest(parent) or filler.filler_of != ended:
            raise _bad(epoch, "has a filler that does not follow it")
    certificate = end.certificate
    finalized = (VoteKind.FINALIZE, header_digest(chain[-1]), chain[-1].view)
    if (certificate.kind, certificate.digest, certificate.view) != finalized:
        raise _bad(epoch, "is finalized by the certificate of another block")
    try:
        verify_certificate(certificate, chain_id, validators)
    except CertificateError as error:
        raise _bad(epoch, error.reason) from None
    return chosen


def _bad(epoch: Epoch, reason: str) -> ProofError:
    return ProofError(reason, what=f"end of epoch {epoch}", next="ask another node for it")

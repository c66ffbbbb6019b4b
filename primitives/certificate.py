"""Certificates: a quorum of votes on one subject, checkable by any outsider."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from moyai.primitives.errors import CertificateError
from moyai.primitives.fields import DigestField, EpochField, ViewField
from moyai.primitives.ids import SIGNATURE_BYTES, ZERO_DIGEST, ValidatorIndex
from moyai.primitives.keys import signature_is_valid
from moyai.primitives.limits import VALIDATORS_MAX
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import Vote, VoteKind, vote_message


class Certificate(msgspec.Struct, array_like=True, frozen=True):
    """q or more votes of one kind for one subject: signer bitmap and signatures in index order.

    Bit i of the bitmap (byte i // 8, bit i % 8 from the lowest) stands for validator i. Its length,
    its unused bits and its count are checked before any signature is.
    """

    epoch: EpochField
    view: ViewField
    kind: VoteKind
    digest: DigestField
    signers: Annotated[bytes, Meta(max_length=VALIDATORS_MAX // 8)]
    signatures: Annotated[tuple[bytes, ...], Meta(max_length=VALIDATORS_MAX)]


def make_certificate(votes: Iterable[Vote], validators: ValidatorSet) -> Certificate:
    """Return the certificate of checked `votes`, all on one subject and by distinct signers."""
    ordered = sorted(votes, key=lambda vote: vote.signer)
    first = ordered[0]
    bitmap = bytearray(bitmap_bytes(len(validators)))
    for vote in ordered:
        bitmap[vote.signer // 8] |= 1 << vote.signer % 8
    signatures = tuple(vote.signature for vote in ordered)
    return Certificate(first.epoch, first.view, first.kind, first.digest, bytes(bitmap), signatures)


def bitmap_bytes(validators: int) -> int:
    """Return the exact length of the signer bitmap for n validators."""
    return (validators + 7) // 8


def signer_indexes(certificate: Certificate, validators: ValidatorSet) -> list[ValidatorIndex]:
    """Return the signers of a certificate, ascending, after checking everything but signatures.

    Raises `CertificateError` on a wrong epoch, bitmap length, stray bit, count or digest.
    """
    if certificate.epoch != validators.epoch:
        raise _bad(certificate, "is of another epoch than the validator set")
    if len(certificate.signers) != bitmap_bytes(len(validators)):
        raise _bad(certificate, "has a signer bitmap of a wrong length")
    if (certificate.kind is VoteKind.NULLIFY) != (certificate.digest == ZERO_DIGEST):
        raise _bad(certificate, "has a digest that its kind does not have")
    bits = int.from_bytes(certificate.signers, "little")
    if bits >> len(validators):
        raise _bad(certificate, "names a validator that is not in the set")
    indexes = [ValidatorIndex(index) for index in range(len(validators)) if bits >> index & 1]
    if len(indexes) != len(certificate.signatures):
        raise _bad(certificate, "has another number of signatures than signers")
    if len(indexes) < validators.quorum:
        raise _bad(
            certificate, f"has {len(indexes)} of the {validators.quorum} signatures it needs"
        )
    if any(len(signature) != SIGNATURE_BYTES for signature in certificate.signatures):
        raise _bad(certificate, "has a signature of a wrong length")
    return indexes


def verify_certificate(certificate: Certificate, chain_id: str, validators: ValidatorSet) -> None:
    """Check every signature; one bad one condemns the whole certificate.

    Raises `CertificateError`.
    """
    indexes = signer_indexes(certificate, validators)
    message = vote_message(
        chain_id, certificate.epoch, certificate.view, certificate.kind, certificate.digest
    )
    for index, signature in zip(indexes, certificate.signatures, strict=True):
        if not signature_is_valid(validators.keys[index], message, signature):
            raise _bad(certificate, f"has a bad signature of validator {index}")


def certificate_votes(certificate: Certificate, validators: ValidatorSet) -> list[Vote]:
    """Return the votes a checked certificate is made of."""
    indexes = signer_indexes(certificate, validators)
    subject = (certificate.epoch, certificate.view, certificate.kind, certificate.digest)
    return [
        Vote(*subject, index, signature)
        for index, signature in zip(indexes, certificate.signatures, strict=True)
    ]


def _bad(certificate: Certificate, reason: str) -> CertificateError:
    what = f"{certificate.kind.name.lower()} certificate of view {certificate.view}"
    return CertificateError(reason, what=what, next="ask another node for it")

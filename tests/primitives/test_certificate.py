"""Scenarios of certificates: nothing short of a quorum of good signatures is one."""

from collections.abc import Callable

import msgspec
import pytest

from moyai.primitives.certificate import (
    Certificate,
    certificate_votes,
    make_certificate,
    signer_indexes,
    verify_certificate,
)
from moyai.primitives.errors import CertificateError
from moyai.primitives.ids import ZERO_DIGEST, Digest, Epoch, ValidatorIndex, View
from moyai.primitives.keys import SigningKey
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import Vote, VoteKind, vote_message

KEYS = sorted((SigningKey(bytes([seed]) * 32) for seed in range(1, 5)), key=lambda key: key.public)
VALIDATORS = ValidatorSet(Epoch(0), tuple(key.public for key in KEYS))
DIGEST = Digest(b"\xcc" * 32)


def vote(index: int, digest: Digest = DIGEST, kind: VoteKind = VoteKind.FINALIZE) -> Vote:
    signature = KEYS[index].sign(vote_message("kaga", 0, 7, kind, digest))
    return Vote(Epoch(0), View(7), kind, digest, ValidatorIndex(index), signature)


def certificate(*indexes: int) -> Certificate:
    return make_certificate([vote(index) for index in indexes], VALIDATORS)


def test_three_of_four_votes_in_any_order_are_a_certificate() -> None:
    made = certificate(3, 0, 2)
    verify_certificate(made, "kaga", VALIDATORS)
    assert signer_indexes(made, VALIDATORS) == [0, 2, 3]
    assert made.signers == b"\x0d"
    assert certificate_votes(made, VALIDATORS) == [vote(0), vote(2), vote(3)]


def test_two_of_four_are_none() -> None:
    with pytest.raises(CertificateError, match="2 of the 3 signatures"):
        verify_certificate(certificate(0, 1), "kaga", VALIDATORS)


def test_one_bad_signature_beyond_the_quorum_condemns_it() -> None:
    made = certificate(0, 1, 2, 3)
    spoiled = (*made.signatures[:3], made.signatures[0])
    with pytest.raises(CertificateError, match="bad signature of validator 3"):
        verify_certificate(msgspec.structs.replace(made, signatures=spoiled), "kaga", VALIDATORS)


def test_a_vote_for_another_block_does_not_count() -> None:
    votes = [vote(0), vote(1), vote(2, Digest(b"\xdd" * 32))]
    with pytest.raises(CertificateError, match="bad signature of validator 2"):
        verify_certificate(make_certificate(votes, VALIDATORS), "kaga", VALIDATORS)


Change = Callable[[Certificate], Certificate]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: msgspec.structs.replace(c, signers=b"\x07\x00"), "bitmap of a wrong length"),
        (lambda c: msgspec.structs.replace(c, signers=b""), "bitmap of a wrong length"),
        (lambda c: msgspec.structs.replace(c, signers=b"\x17"), "not in the set"),
        (lambda c: msgspec.structs.replace(c, signers=b"\x0f"), "another number of signatures"),
        (lambda c: msgspec.structs.replace(c, epoch=Epoch(1)), "another epoch"),
        (lambda c: msgspec.structs.replace(c, digest=ZERO_DIGEST), "digest that its kind"),
        (lambda c: msgspec.structs.replace(c, kind=VoteKind.NULLIFY), "digest that its kind"),
        (lambda c: msgspec.structs.replace(c, view=View(8)), "bad signature of validator 0"),
        (
            lambda c: msgspec.structs.replace(c, signatures=(b"", *c.signatures[1:])),
            "signature of a wrong length",
        ),
    ],
)
def test_a_malformed_certificate_says_what_is_wrong(change: Change, reason: str) -> None:
    with pytest.raises(CertificateError, match=reason):
        verify_certificate(change(certificate(0, 1, 2)), "kaga", VALIDATORS)


def test_it_is_of_one_chain() -> None:
    with pytest.raises(CertificateError, match="bad signature"):
        verify_certificate(certificate(0, 1, 2), "komatsu", VALIDATORS)

"""Scenarios of the consensus verifier: strict, and no signature is paid for twice."""

import pytest

from moyai.consensus.messages import Evidence
from moyai.node import verifier as verifier_module
from moyai.node.verifier import VERIFIED_VOTES_MAX, ConsensusVerifier
from moyai.primitives.certificate import make_certificate
from moyai.primitives.ids import Digest, Epoch, ValidatorIndex, View
from moyai.primitives.keys import SigningKey
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import Vote, VoteKind, vote_is_valid, vote_message

KEYS = sorted((SigningKey(bytes([seed]) * 32) for seed in range(1, 5)), key=lambda key: key.public)
VALIDATORS = ValidatorSet(Epoch(0), tuple(key.public for key in KEYS))
DIGEST = Digest(b"\xcc" * 32)


def vote(index: int, digest: Digest = DIGEST, epoch: int = 0) -> Vote:
    message = vote_message("kaga", epoch, 7, VoteKind.NOTARIZE, digest)
    signature = KEYS[index % 4].sign(message)
    return Vote(Epoch(epoch), View(7), VoteKind.NOTARIZE, digest, ValidatorIndex(index), signature)


@pytest.fixture
def verifier() -> ConsensusVerifier:
    return ConsensusVerifier("kaga", VALIDATORS)


def test_a_good_vote_a_good_certificate_and_good_evidence(verifier: ConsensusVerifier) -> None:
    other = vote(0, Digest(b"\xdd" * 32))
    assert verifier.vote(vote(0))
    assert verifier.certificate(make_certificate([vote(0), vote(1), vote(2)], VALIDATORS))
    assert verifier.evidence(Evidence(vote(0), other))


def test_an_unknown_validator_another_epoch_and_a_forged_vote(verifier: ConsensusVerifier) -> None:
    signature = vote(0).signature
    forged = Vote(Epoch(0), View(8), VoteKind.NOTARIZE, DIGEST, ValidatorIndex(0), signature)
    assert not verifier.vote(vote(5))
    assert not verifier.vote(vote(0, epoch=1))
    assert not verifier.vote(forged)
    assert not verifier.evidence(Evidence(vote(0), forged))


def test_a_certificate_below_the_quorum_or_with_one_bad_signature(
    verifier: ConsensusVerifier,
) -> None:
    stranger = vote(1, Digest(b"\xdd" * 32))
    assert not verifier.certificate(make_certificate([vote(0), vote(1)], VALIDATORS))
    assert not verifier.certificate(make_certificate([vote(0), stranger, vote(2)], VALIDATORS))


def test_the_votes_of_a_certificate_are_not_checked_again(
    verifier: ConsensusVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[int] = []

    def counted(one: Vote, chain_id: str, key: bytes) -> bool:
        checks.append(one.signer)
        return vote_is_valid(one, chain_id, key)  # type: ignore[arg-type]

    monkeypatch.setattr(verifier_module, "vote_is_valid", counted)
    for index in (0, 1):
        assert verifier.vote(vote(index))
    assert verifier.certificate(make_certificate([vote(0), vote(1), vote(2)], VALIDATORS))
    assert checks == [0, 1, 2]


def test_the_memory_is_bounded(
    verifier: ConsensusVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifier_module, "vote_is_valid", lambda *_: True)
    for view in range(VERIFIED_VOTES_MAX + 10):
        one = Vote(Epoch(0), View(view), VoteKind.NOTARIZE, DIGEST, ValidatorIndex(0), bytes(64))
        assert verifier.vote(one)
    assert len(verifier._verified) == VERIFIED_VOTES_MAX

"""One slot per validator, view and kind, against a naive count."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from harness.consensus.keys import City
from moyai.consensus.tally import Reception, Tally
from moyai.primitives.certificate import signer_indexes
from moyai.primitives.ids import ZERO_DIGEST, Digest, Epoch, ValidatorIndex, View
from moyai.primitives.vote import Vote, VoteKind

CITY = City(7)


def vote(kind: VoteKind, view: int, signer: int, block: int = 1) -> Vote:
    digest = ZERO_DIGEST if kind is VoteKind.NULLIFY else Digest(bytes([block]) * 32)
    return CITY.vote(Vote(Epoch(0), View(view), kind, digest, ValidatorIndex(signer), b""))


VOTES = st.builds(
    vote, st.sampled_from(list(VoteKind)), st.integers(1, 2), st.integers(0, 6), st.integers(1, 2)
)


@given(st.lists(VOTES, max_size=60))
def test_a_certificate_comes_exactly_when_a_subject_has_its_quorum(votes: list[Vote]) -> None:
    tally = Tally(CITY.validators)
    slots: dict[tuple[int, VoteKind, int], bytes] = {}
    for each in votes:
        slot = (each.view, each.kind, each.signer)
        before = slots.get(slot)
        slots.setdefault(slot, each.digest)
        subject = (each.view, each.kind)
        supporters = [k for k, d in slots.items() if k[:2] == subject and d == each.digest]
        certificate = tally.add(each)
        if before is None and len(supporters) == 5:
            assert certificate is not None
            assert CITY.certificate_is_valid(certificate)
            signers = signer_indexes(certificate, CITY.validators)
            assert signers == sorted(key[2] for key in supporters)
        else:
            assert certificate is None


def test_a_slot_waits_for_one_verification_and_for_one_rival() -> None:
    tally = Tally(CITY.validators)
    first, rival = vote(VoteKind.NOTARIZE, 1, 2, 1), vote(VoteKind.NOTARIZE, 1, 2, 2)
    third = vote(VoteKind.NOTARIZE, 1, 2, 3)
    assert tally.receive(first) is Reception.NEW
    assert tally.receive(first) is Reception.KNOWN
    assert tally.receive(rival) is Reception.RIVAL
    assert tally.receive(third) is Reception.KNOWN


def test_an_invalid_vote_frees_its_slot() -> None:
    tally = Tally(CITY.validators)
    tally.receive(vote(VoteKind.NOTARIZE, 1, 2))
    tally.release(vote(VoteKind.NOTARIZE, 1, 2))
    assert tally.receive(vote(VoteKind.NOTARIZE, 1, 2, 2)) is Reception.NEW


def test_conflicts_are_two_blocks_of_one_kind_or_nullify_with_finalize() -> None:
    tally = Tally(CITY.validators)
    nullify, finalize = vote(VoteKind.NULLIFY, 1, 3), vote(VoteKind.FINALIZE, 1, 3)
    notarize = vote(VoteKind.NOTARIZE, 1, 3)
    tally.add(nullify)
    tally.add(notarize)
    assert tally.conflicts(finalize) == [nullify]
    assert tally.conflicts(vote(VoteKind.NOTARIZE, 1, 3, 2)) == [notarize]
    assert tally.conflicts(notarize) == []
    assert tally.conflicts(vote(VoteKind.FINALIZE, 2, 3)) == []


def test_a_certificate_is_covered_when_its_very_signatures_were_verified_here() -> None:
    tally = Tally(CITY.validators)
    certificate = None
    for signer in range(5):
        certificate = tally.add(vote(VoteKind.FINALIZE, 1, signer)) or certificate
    assert certificate is not None
    signers = signer_indexes(certificate, CITY.validators)
    assert tally.covers(certificate, signers)
    forged = msgspec.structs.replace(
        certificate, signatures=(*certificate.signatures[:-1], bytes(64))
    )
    assert not tally.covers(forged, signers)
    other = Tally(CITY.validators)
    assert not other.covers(certificate, signers)
    other.add(vote(VoteKind.FINALIZE, 1, 0, 2))
    assert not other.covers(certificate, signers)


def test_the_floor_itself_is_kept_for_evidence() -> None:
    tally = Tally(CITY.validators)
    for view in (1, 2, 3):
        tally.add(vote(VoteKind.NULLIFY, view, 0))
    tally.prune(View(2))
    held = [tally.vote(View(view), VoteKind.NULLIFY, ValidatorIndex(0)) for view in (1, 2, 3)]
    assert [each is not None for each in held] == [False, True, True]
    assert tally.signers(View(3), VoteKind.NULLIFY) == [0]
